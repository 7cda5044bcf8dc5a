// SPDX-License-Identifier: Apache-2.0
/* A layer's data over its base. */
#include "memory/overlay.h"

#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/units.h"
#include "memory/pages.h"
#include "memory/sparse.h"
#include "memory/zero.h"

#include <errno.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#define BUFFER_BYTES FCP_MIB

struct job {
	const struct fcp_overlay_apply *apply;
	struct fcp_overlay_applied applied;
	bool copy; /* storage cannot be shared here */
	unsigned char *buffer;
};

static int copy_run(struct job *job, struct fcp_range run, const unsigned char *bytes,
		    struct fcp_error *err)
{
	job->applied.copied_bytes += run.end - run.start;
	return fcp_pages_write(job->apply->out_fd, job->apply->out, run, bytes, err);
}

/* False where the two files cannot share it; then they never will, but for ends that are no pages. */
static bool clone_run(struct job *job, struct fcp_range run)
{
	struct file_clone_range range = {.src_fd = job->apply->layer_fd,
					 .src_offset = run.start,
					 .src_length = run.end - run.start,
					 .dest_offset = run.start};

	if (job->copy || (run.start | run.end) % FCP_PAGE_BYTES != 0)
		return false;
	if (ioctl(job->apply->out_fd, FICLONERANGE, &range) != 0) {
		job->copy = true;
		return false;
	}
	job->applied.cloned_bytes += run.end - run.start;
	return true;
}

static int put_run(struct job *job, struct fcp_range run, bool zero, const unsigned char *bytes,
		   struct fcp_error *err)
{
	int errnum;

	if (run.start == run.end)
		return 0;
	if (!zero)
		return clone_run(job, run) ? 0 : copy_run(job, run, bytes, err);
	errnum = fcp_pages_punch(job->apply->out_fd, run);
	if (errnum == EOPNOTSUPP)
		return copy_run(job, run, bytes, err);
	if (errnum != 0)
		return fcp_error_set(err, FCP_ERR_IO, errnum, "%.200s: cannot make a hole", job->apply->out);
	job->applied.zero_bytes += run.end - run.start;
	return 0;
}

/* Neighbours of one kind share a call. Of a page of which the layer has only a part, nothing is made a
 * hole. */
static int put_piece(struct job *job, struct fcp_range piece, struct fcp_error *err)
{
	struct fcp_range run = {piece.start, piece.start};
	bool zero = false;

	while (run.end < piece.end) {
		uint64_t next = fcp_align_down(run.end, FCP_PAGE_BYTES) + FCP_PAGE_BYTES;
		bool whole = run.end % FCP_PAGE_BYTES == 0 && next <= piece.end;
		bool is_zero = whole && fcp_page_is_zero(job->buffer + (run.end - piece.start));

		if (is_zero != zero) {
			if (put_run(job, run, zero, job->buffer + (run.start - piece.start), err) != 0)
				return -1;
			run.start = run.end;
			zero = is_zero;
		}
		run.end = next < piece.end ? next : piece.end;
	}
	return put_run(job, run, zero, job->buffer + (run.start - piece.start), err);
}

static int put_extent(struct job *job, struct fcp_range data, struct fcp_error *err)
{
	const struct fcp_overlay_apply *apply = job->apply;
	struct fcp_range piece = {data.start, data.start};

	job->applied.data_bytes += data.end - data.start;
	while (piece.end < data.end) {
		piece.start = piece.end;
		piece.end = fcp_align_down(piece.start, FCP_PAGE_BYTES) + BUFFER_BYTES;
		if (piece.end > data.end)
			piece.end = data.end;
		if (fcp_cancelled(apply->cancel_fd))
			return fcp_error_set(err, FCP_ERR_INTERRUPTED, 0, "%.200s: interrupted", apply->out);
		if (fcp_pages_read(apply->layer_fd, apply->layer, piece, job->buffer, err) != 0 ||
		    put_piece(job, piece, err) != 0)
			return -1;
	}
	return 0;
}

int fcp_overlay_apply(const struct fcp_overlay_apply *apply, struct fcp_overlay_applied *applied_,
		      struct fcp_error *err)
{
	FCP_CLEANUP(free) unsigned char *buffer = malloc(BUFFER_BYTES);
	struct job job = {.apply = apply, .buffer = buffer};
	struct fcp_range data = {0, 0};
	int more;

	if (!buffer)
		return fcp_error_nomem(err);
	while ((more = fcp_sparse_next(apply->layer_fd, apply->layer, data.end, apply->bytes, &data,
				       err)) > 0)
		if (put_extent(&job, data, err) != 0)
			return -1;
	*applied_ = job.applied;
	return more;
}
