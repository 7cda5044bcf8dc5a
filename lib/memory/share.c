// SPDX-License-Identifier: Apache-2.0
#include "memory/share.h"

#include "base/units.h"
#include "memory/lease.h"
#include "memory/pages.h"
#include "memory/zero.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>

#define PIECE_BYTES FCP_MIB
#define PIECE_PAGES (PIECE_BYTES / FCP_PAGE_BYTES)

/* A page of a source; NULL: none. */
struct match {
	struct fcp_share_source *source;
	uint64_t block;
};

/* Pages that a source has in a row, from that block on. */
struct span {
	struct fcp_range at; /* of the file */
	struct match from;
};

/* A piece of what fcp_share_put() is to put. */
struct job {
	struct fcp_share_set *set;
	struct fcp_share_window *window;
	const struct fcp_share_put *put;
	struct fcp_range piece;
	bool live[FCP_SHARE_SOURCES_MAX]; /* compared with the file itself, not with its frozen copy */
	uint64_t hashes[PIECE_PAGES];	  /* once they are known */
	bool hashed;
	struct span spans[PIECE_PAGES]; /* in order */
	size_t count;
};

static bool is_off(const struct fcp_share_source *source)
{
	return source->fd < 0 || __atomic_load_n(&source->off, __ATOMIC_RELAXED);
}

static void turn_off(struct fcp_share_source *source)
{
	__atomic_store_n(&source->off, true, __ATOMIC_RELAXED);
}

static bool is_live(const struct job *job, const struct fcp_share_source *source)
{
	return job->live[source - job->set->sources];
}

static const unsigned char *page_at(const struct job *job, uint64_t at)
{
	return job->put->pages + (at - job->put->run.start);
}

/* ---- finding ---- */

static uint64_t hash_at(const struct job *job, uint64_t at)
{
	if (job->hashed)
		return job->hashes[(at - job->piece.start) / FCP_PAGE_BYTES];
	return job->set->hash ? job->set->hash(page_at(job, at)) : fcp_share_hash_block(page_at(job, at));
}

/* By the indexes alone. */
static struct match propose(const struct job *job, uint64_t at)
{
	uint64_t hash = hash_at(job, at);
	struct match found;

	for (size_t i = 0; i < job->set->count; i++) {
		found.source = &job->set->sources[i];
		if (!is_off(found.source) && fcp_share_index_find(&found.source->index, hash, &found.block) &&
		    found.block < found.source->blocks)
			return found;
	}
	return (struct match){0};
}

static bool all_are_live(const struct job *job)
{
	for (size_t i = 0; i < job->set->count; i++)
		if (!is_off(&job->set->sources[i]) && !job->live[i])
			return false;
	return true;
}

static void hash_all(struct job *job)
{
	for (uint64_t at = job->piece.start; at < job->piece.end; at += FCP_PAGE_BYTES)
		job->hashes[(at - job->piece.start) / FCP_PAGE_BYTES] = hash_at(job, at);
	job->hashed = true;
}

/* Has the kernel read, all at once, what will be looked at of files that are not in the page cache. */
static void prefetch(struct job *job)
{
	struct match first = {0};
	uint64_t blocks = 0;

	if (all_are_live(job))
		return;
	hash_all(job);
	for (uint64_t at = job->piece.start; at <= job->piece.end; at += FCP_PAGE_BYTES) {
		struct match next = at < job->piece.end ? propose(job, at) : (struct match){0};

		if (first.source && next.source == first.source && next.block == first.block + blocks) {
			blocks++;
			continue;
		}
		if (first.source && !is_live(job, first.source))
			posix_fadvise(first.source->fd, (off_t)(first.block * FCP_PAGE_BYTES),
				      (off_t)(blocks * FCP_PAGE_BYTES), POSIX_FADV_WILLNEED);
		first = next;
		blocks = 1;
	}
}

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
		if (fcp_pages_read(is_live(job, at.source) ? at.source->live : at.source->fd, at.source->name,
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

/* Does the page go on where the last span ends? Files are laid out in order, so mostly it does. */
static bool goes_on(struct job *job, uint64_t at)
{
	const struct span *last = &job->spans[job->count - 1];
	uint64_t pages = (at - last->at.start) / FCP_PAGE_BYTES;
	uint64_t left = (job->piece.end - at) / FCP_PAGE_BYTES;
	struct match next = {last->from.source, last->from.block + pages};

	/* As much again is read ahead. */
	return is_same(job, next, left < 2 * pages ? left : 2 * pages, page_at(job, at));
}

static struct match look_up(struct job *job, uint64_t at)
{
	uint64_t hash = hash_at(job, at);

	for (size_t i = 0; i < job->set->count; i++) {
		struct match found = {.source = &job->set->sources[i]};

		if (!is_off(found.source) &&
		    fcp_share_index_find(&found.source->index, hash, &found.block) &&
		    is_same(job, found, 1, page_at(job, at)))
			return found;
	}
	return (struct match){0};
}

static void find_spans(struct job *job)
{
	job->count = 0;
	for (uint64_t at = job->piece.start; at < job->piece.end; at += FCP_PAGE_BYTES) {
		bool adjoins = job->count > 0 && job->spans[job->count - 1].at.end == at;
		struct match found;

		if (fcp_page_is_zero(page_at(job, at)))
			continue;
		if (adjoins && goes_on(job, at)) {
			job->spans[job->count - 1].at.end += FCP_PAGE_BYTES;
			continue;
		}
		found = look_up(job, at);
		if (found.source)
			job->spans[job->count++] = (struct span){{at, at + FCP_PAGE_BYTES}, found};
	}
}

static void note_live(struct job *job)
{
	for (size_t i = 0; i < job->set->count; i++)
		job->live[i] = __atomic_load_n(&job->set->sources[i].is_live, __ATOMIC_ACQUIRE);
}

/* Was what the spans were compared with what was frozen? Else the file is let go of, to whoever waits for
 * it, and is not looked at again. */
static bool were_live(struct job *job)
{
	bool held = true;

	for (size_t i = 0; i < job->set->count; i++) {
		struct fcp_share_source *source = &job->set->sources[i];

		if (!job->live[i] || fcp_lease_is_held_reading(source->live))
			continue;
		__atomic_store_n(&source->is_live, false, __ATOMIC_RELEASE);
		fcp_lease_drop(source->live);
		job->window->source = NULL;
		held = false;
	}
	return held;
}

static void find_all(struct job *job)
{
	do {
		note_live(job);
		prefetch(job);
		find_spans(job);
	} while (!were_live(job));
}

/* ---- storing ---- */

/* 0, or an errno. */
static int clone_span(const struct job *job, const struct span *span)
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

/* Before anything is written: a clone waits until pages of its neighbourhood that were written are on the
 * disk. Spans that are short, or cannot be cloned, are dropped. */
static int clone_spans(struct job *job, uint64_t *shared_bytes, struct fcp_error *err)
{
	size_t kept = 0;

	for (size_t i = 0; i < job->count; i++) {
		const struct span *span = &job->spans[i];
		uint64_t bytes = span->at.end - span->at.start;
		int errnum;

		if (bytes < job->set->min_run_bytes || is_off(span->from.source))
			continue;
		errnum = clone_span(job, span);
		if (errnum == ENOSPC || errnum == EDQUOT || errnum == EIO)
			return fcp_error_set(err, FCP_ERR_IO, errnum, "%.200s: cannot share storage",
					     job->put->name);
		if (errnum != 0) {
			turn_off(span->from.source);
			continue;
		}
		*shared_bytes += bytes;
		__atomic_fetch_add(&span->from.source->shared_bytes, bytes, __ATOMIC_RELAXED);
		job->spans[kept++] = *span;
	}
	job->count = kept;
	return 0;
}

static int write_rest(const struct job *job, struct fcp_error *err)
{
	struct fcp_range rest = {job->piece.start, job->piece.start};

	for (size_t i = 0; i <= job->count; i++) {
		rest.end = i < job->count ? job->spans[i].at.start : job->piece.end;
		if (rest.start < rest.end && fcp_pages_write(job->put->fd, job->put->name, rest,
							     page_at(job, rest.start), err) != 0)
			return -1;
		if (i < job->count)
			rest.start = job->spans[i].at.end;
	}
	return 0;
}

int fcp_share_put(struct fcp_share_set *set, struct fcp_share_window *window,
		  const struct fcp_share_put *put, uint64_t *shared_bytes_, struct fcp_error *err)
{
	struct job job = {.set = set, .window = window, .put = put};

	*shared_bytes_ = 0;
	for (uint64_t at = put->run.start; at < put->run.end; at = job.piece.end) {
		job.piece.start = at;
		job.piece.end = put->run.end - at > PIECE_BYTES ? at + PIECE_BYTES : put->run.end;
		job.hashed = false;
		find_all(&job);
		if (clone_spans(&job, shared_bytes_, err) != 0 || (!put->there && write_rest(&job, err) != 0))
			return -1;
	}
	return 0;
}
