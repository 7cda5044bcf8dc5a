// SPDX-License-Identifier: Apache-2.0
#include "memory/share/job.h"

#include "memory/pages.h"

#include <errno.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

/* 0, or an errno. */
static int clone_span(const struct fcp_share_job *job, const struct fcp_share_span *span)
{
	struct file_clone_range range = {.src_fd = span->from.source->fd,
					 .src_offset = span->from.block * FCP_PAGE_BYTES,
					 .src_length = span->at.end - span->at.start,
					 .dest_offset = span->at.start};

	while (ioctl(job->put->fd, FICLONERANGE, &range) != 0)
		if (errno != EINTR)
			return errno;
	return 0;
}

/*
 * Before anything is written: a clone waits until pages of its neighbourhood that were written are
 * on the disk. Spans that are short, or cannot be cloned, are dropped.
 */
static int clone_spans(struct fcp_share_job *job, uint64_t *shared_bytes, struct fcp_error *err)
{
	size_t kept = 0;

	for (size_t i = 0; i < job->count; i++) {
		const struct fcp_share_span *span = &job->spans[i];
		uint64_t bytes = span->at.end - span->at.start;
		int errnum;

		if (bytes < job->set->min_run_bytes || fcp_share_is_off(span->from.source))
			continue;
		errnum = clone_span(job, span);
		if (errnum == ENOSPC || errnum == EDQUOT || errnum == EIO)
			return fcp_error_set(err, FCP_ERR_IO, errnum,
					     "%.200s: cannot share storage", job->put->name);
		if (errnum != 0) {
			fcp_share_turn_off(span->from.source);
			continue;
		}
		*shared_bytes += bytes;
		__atomic_fetch_add(&span->from.source->shared_bytes, bytes, __ATOMIC_RELAXED);
		job->spans[kept++] = *span;
	}
	job->count = kept;
	return 0;
}

static int write_rest(const struct fcp_share_job *job, struct fcp_error *err)
{
	struct fcp_range rest = {job->piece.start, job->piece.start};

	for (size_t i = 0; i <= job->count; i++) {
		rest.end = i < job->count ? job->spans[i].at.start : job->piece.end;
		if (rest.start < rest.end &&
		    fcp_pages_write(job->put->fd, job->put->name, rest,
				    fcp_share_page_at(job, rest.start), err) != 0)
			return -1;
		if (i < job->count)
			rest.start = job->spans[i].at.end;
	}
	return 0;
}

int fcp_share_put(struct fcp_share_set *set, struct fcp_share_window *window,
		  const struct fcp_share_put *put, uint64_t *shared_bytes_, struct fcp_error *err)
{
	struct fcp_share_job job = {.set = set, .window = window, .put = put};

	*shared_bytes_ = 0;
	for (uint64_t at = put->run.start; at < put->run.end; at = job.piece.end) {
		job.piece.start = at;
		job.piece.end = put->run.end - at > FCP_SHARE_PIECE_BYTES
					? at + FCP_SHARE_PIECE_BYTES
					: put->run.end;
		job.hashed = false;
		fcp_share_find(&job);
		if (clone_spans(&job, shared_bytes_, err) != 0 ||
		    (!put->there && write_rest(&job, err) != 0))
			return -1;
	}
	return 0;
}
