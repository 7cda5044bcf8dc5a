// SPDX-License-Identifier: Apache-2.0
/* Replaces a memory file by an equal one that shares storage with other files. */
#include "base/call.h"
#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/fd_link.h"
#include "base/observer.h"
#include "base/outcome.h"
#include "base/units.h"
#include "memory/attributes.h"
#include "memory/claim.h"
#include "memory/extents.h"
#include "memory/file.h"
#include "memory/identity.h"
#include "memory/pages.h"
#include "memory/range.h"
#include "memory/sparse.h"
#include "steps/leftover.h"
#include "steps/share/files.h"
#include "steps/snapshot/names.h"
#include "steps/snapshot/publish.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#define BUFFER_BYTES FCP_MIB

struct share_run {
	const struct fcp_share_settings *settings;
	struct fcp_share_result *result;
	struct fcp_snapshot_file out; /* the replacement */
	struct fcp_file file;
	struct fcp_claim claim;
	struct fcp_file_identity identity;
	uint64_t bytes;
	struct fcp_ranges own; /* data of the file whose storage is not shared */
	struct fcp_share_files files;
	struct fcp_share_set set;
};

/* ---- the files ---- */

/* By the name to be replaced: a link would be replaced itself. */
static int open_shared_file(struct share_run *run, struct fcp_error *err)
{
	FCP_CLEANUP(fd)
	int path_fd =
		openat(run->out.place.directory, run->out.name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat status;

	if (path_fd < 0 || fstat(path_fd, &status) != 0)
		return fcp_error_set(err, FCP_ERR_INPUT, errno, "%s", run->out.host);
	if (S_ISLNK(status.st_mode))
		return fcp_error_set(err, FCP_ERR_INPUT, 0,
				     "%s is a symbolic link: name the file itself", run->out.host);
	return fcp_file_open(&run->file, path_fd, false, &run->bytes, err);
}

static int claim_shared_file(struct share_run *run, struct fcp_error *err)
{
	int claimed =
		fcp_claim_take(run->file.fd, run->file.name, FCP_CLAIM_WRITE, &run->claim, err);

	run->file.claim = &run->claim;
	if (claimed != 0)
		return -1;
	snprintf(run->result->warning, sizeof(run->result->warning), "%s", run->claim.doubt);
	fcp_attributes_read(run->file.fd, &run->result->attributes);
	return fcp_identity_read(run->file.fd, run->file.name, &run->identity, err);
}

static int open_all(struct share_run *run, struct fcp_error *err)
{
	const struct fcp_share_settings *s = run->settings;
	const struct fcp_lock_wait wait =
		fcp_lock_wait_for(s->wait_lock_ms, s->cancel_fd, s->observer, "share");

	if (fcp_snapshot_file_find(s->mem_file_path, NULL, 0, &run->out, err) != 0 ||
	    fcp_share_files_open(s->shares, s->share_count, &run->files, err) != 0 ||
	    fcp_snapshot_file_lock(&run->out, true, &wait, err) != 0 ||
	    open_shared_file(run, err) != 0)
		return -1;
	if (fcp_share_files_have(&run->files, run->file.fd))
		return fcp_error_set(err, FCP_ERR_USAGE, 0, "%s is the memory file itself",
				     run->out.host);
	if (claim_shared_file(run, err) != 0 || fcp_snapshot_file_check_no_old(&run->out, err) != 0)
		return -1;
	/* A clone of the file left by a killed run must not count as sharing. */
	if (fcp_leftover_drop(&run->out, err) != 0 ||
	    fcp_snapshot_file_begin(&run->out, 0, err) != 0)
		return -1;
	fcp_leftover_mark(&run->out);
	if (!run->result->warning[0])
		snprintf(run->result->warning, sizeof(run->result->warning), "%s",
			 fcp_snapshot_file_doubt(&run->out));
	return 0;
}

/* ---- what is shared already ---- */

static int no_reflinks(const struct share_run *run, struct fcp_error *err)
{
	return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0,
			     "%s: no storage can be shared here: the file system has no reflinks",
			     run->out.host);
}

static int find_own(struct share_run *run, struct fcp_error *err)
{
	FCP_CLEANUP(ranges) struct fcp_ranges data = {0};
	FCP_CLEANUP(ranges) struct fcp_ranges shared = {0};

	if (fcp_sparse_data(run->file.fd, run->file.name, run->bytes, &data, err) != 0)
		return -1;
	if (fcp_extents_shared(run->file.fd, run->file.name, &shared, err) != 0)
		return err->error_class == FCP_ERR_UNSUPPORTED ? no_reflinks(run, err) : -1;
	if (fcp_ranges_subtract(&data, &shared, &run->own, err) != 0)
		return -1;
	run->result->logical_bytes = run->bytes;
	run->result->data_bytes = fcp_ranges_bytes(&data);
	run->result->own_before_bytes = fcp_ranges_bytes(&run->own);
	run->result->own_bytes = run->result->own_before_bytes;
	return 0;
}

/* The new file begins as a clone of the old one. */
static int begin_sharing(struct share_run *run, struct fcp_error *err)
{
	if (ioctl(run->out.fd, FICLONE, run->file.fd) == 0)
		return 0;
	if (errno == ENOSPC || errno == EDQUOT || errno == EIO)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%s", run->out.host);
	return no_reflinks(run, err);
}

static void warn_of_files(struct share_run *run)
{
	char doubt[sizeof(run->result->warning)];

	fcp_share_files_doubt(&run->set, doubt, sizeof(doubt));
	if (doubt[0])
		snprintf(run->result->warning, sizeof(run->result->warning), "%s", doubt);
}

static int add_files(struct share_run *run, struct fcp_error *err)
{
	char doubt[sizeof(run->result->warning)];

	run->set.min_run_bytes = run->settings->min_run_bytes;
	if (fcp_share_files_add(&run->files, run->out.place.directory, run->settings->cancel_fd,
				&run->set, err) != 0)
		return -1;
	fcp_share_freeze(&run->set);
	if (fcp_share_is_possible(&run->set))
		return 0;
	fcp_share_files_doubt(&run->set, doubt, sizeof(doubt));
	return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0, "%s", doubt);
}

/* ---- sharing ---- */

static int share_piece(struct share_run *run, struct fcp_range piece, unsigned char *buffer,
		       struct fcp_share_window *window, struct fcp_error *err)
{
	const struct fcp_share_put put = {run->out.fd, run->out.host, piece, buffer, true};
	uint64_t shared_bytes;

	if (fcp_file_poll(&run->file, err) != 0 ||
	    fcp_pages_read(run->file.fd, run->file.name, piece, buffer, err) != 0 ||
	    fcp_share_put(&run->set, window, &put, &shared_bytes, err) != 0)
		return -1;
	run->result->own_bytes -= shared_bytes;
	return 0;
}

static int share_own(struct share_run *run, struct fcp_error *err)
{
	FCP_CLEANUP(free) unsigned char *buffer = malloc(BUFFER_BYTES);
	FCP_CLEANUP(free) struct fcp_share_window *window = calloc(1, sizeof(*window));

	if (!buffer || !window)
		return fcp_error_nomem(err);
	for (size_t i = 0; i < run->own.count; i++) {
		struct fcp_range own = run->own.items[i], piece;

		for (piece.start = own.start; piece.start < own.end; piece.start = piece.end) {
			piece.end = own.end - piece.start > BUFFER_BYTES
					    ? piece.start + BUFFER_BYTES
					    : own.end;
			if (share_piece(run, piece, buffer, window, err) != 0)
				return -1;
		}
	}
	return 0;
}

static int find_and_share(struct share_run *run, struct fcp_error *err)
{
	if (find_own(run, err) != 0 || begin_sharing(run, err) != 0 || add_files(run, err) != 0 ||
	    share_own(run, err) != 0)
		return -1;
	warn_of_files(run);
	run->result->shares = fcp_share_files_report(&run->set);
	if (!run->result->shares)
		return fcp_error_nomem(err);
	run->result->share_count = run->set.count;
	return 0;
}

/* ---- the end ---- */

/* The memory is the same: what is recorded stays. */
static void record_shared(const struct share_run *run)
{
	const struct fcp_file_attributes *attributes = &run->result->attributes;

	if (attributes->id[0] || attributes->base[0] || attributes->holes != FCP_HOLES_UNSPECIFIED)
		fcp_attributes_write(run->out.fd, attributes);
}

static int publish_shared(struct share_run *run, struct fcp_error *err)
{
	struct fcp_file_identity now;

	record_shared(run);
	if (fcp_file_poll(&run->file, err) != 0 ||
	    fcp_claim_check_end(&run->claim, run->file.name, err) != 0 ||
	    fcp_identity_read(run->file.fd, run->file.name, &now, err) != 0)
		return -1;
	if (!fcp_identity_equal(&now, &run->identity))
		return fcp_error_set(err, FCP_ERR_BUSY, 0, "%s: it was changed in the meantime",
				     run->out.host);
	if (!fcp_fd_has_name(run->file.fd, run->out.place.directory, run->out.name))
		return fcp_error_set(err, FCP_ERR_BUSY, 0, "%s: another file has its name now",
				     run->out.host);
	if (fcp_snapshot_publish_one(&run->out, true, err) != 0)
		return -1;
	fcp_leftover_unmark(&run->out);
	run->result->replaced = true;
	return 0;
}

static int share_file_storage(struct share_run *run, struct fcp_error *err)
{
	const struct fcp_observer *observer = run->settings->observer;
	int ran;

	fcp_phase_begin(observer, "share", "write");
	ran = find_and_share(run, err);
	fcp_phase_end(observer, "share", "write");
	if (ran != 0)
		return -1;
	if (run->result->own_bytes == run->result->own_before_bytes) {
		fcp_outcome_set(&run->result->outcome, FCP_STATUS_SKIPPED,
				"the other files have none of its data that is not shared already");
		return 0;
	}
	fcp_phase_begin(observer, "share", "publish");
	ran = publish_shared(run, err);
	fcp_phase_end(observer, "share", "publish");
	return ran;
}

static int check_share_settings(const struct fcp_share_settings *settings, struct fcp_error *err)
{
	if (fcp_snapshot_file_check_name("memory file", settings->mem_file_path, err) != 0)
		return -1;
	if (settings->share_count == 0)
		return fcp_error_set(err, FCP_ERR_USAGE, 0, "no file to share storage with given");
	return 0;
}

static int share_file(const struct fcp_share_settings *settings, struct fcp_share_result *result,
		      struct fcp_error *err)
{
	struct share_run run = {.settings = settings,
				.result = result,
				.out = FCP_SNAPSHOT_FILE_NONE,
				.file = {.fd = -1,
					 .name = settings->mem_file_path,
					 .cancel_fd = settings->cancel_fd}};
	const struct fcp_step step = fcp_step_begin(settings->observer, "share");
	int ran = -1;

	*result = (struct fcp_share_result){0};
	if (check_share_settings(settings, err) == 0 && open_all(&run, err) == 0)
		ran = share_file_storage(&run, err);
	fcp_snapshot_file_clear(&run.out);
	fcp_share_clear(&run.set);
	fcp_share_files_close(&run.files);
	if (run.file.claim)
		fcp_claim_release(&run.claim);
	if (run.file.fd >= 0)
		close(run.file.fd);
	fcp_ranges_clear(&run.own);
	fcp_step_warn(&step, result->warning);
	return fcp_step_finish(&step, &result->outcome, ran, err);
}

int fcp_share(const struct fcp_share_settings *settings, struct fcp_share_result *result,
	      struct fcp_error *err)
{
	struct fcp_share_settings own_settings = FCP_SHARE_SETTINGS_INIT;
	struct fcp_share_result own = FCP_SHARE_RESULT_INIT;
	int ran;

	if (fcp_call_begin(&own_settings, settings, result, err) != 0)
		return -1;
	ran = share_file(&own_settings, &own, err);
	ran = fcp_call_end(result, &own, sizeof(own), ran);
	fcp_share_result_clear(&own);
	return ran;
}

void fcp_share_result_clear(struct fcp_share_result *result)
{
	struct fcp_share_result own = FCP_SHARE_RESULT_INIT;

	if (!result)
		return;
	fcp_result_take_back(&own, sizeof(own), result);
	free(own.shares);
}
