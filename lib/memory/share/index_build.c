// SPDX-License-Identifier: Apache-2.0
#include "memory/share/index.h"

#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/thread.h"
#include "base/units.h"
#include "memory/range.h"
#include "memory/sparse.h"
#include "memory/zero.h"

#include <pthread.h>

#define CHUNK_BYTES FCP_MIB
/* Below this a second thread takes longer to start than it saves. */
#define TWO_THREADS_BYTES (8 * FCP_MIB)

/* One building, shared by its threads. */
struct index_work {
	const struct fcp_share_index_build *build;
	struct fcp_share_index *index;
	const struct fcp_ranges *data;
	pthread_mutex_t mutex;
	/* Under the mutex. */
	size_t next; /* stretch of data, and the bytes of it that were handed out */
	uint64_t next_bytes;
	bool failed;
	struct fcp_error error;
};

/* Whole blocks, as far as they can be numbered. */
static uint64_t end_of_blocks(const struct fcp_share_index_build *build)
{
	uint64_t blocks = build->bytes / FCP_PAGE_BYTES;

	return (blocks < FCP_SHARE_BLOCKS_MAX ? blocks : FCP_SHARE_BLOCKS_MAX) * FCP_PAGE_BYTES;
}

static int find_indexed_data(const struct fcp_share_index_build *build, struct fcp_ranges *data_,
			     struct fcp_error *err)
{
	uint64_t end = end_of_blocks(build);
	struct fcp_range found = {0, 0};
	int more;

	while ((more = fcp_sparse_next_pages(build->fd, build->name, found.end, end, &found, err)) >
	       0) {
		if (fcp_cancelled(build->cancel_fd))
			return fcp_error_set(err, FCP_ERR_INTERRUPTED, 0, "%.200s: interrupted",
					     build->name);
		if (fcp_ranges_add(data_, found.start, found.end, err) != 0)
			return -1;
	}
	return more;
}

static bool next_chunk(struct index_work *work, struct fcp_range *chunk_)
{
	const struct fcp_ranges *data = work->data;
	bool more;

	pthread_mutex_lock(&work->mutex);
	more = !work->failed && work->next < data->count;
	if (more) {
		const struct fcp_range *stretch = &data->items[work->next];

		chunk_->start = stretch->start + work->next_bytes;
		chunk_->end = stretch->end - chunk_->start > CHUNK_BYTES
				      ? chunk_->start + CHUNK_BYTES
				      : stretch->end;
		work->next_bytes += chunk_->end - chunk_->start;
		if (chunk_->end == stretch->end) {
			work->next++;
			work->next_bytes = 0;
		}
	}
	pthread_mutex_unlock(&work->mutex);
	return more;
}

static void *fail_indexing(struct index_work *work, const struct fcp_error *error)
{
	pthread_mutex_lock(&work->mutex);
	if (!work->failed)
		work->error = *error;
	work->failed = true;
	pthread_mutex_unlock(&work->mutex);
	return NULL;
}

static void note_unread(struct index_work *work)
{
	pthread_mutex_lock(&work->mutex);
	work->index->partial = true;
	pthread_mutex_unlock(&work->mutex);
}

/* How much of it could be read. */
static uint64_t read_index_chunk(int fd, struct fcp_range chunk, unsigned char *buffer)
{
	uint64_t held = 0;

	while (held < chunk.end - chunk.start) {
		ssize_t got = pread(fd, buffer + held, chunk.end - chunk.start - held,
				    (off_t)(chunk.start + held));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		held += (uint64_t)got;
	}
	return held;
}

static void *index_chunks(void *arg)
{
	struct index_work *work = arg;
	FCP_CLEANUP(free) unsigned char *buffer = malloc(CHUNK_BYTES);
	struct fcp_error error;
	struct fcp_range chunk;

	if (!buffer) {
		fcp_error_nomem(&error);
		return fail_indexing(work, &error);
	}
	while (next_chunk(work, &chunk)) {
		uint64_t held = read_index_chunk(work->build->fd, chunk, buffer);

		if (held < chunk.end - chunk.start)
			note_unread(work);
		for (uint64_t at = 0; at + FCP_PAGE_BYTES <= held; at += FCP_PAGE_BYTES)
			if (!fcp_page_is_zero(buffer + at))
				fcp_share_index_add(work->index, work->build->hash(buffer + at),
						    (chunk.start + at) / FCP_PAGE_BYTES);
		if (fcp_cancelled(work->build->cancel_fd)) {
			fcp_error_set(&error, FCP_ERR_INTERRUPTED, 0, "%.200s: interrupted",
				      work->build->name);
			return fail_indexing(work, &error);
		}
	}
	return NULL;
}

/* This thread works too; where another cannot be started, alone. */
static int index_in_threads(struct index_work *work, struct fcp_error *err)
{
	pthread_t second;
	bool two = fcp_ranges_bytes(work->data) >= TWO_THREADS_BYTES &&
		   fcp_thread_start(&second, index_chunks, work) == 0;

	index_chunks(work);
	if (two)
		pthread_join(second, NULL);
	if (work->failed)
		*err = work->error;
	return work->failed ? -1 : 0;
}

int fcp_share_index_build(const struct fcp_share_index_build *build, struct fcp_share_index *index_,
			  struct fcp_error *err)
{
	FCP_CLEANUP(ranges) struct fcp_ranges data = {0};
	struct fcp_share_index index = {0};
	struct index_work work = {.build = build,
				  .index = &index,
				  .data = &data,
				  .mutex = PTHREAD_MUTEX_INITIALIZER};

	if (find_indexed_data(build, &data, err) != 0)
		return -1;
	if (data.count > 0) {
		index.slot_count = fcp_share_index_slots(fcp_ranges_bytes(&data) / FCP_PAGE_BYTES);
		index.slots = calloc(index.slot_count, sizeof(*index.slots));
		if (!index.slots)
			return fcp_error_nomem(err);
		if (index_in_threads(&work, err) != 0) {
			fcp_share_index_clear(&index);
			return -1;
		}
	}
	*index_ = index;
	return 0;
}
