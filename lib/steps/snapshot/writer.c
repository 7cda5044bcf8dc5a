// SPDX-License-Identifier: Apache-2.0
#include "steps/snapshot/writer.h"

#include "base/cleanup.h"
#include "base/observer.h"
#include "steps/snapshot/memory.h"

#include <stdlib.h>
#include <string.h>

void fcp_snapshot_memory_report_free(struct fcp_memory_report *report)
{
	if (report)
		free(report->shares);
	free(report);
}

/* Firecracker writes, and the result says why. */
static int leave_to_firecracker(struct fcp_snapshot_run *run, const char *why)
{
	struct fcp_snapshot_result *result = run->result;

	fcp_snapshot_memory_free(run->memory);
	run->memory = NULL;
	fcp_snapshot_memory_report_free(result->memory);
	result->memory = NULL;
	result->writer = FCP_WRITER_FIRECRACKER;
	snprintf(result->writer_reason, sizeof(result->writer_reason), "%.255s", why);
	if (*why)
		fcp_log_debug(run->settings->observer, "snapshot",
			      "Firecracker writes the memory file: %s", why);
	if (run->settings->share_count > 0)
		fcp_snapshot_warn(result,
				  "Firecracker writes the memory file: no storage is shared");
	return 0;
}

/*
 * May Firecracker write instead? Not if it would fail for the same reason, or was not allowed to.
 */
static bool may_leave(const struct fcp_snapshot_run *run, const struct fcp_error *why)
{
	if (run->settings->writer == FCP_WRITER_FCPAUSE || run->settings->layer)
		return false;
	switch (why->error_class) {
	case FCP_ERR_UNSUPPORTED:
	case FCP_ERR_PROTOCOL:
	case FCP_ERR_MEMORY:
		return true;
	case FCP_ERR_IO:
		return why->errnum != ENOSPC && why->errnum != EDQUOT && why->errnum != EROFS;
	default:
		return false;
	}
}

static int open_memory_writer(struct fcp_snapshot_run *run, struct fcp_error *err)
{
	const struct fcp_snapshot_memory_settings memory = {
		.snapshot = run->settings,
		.files = &run->files,
		.firecracker = &run->firecracker,
		.machine = &run->machine,
		.timeout_ms = fcp_snapshot_timeout_ms(run),
	};

	run->result->memory = calloc(1, sizeof(*run->result->memory));
	if (!run->result->memory)
		return fcp_error_nomem(err);
	return fcp_snapshot_memory_open(&memory, &run->memory, err);
}

int fcp_snapshot_writer_choose(struct fcp_snapshot_run *run, struct fcp_error *err)
{
	const struct fcp_snapshot_settings *settings = run->settings;

	if (settings->layer &&
	    (settings->writer == FCP_WRITER_FIRECRACKER || settings->type != FCP_SNAPSHOT_AUTO))
		return fcp_error_set(
			err, FCP_ERR_USAGE, 0,
			"a layer is written by fcpause, and has no type of Firecracker's");
	if (settings->writer == FCP_WRITER_FCPAUSE && settings->type == FCP_SNAPSHOT_DIFF)
		return fcp_error_set(err, FCP_ERR_USAGE, 0, "only Firecracker writes a Diff");
	if (settings->writer == FCP_WRITER_FIRECRACKER)
		return leave_to_firecracker(run, "");
	if (settings->writer == FCP_WRITER_AUTO && settings->type != FCP_SNAPSHOT_AUTO)
		return leave_to_firecracker(run, "one of Firecracker's types was asked for");
	if (open_memory_writer(run, err) == 0)
		return 0;
	return may_leave(run, err) ? leave_to_firecracker(run, err->message) : -1;
}

int fcp_snapshot_writer_prepare(struct fcp_snapshot_run *run, struct fcp_error *err)
{
	if (!run->memory || fcp_snapshot_memory_prepare(run->memory, err) == 0)
		return 0;
	if (!may_leave(run, err) || ftruncate(run->files.memory.fd, 0) != 0)
		return -1;
	return leave_to_firecracker(run, err->message);
}

static void note_written(struct fcp_snapshot_run *run)
{
	struct fcp_snapshot_result *result = run->result;

	result->writer = FCP_WRITER_FCPAUSE;
	result->layer = run->settings->layer;
	result->type = result->layer ? FCP_SNAPSHOT_DIFF : FCP_SNAPSHOT_FULL;
	snprintf(result->type_reason, sizeof(result->type_reason), "fcpause wrote %s",
		 result->layer ? "what differs from the base" : "the whole memory");
}

int fcp_snapshot_writer_take(struct fcp_snapshot_run *run, bool *written_, struct fcp_error *err)
{
	fcp_phase_begin(run->settings->observer, "snapshot", "write");
	*written_ = fcp_snapshot_memory_take(run->memory, run->result, err) == 0;
	fcp_phase_end(run->settings->observer, "snapshot", "write");
	if (*written_) {
		note_written(run);
		return 0;
	}
	if (!may_leave(run, err) || ftruncate(run->files.memory.fd, 0) != 0)
		return -1;
	run->result->downtime_ms = (struct fcp_downtime){0};
	return leave_to_firecracker(run, err->message);
}
