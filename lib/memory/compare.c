// SPDX-License-Identifier: Apache-2.0
#include "memory/compare.h"

#include "base/cleanup.h"
#include "memory/page_reader.h"
#include "memory/pages.h"
#include "memory/zero.h"

#include <pthread.h>
#include <string.h>

struct compare_job {
	const struct fcp_compare *compare;
	struct fcp_page_reader reader;
	pthread_mutex_t mutex;
	struct fcp_found_ranges *found; /* under the mutex */
};

/* base: the base's page; NULL if page is the base's own. */
static unsigned kind_of(unsigned find, const unsigned char *page, const unsigned char *base)
{
	if ((find & FCP_FIND_ZERO) && fcp_page_is_zero(page))
		return FCP_FIND_ZERO;
	return !base || memcmp(page, base, FCP_PAGE_BYTES) == 0 ? FCP_FIND_BASE : FCP_FIND_CHANGED;
}

static int add_piece(const struct fcp_compare *compare, const struct fcp_page_run *piece,
		     const unsigned char *pages, const unsigned char *base,
		     struct fcp_found_ranges *found, struct fcp_error *err)
{
	for (uint64_t at = piece->start; at < piece->end; at += FCP_PAGE_BYTES) {
		uint64_t done = at - piece->start;
		unsigned kind = kind_of(compare->find, pages + done, base ? base + done : NULL);

		if ((compare->find & kind) &&
		    fcp_found_add(found, at, at + FCP_PAGE_BYTES, kind, err) != 0)
			return -1;
	}
	return 0;
}

static int add_found(struct compare_job *job, const struct fcp_found_ranges *found,
		     struct fcp_error *err)
{
	int added;

	pthread_mutex_lock(&job->mutex);
	added = fcp_found_append(job->found, found, err);
	pthread_mutex_unlock(&job->mutex);
	return added;
}

/* The batch's pages of the file; zeros without a file. */
static int read_file(const struct fcp_compare *compare, const struct fcp_page_batch *batch,
		     unsigned char *pages, struct fcp_error *err)
{
	if (!compare->file) {
		memset(pages, 0, batch->bytes);
		return 0;
	}
	if (fcp_file_poll(compare->file, err) != 0)
		return -1;
	for (size_t i = 0; i < batch->count; i++) {
		struct fcp_range range = {batch->pieces[i].start, batch->pieces[i].end};

		if (fcp_pages_read(compare->file->fd, compare->file->name, range, pages, err) != 0)
			return -1;
		pages += range.end - range.start;
	}
	return 0;
}

/* Zeros are recognised without the base. */
static bool needs_base(const struct fcp_compare *compare)
{
	return compare->base && (compare->find & FCP_FIND_BY_BASE) != 0;
}

static int compare_batch(const struct fcp_page_batch *batch, unsigned char *pages,
			 unsigned char *base, void *arg, struct fcp_error *err)
{
	struct compare_job *job = arg;
	const struct fcp_compare *compare = job->compare;
	bool with_base = needs_base(compare);
	FCP_CLEANUP(found) struct fcp_found_ranges found = {0};

	if ((job->reader.pid ? fcp_page_reader_read(&job->reader, batch, pages, err)
			     : read_file(compare, batch, pages, err)) != 0)
		return -1;
	for (size_t i = 0; i < batch->count; i++) {
		const struct fcp_page_run *piece = &batch->pieces[i];

		if (with_base &&
		    fcp_pages_read(compare->base->fd, compare->base->name,
				   (struct fcp_range){piece->start, piece->end}, base, err) != 0)
			return -1;
		if (add_piece(compare, piece, pages, with_base ? base : NULL, &found, err) != 0)
			return -1;
		pages += piece->end - piece->start;
	}
	return add_found(job, &found, err);
}

int fcp_compare_runs(const struct fcp_compare *compare, pid_t pid, const struct fcp_page_runs *runs,
		     struct fcp_found_ranges *found, struct fcp_error *err)
{
	struct compare_job job = {.compare = compare,
				  .mutex = PTHREAD_MUTEX_INITIALIZER,
				  .found = found,
				  .reader = {.pid = pid,
					     .runs = runs,
					     .name = "guest memory",
					     .cancel_fd = compare->cancel_fd,
					     .take = compare_batch,
					     .arg = &job}};

	return fcp_page_reader_run(&job.reader, err);
}
