// SPDX-License-Identifier: Apache-2.0
#include "memory/share/job.h"

#include "memory/lease.h"
#include "memory/pages.h"
#include "memory/zero.h"

#include <fcntl.h>
#include <string.h>

static bool is_live(const struct fcp_share_job *job, const struct fcp_share_source *source)
{
	return job->live[source - job->set->sources];
}

static uint64_t hash_at(const struct fcp_share_job *job, uint64_t at)
{
	if (job->hashed)
		return job->hashes[(at - job->piece.start) / FCP_PAGE_BYTES];
	return fcp_share_hash_of(job->set, fcp_share_page_at(job, at));
}

/* By the indexes alone. */
static struct fcp_share_match propose_match(const struct fcp_share_job *job, uint64_t at)
{
	uint64_t hash = hash_at(job, at);
	struct fcp_share_match found;

	for (size_t i = 0; i < job->set->count; i++) {
		found.source = &job->set->sources[i];
		if (!fcp_share_is_off(found.source) &&
		    fcp_share_index_find(&found.source->index, hash, &found.block) &&
		    found.block < found.source->blocks)
			return found;
	}
	return (struct fcp_share_match){0};
}

static bool all_are_live(const struct fcp_share_job *job)
{
	for (size_t i = 0; i < job->set->count; i++)
		if (!fcp_share_is_off(&job->set->sources[i]) && !job->live[i])
			return false;
	return true;
}

static void hash_all(struct fcp_share_job *job)
{
	for (uint64_t at = job->piece.start; at < job->piece.end; at += FCP_PAGE_BYTES)
		job->hashes[(at - job->piece.start) / FCP_PAGE_BYTES] = hash_at(job, at);
	job->hashed = true;
}

/*
 * Has the kernel read, all at once, what will be looked at of files that are not in the page cache.
 */
static void prefetch_piece(struct fcp_share_job *job)
{
	struct fcp_share_match first = {0};
	uint64_t blocks = 0;

	if (all_are_live(job))
		return;
	hash_all(job);
	for (uint64_t at = job->piece.start; at <= job->piece.end; at += FCP_PAGE_BYTES) {
		struct fcp_share_match next =
			at < job->piece.end ? propose_match(job, at) : (struct fcp_share_match){0};

		if (first.source && next.source == first.source &&
		    next.block == first.block + blocks) {
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

/*
 * The block's bytes; count: how many are wanted from there on. NULL where there is no such block.
 */
static const unsigned char *look_at(struct fcp_share_job *job, struct fcp_share_match at,
				    uint64_t count)
{
	struct fcp_share_window *window = job->window;
	struct fcp_error ignored;

	if (fcp_share_is_off(at.source) || at.block >= at.source->blocks)
		return NULL;
	if (window->source != at.source || at.block < window->start || at.block >= window->end) {
		if (count > FCP_SHARE_WINDOW_BYTES / FCP_PAGE_BYTES)
			count = FCP_SHARE_WINDOW_BYTES / FCP_PAGE_BYTES;
		if (count > at.source->blocks - at.block)
			count = at.source->blocks - at.block;
		window->source = at.source;
		window->start = at.block;
		window->end = at.block + count;
		if (fcp_pages_read(is_live(job, at.source) ? at.source->live : at.source->fd,
				   at.source->file.name,
				   (struct fcp_range){window->start * FCP_PAGE_BYTES,
						      window->end * FCP_PAGE_BYTES},
				   window->bytes, &ignored) != 0) {
			window->source = NULL;
			fcp_share_turn_off(at.source);
			return NULL;
		}
	}
	return window->bytes + (at.block - window->start) * FCP_PAGE_BYTES;
}

static bool is_same(struct fcp_share_job *job, struct fcp_share_match at, uint64_t count,
		    const unsigned char *page)
{
	const unsigned char *block = look_at(job, at, count);

	return block && memcmp(block, page, FCP_PAGE_BYTES) == 0;
}

/* Does the page go on where the last span ends? Files are laid out in order, so mostly it does. */
static bool goes_on(struct fcp_share_job *job, uint64_t at)
{
	const struct fcp_share_span *last = &job->spans[job->count - 1];
	uint64_t pages = (at - last->at.start) / FCP_PAGE_BYTES;
	uint64_t left = (job->piece.end - at) / FCP_PAGE_BYTES;
	struct fcp_share_match next = {last->from.source, last->from.block + pages};

	/* As much again is read ahead. */
	return is_same(job, next, left < 2 * pages ? left : 2 * pages, fcp_share_page_at(job, at));
}

static struct fcp_share_match look_up(struct fcp_share_job *job, uint64_t at)
{
	uint64_t hash = hash_at(job, at);

	for (size_t i = 0; i < job->set->count; i++) {
		struct fcp_share_match found = {.source = &job->set->sources[i]};

		if (!fcp_share_is_off(found.source) &&
		    fcp_share_index_find(&found.source->index, hash, &found.block) &&
		    is_same(job, found, 1, fcp_share_page_at(job, at)))
			return found;
	}
	return (struct fcp_share_match){0};
}

static void find_spans(struct fcp_share_job *job)
{
	job->count = 0;
	for (uint64_t at = job->piece.start; at < job->piece.end; at += FCP_PAGE_BYTES) {
		bool adjoins = job->count > 0 && job->spans[job->count - 1].at.end == at;
		struct fcp_share_match found;

		if (fcp_page_is_zero(fcp_share_page_at(job, at)))
			continue;
		if (adjoins && goes_on(job, at)) {
			job->spans[job->count - 1].at.end += FCP_PAGE_BYTES;
			continue;
		}
		found = look_up(job, at);
		if (found.source)
			job->spans[job->count++] =
				(struct fcp_share_span){{at, at + FCP_PAGE_BYTES}, found};
	}
}

static void note_live(struct fcp_share_job *job)
{
	for (size_t i = 0; i < job->set->count; i++)
		job->live[i] = __atomic_load_n(&job->set->sources[i].is_live, __ATOMIC_ACQUIRE);
}

/*
 * Was what the spans were compared with what was frozen? Else the file is let go of, to whoever
 * waits for it, and is not looked at again.
 */
static bool were_live(struct fcp_share_job *job)
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

void fcp_share_find(struct fcp_share_job *job)
{
	do {
		note_live(job);
		prefetch_piece(job);
		find_spans(job);
	} while (!were_live(job));
}
