// SPDX-License-Identifier: Apache-2.0
#include "memory/share.h"

#include "base/units.h"
#include "memory/pages.h"
#include "memory/zero.h"

#include <errno.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>

/* A page of a source; NULL: none. */
struct match {
	struct fcp_share_source *source;
	uint64_t block;
};

/* One call of fcp_share_put(). */
struct job {
	struct fcp_share_set *set;
	struct fcp_share_window *window;
	const struct fcp_share_put *put;
	uint64_t shared_bytes;
	uint64_t unwritten;    /* where what has to be written begins: an offset of the file */
	struct fcp_range span; /* pages that a source has in a row ... */
	struct match from;     /* ... from this block on; without a source the span is empty */
};

static bool is_off(const struct fcp_share_source *source)
{
	return source->fd < 0 || __atomic_load_n(&source->off, __ATOMIC_RELAXED);
}

static void turn_off(struct fcp_share_source *source)
{
	__atomic_store_n(&source->off, true, __ATOMIC_RELAXED);
}

static const unsigned char *page_at(const struct job *job, uint64_t at)
{
	return job->put->pages + (at - job->put->run.start);
}

/* ---- finding ---- */

/* The block's bytes; count: how many are wanted from there on. NULL where there is no such block. */
static const unsigned char *look_at(struct job *job, struct match at, uint64_t count)
{
	struct fcp_share_window *window = job->window;
	struct fcp_error ignored;

	if (is_off(at.source) || at.block >= at.source->blocks)
		return NULL;
	if (window->source != at.source || at.block < window->start || at.block >= window->end) {
		if (count > FCP_SHARE_WINDOW_BYTES / FCP_PAGE_BYTES)
			count = FCP_SHARE_WINDOW_BYTES / FCP_PAGE_BYTES;
		if (count > at.source->blocks - at.block)
			count = at.source->blocks - at.block;
		window->source = at.source;
		window->start = at.block;
		window->end = at.block + count;
		if (fcp_pages_read(at.source->fd, at.source->name,
				   (struct fcp_range){window->start * FCP_PAGE_BYTES,
						      window->end * FCP_PAGE_BYTES},
				   window->bytes, &ignored) != 0) {
			window->source = NULL;
			turn_off(at.source);
			return NULL;
		}
	}
	return window->bytes + (at.block - window->start) * FCP_PAGE_BYTES;
}

static bool is_same(struct job *job, struct match at, uint64_t count, const unsigned char *page)
{
	const unsigned char *block = look_at(job, at, count);

	return block && memcmp(block, page, FCP_PAGE_BYTES) == 0;
}

/* Does the page go on where the span ends? Files are read and laid out in order, so mostly it does. */
static bool goes_on(struct job *job, uint64_t at)
{
	uint64_t pages = (job->span.end - job->span.start) / FCP_PAGE_BYTES;
	uint64_t left = (job->put->run.end - at) / FCP_PAGE_BYTES;
	struct match next = job->from;

	next.block += pages;
	return next.source && is_same(job, next, left < 2 * pages ? left : 2 * pages, page_at(job, at));
}

static struct match look_up(struct job *job, uint64_t at)
{
	fcp_share_hash *hash = job->set->hash ? job->set->hash : fcp_share_hash_block;
	const unsigned char *page = page_at(job, at);
	uint64_t value = hash(page);

	for (size_t i = 0; i < job->set->count; i++) {
		struct match found = {.source = &job->set->sources[i]};

		if (!is_off(found.source) &&
		    fcp_share_index_find(&found.source->index, value, &found.block) &&
		    is_same(job, found, 1, page))
			return found;
	}
	return (struct match){0};
}

/* ---- storing ---- */

static int write_until(struct job *job, uint64_t end, struct fcp_error *err)
{
	struct fcp_range run = {job->unwritten, end};

	job->unwritten = end;
	if (run.start == run.end || job->put->there)
		return 0;
	return fcp_pages_write(job->put->fd, job->put->name, run, page_at(job, run.start), err);
}

/* 0, or an errno. */
static int clone_span(const struct job *job)
{
	struct file_clone_range range = {.src_fd = job->from.source->fd,
					 .src_offset = job->from.block * FCP_PAGE_BYTES,
					 .src_length = job->span.end - job->span.start,
					 .dest_offset = job->span.start};

	while (ioctl(job->put->fd, FICLONERANGE, &range) != 0)
		if (errno != EINTR)
			return errno;
	return 0;
}

/* Ends the span: cloned; or left to be written with what comes next, where it is short or cannot be. */
static int end_span(struct job *job, struct fcp_error *err)
{
	struct fcp_share_source *source = job->from.source;
	struct fcp_range span = job->span;
	int errnum;

	if (!source)
		return 0;
	if (span.end - span.start >= job->set->min_run_bytes) {
		if (write_until(job, span.start, err) != 0)
			return -1;
		errnum = clone_span(job);
		if (errnum == ENOSPC || errnum == EDQUOT || errnum == EIO)
			return fcp_error_set(err, FCP_ERR_IO, errnum, "%.200s: cannot share storage",
					     job->put->name);
		if (errnum == 0) {
			job->unwritten = span.end;
			job->shared_bytes += span.end - span.start;
			__atomic_fetch_add(&source->shared_bytes, span.end - span.start, __ATOMIC_RELAXED);
		} else {
			turn_off(source);
		}
	}
	job->from.source = NULL;
	return 0;
}

static int take_page(struct job *job, uint64_t at, struct fcp_error *err)
{
	bool zero = fcp_page_is_zero(page_at(job, at));

	if (!zero && goes_on(job, at)) {
		job->span.end += FCP_PAGE_BYTES;
		return 0;
	}
	if (end_span(job, err) != 0)
		return -1;
	if (zero)
		return 0;
	job->from = look_up(job, at);
	job->span = (struct fcp_range){at, at + FCP_PAGE_BYTES};
	return 0;
}

int fcp_share_put(struct fcp_share_set *set, struct fcp_share_window *window,
		  const struct fcp_share_put *put, uint64_t *shared_bytes_, struct fcp_error *err)
{
	struct job job = {.set = set, .window = window, .put = put, .unwritten = put->run.start};

	for (uint64_t at = put->run.start; at < put->run.end; at += FCP_PAGE_BYTES)
		if (take_page(&job, at, err) != 0)
			return -1;
	if (end_span(&job, err) != 0 || write_until(&job, put->run.end, err) != 0)
		return -1;
	*shared_bytes_ = job.shared_bytes;
	return 0;
}
