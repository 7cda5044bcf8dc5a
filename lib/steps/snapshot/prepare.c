// SPDX-License-Identifier: Apache-2.0
#include "steps/snapshot/prepare.h"

#include "base/cleanup.h"
#include "base/observer.h"
#include "base/text.h"
#include "base/units.h"
#include "firecracker/by_hand.h"
#include "firecracker/hinting.h"
#include "firecracker/metrics.h"
#include "steps/snapshot/failed.h"
#include "steps/snapshot/memory.h"
#include "steps/snapshot/publish.h"
#include "steps/snapshot/type.h"
#include "steps/snapshot/writer.h"
#include "steps/vm_memory.h"

#include <string.h>

#define STATE_FILE_BYTES FCP_MIB /* Firecracker 1.16 writes some 14 kB */

static int choose_type(struct fcp_snapshot_run *run, struct fcp_error *err)
{
	struct fcp_snapshot_result *result = run->result;
	bool asked = run->settings->type != FCP_SNAPSHOT_AUTO;
	char reason[sizeof(result->type_reason)] = "";
	bool complete = false;

	if (run->settings->type != FCP_SNAPSHOT_FULL)
		complete = fcp_snapshot_diff_is_complete(&run->firecracker, &run->instance,
							 &run->machine, reason);
	if (run->settings->type == FCP_SNAPSHOT_DIFF &&
	    fcp_snapshot_diff_is_corrupt(&run->instance, &run->machine))
		return fcp_error_set(
			err, FCP_ERR_UNSUPPORTED, 0,
			"Firecracker %s writes corrupt Diffs of a VM with more than one memory "
			"slot; take a Full",
			run->instance.vmm_version);
	result->type = run->settings->type;
	if (!asked)
		result->type = complete ? FCP_SNAPSHOT_DIFF : FCP_SNAPSHOT_FULL;
	result->layer = result->type == FCP_SNAPSHOT_DIFF && !complete;
	/* Why it was chosen, or why what was asked for is not complete. */
	if (!asked || result->layer)
		memcpy(result->type_reason, reason, sizeof(reason));
	return 0;
}

/* A Full has every page; a Diff at most the resident ones. */
static int check_snapshot_room(const struct fcp_snapshot_run *run, struct fcp_error *err)
{
	uint64_t needed_bytes = fcp_machine_memory_bytes(&run->machine);
	uint64_t rss_bytes;

	if (run->memory)
		needed_bytes = fcp_snapshot_memory_room(run->memory);
	else if (run->result->type == FCP_SNAPSHOT_DIFF &&
		 fcp_vm_memory_rss(&run->firecracker, &rss_bytes) && rss_bytes < needed_bytes)
		needed_bytes = rss_bytes;
	return fcp_snapshot_files_room(&run->files, needed_bytes, STATE_FILE_BYTES, err);
}

/* One run at a time on a target. What a killed run left is recovered first. */
static int lock_files(struct fcp_snapshot_run *run, struct fcp_error *err)
{
	if (fcp_snapshot_files_lock(&run->files, &run->wait, err) != 0)
		return -1;
	return fcp_snapshot_recover(&run->files, err);
}

static int find_vm(struct fcp_snapshot_run *run, struct fcp_error *err)
{
	if (fcp_vm_instance(&run->firecracker, &run->instance, err) != 0)
		return -1;
	run->result->vm_state = run->instance.state;
	if (run->instance.state == FCP_VM_NOT_STARTED)
		return fcp_error_set(err, FCP_ERR_STATE, 0, "the VM is not started");
	return 0;
}

static int find_files(struct fcp_snapshot_run *run, struct fcp_error *err)
{
	pid_t pid = fcp_firecracker_pid(&run->firecracker);

	if (fcp_snapshot_files_find(run->settings, pid, &run->files, err) != 0)
		return -1;
	snprintf(run->result->mem_file, sizeof(run->result->mem_file), "%s",
		 run->files.memory.host);
	return 0;
}

static int check_vm(struct fcp_snapshot_run *run, struct fcp_error *err)
{
	if (fcp_snapshot_files_check_targets(&run->files, !run->checked, err) != 0 ||
	    fcp_vm_machine_config(&run->firecracker, &run->machine, err) != 0)
		return -1;
	if (choose_type(run, err) != 0 || fcp_snapshot_check_chain(run, err) != 0 ||
	    fcp_snapshot_writer_choose(run, err) != 0)
		return -1;
	return check_snapshot_room(run, err);
}

int fcp_snapshot_check_run(struct fcp_snapshot_run *run, struct fcp_error *err)
{
	return find_vm(run, err) == 0 && find_files(run, err) == 0 ? check_vm(run, err) : -1;
}

int fcp_snapshot_lock_and_check(struct fcp_snapshot_run *run, struct fcp_error *err)
{
	if (find_vm(run, err) != 0 || find_files(run, err) != 0 || lock_files(run, err) != 0)
		return -1;
	return check_vm(run, err);
}

static int hinting_is_open(const struct fcp_snapshot_run *run, struct fcp_error *err)
{
	char command[FCP_BY_HAND_BYTES];

	fcp_by_hand_stop_hinting(run->settings->api_sock, command);
	return fcp_error_set(err, FCP_ERR_NOT_RESTORED, 0,
			     "an open hinting run could not be stopped; by hand: %s (%.150s)",
			     command, err->message);
}

/*
 * An open run (of a killed fcpause, say) would be open in the snapshot too, and the guest would
 * lack the pages it had handed out.
 */
static int stop_open_hinting(struct fcp_snapshot_run *run, struct fcp_error *err)
{
	struct fcp_hinting_status status;

	if (fcp_hinting_status(&run->firecracker, &status, err) != 0)
		/* Refused: no balloon, no hinting, or an older Firecracker. */
		return err->error_class == FCP_ERR_SERVER ? 0 : -1;
	if (status.host_cmd == FCP_HINTING_NONE || status.host_cmd == FCP_HINTING_DONE)
		return 0;
	if (fcp_hinting_stop(&run->firecracker, err) != 0)
		return hinting_is_open(run, err);
	run->result->hinting_stopped = true;
	return 0;
}

struct fcp_metrics *fcp_snapshot_flush_metrics(struct fcp_snapshot_run *run)
{
	const char *path = run->settings->metrics_path;
	FCP_CLEANUP(free) struct fcp_metrics *metrics = path ? calloc(1, sizeof(*metrics)) : NULL;
	struct fcp_error ignored;

	if (!metrics || fcp_metrics_flush(&run->firecracker, path, metrics, &ignored) != 0)
		return NULL;
	return fcp_steal_pointer(&metrics);
}

void fcp_snapshot_warn(struct fcp_snapshot_result *result, const char *text)
{
	fcp_text_append(text, result->warning, sizeof(result->warning));
}

int fcp_snapshot_begin(struct fcp_snapshot_run *run, struct fcp_error *err)
{
	if (stop_open_hinting(run, err) != 0)
		return -1;
	fcp_log_debug(run->settings->observer, "snapshot",
		      "%s of the VM to %s, which %s writes%s%s",
		      run->memory ? "the memory" : fcp_snapshot_type_name(run->result->type),
		      run->result->mem_file, run->memory ? "fcpause" : "Firecracker",
		      run->memory || !run->result->type_reason[0] ? "" : ": ",
		      run->memory ? "" : run->result->type_reason);
	free(fcp_snapshot_flush_metrics(run)); /* what was counted before this run */
	if (fcp_snapshot_files_begin(&run->files, fcp_firecracker_pid(&run->firecracker), err) != 0)
		return -1;
	if (run->files.memory.no_sync || run->files.snapshot.no_sync)
		fcp_snapshot_warn(run->result,
				  "after a power cut the files may be lost: the directory of one "
				  "cannot be synced");
	return fcp_snapshot_writer_prepare(run, err);
}
