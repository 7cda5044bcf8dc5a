// SPDX-License-Identifier: Apache-2.0
#include "memory/page_reader.h"

#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/thread.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/uio.h>

#define THREADS_MAX 4
/* For less, starting a second thread takes longer than it saves. */
#define BYTES_PER_THREAD (8 * FCP_MIB)

/* The state that a reader's threads share. */
struct reading {
	const struct fcp_page_reader *reader;
	pthread_mutex_t mutex;
	/* All below under the mutex. */
	size_t next; /* run, and the bytes of it that were handed out */
	uint64_t next_bytes;
	uint64_t position;
	bool failed;
	struct fcp_error error;
};

/* The next pages not yet handed out; false if there are none, or a thread has failed. */
static bool next_batch(struct reading *work, struct fcp_page_batch *batch)
{
	const struct fcp_page_runs *runs = work->reader->runs;

	*batch = (struct fcp_page_batch){0};
	pthread_mutex_lock(&work->mutex);
	batch->position = work->position;
	while (!work->failed && work->next < runs->count && batch->count < FCP_BATCH_PIECES &&
	       batch->bytes < FCP_BATCH_BYTES) {
		const struct fcp_page_run *run = &runs->items[work->next];
		uint64_t start = run->start + work->next_bytes, bytes = run->end - start;

		if (bytes > FCP_BATCH_BYTES - batch->bytes)
			bytes = FCP_BATCH_BYTES - batch->bytes;
		batch->pieces[batch->count++] =
			(struct fcp_page_run){start, start + bytes,
					      run->address + work->next_bytes};
		batch->bytes += bytes;
		work->next_bytes += bytes;
		if (start + bytes == run->end) {
			work->next++;
			work->next_bytes = 0;
		}
	}
	work->position += batch->bytes;
	pthread_mutex_unlock(&work->mutex);
	return batch->count > 0;
}

static int read_failed(const struct fcp_page_reader *reader, int errnum, struct fcp_error *err)
{
	return fcp_error_set(err, FCP_ERR_IO, errnum, "the memory of process %d cannot be read%s",
			     (int)reader->pid, errnum == 0 ? " to its end" : "");
}

static int read_own(const struct fcp_page_batch *batch, unsigned char *pages)
{
	for (size_t i = 0; i < batch->count; i++) {
		size_t bytes = (size_t)(batch->pieces[i].end - batch->pieces[i].start);

		memcpy(pages, (const void *)(uintptr_t)batch->pieces[i].address, bytes);
		pages += bytes;
	}
	return 0;
}

/* A call may be cut short, at the end of a piece or within one. */
int fcp_page_reader_read(const struct fcp_page_reader *reader, const struct fcp_page_batch *batch,
			 unsigned char *pages, struct fcp_error *err)
{
	struct iovec remote[FCP_BATCH_PIECES];
	size_t first = 0, done = 0;

	if (reader->pid == 0)
		return read_own(batch, pages);
	for (size_t i = 0; i < batch->count; i++)
		remote[i] = (struct iovec){(void *)(uintptr_t)batch->pieces[i].address,
					   (size_t)(batch->pieces[i].end - batch->pieces[i].start)};
	while (done < batch->bytes) {
		struct iovec local = {pages + done, batch->bytes - done};
		ssize_t got = process_vm_readv(reader->pid, &local, 1, remote + first,
					       batch->count - first, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return read_failed(reader, got < 0 ? errno : 0, err);
		done += (size_t)got;
		while (first < batch->count && (size_t)got >= remote[first].iov_len)
			got -= (ssize_t)remote[first++].iov_len;
		if (got > 0 && first < batch->count) {
			remote[first].iov_base = (char *)remote[first].iov_base + got;
			remote[first].iov_len -= (size_t)got;
		}
	}
	return 0;
}

static void fail_reading(struct reading *work, const struct fcp_error *error)
{
	pthread_mutex_lock(&work->mutex);
	if (!work->failed)
		work->error = *error;
	work->failed = true;
	pthread_mutex_unlock(&work->mutex);
}

static void *run_batches(void *arg)
{
	struct reading *work = arg;
	/* For the pages, and for what they are compared with. */
	FCP_CLEANUP(free) unsigned char *pages = malloc(2 * FCP_BATCH_BYTES);
	struct fcp_error error;
	struct fcp_page_batch batch;

	if (!pages) {
		fcp_error_nomem(&error);
		fail_reading(work, &error);
		return NULL;
	}
	while (next_batch(work, &batch)) {
		int taken = fcp_cancelled(work->reader->cancel_fd)
				    ? fcp_error_set(&error, FCP_ERR_INTERRUPTED, 0,
						    "%.200s: interrupted", work->reader->name)
				    : work->reader->take(&batch, pages, pages + FCP_BATCH_BYTES,
							 work->reader->arg, &error);

		if (taken != 0) {
			fail_reading(work, &error);
			return NULL;
		}
	}
	return NULL;
}

static unsigned thread_count(const struct fcp_page_reader *reader)
{
	uint64_t paying = reader->runs->bytes / BYTES_PER_THREAD + 1;
	cpu_set_t cpus;
	unsigned count = reader->threads;

	if (count == 0)
		count = sched_getaffinity(0, sizeof(cpus), &cpus) == 0 ? (unsigned)CPU_COUNT(&cpus)
								       : 1;
	if (count > THREADS_MAX)
		count = THREADS_MAX;
	return count > paying ? (unsigned)paying : count;
}

/* This thread works too; alone if no other can be started. */
int fcp_page_reader_run(const struct fcp_page_reader *reader, struct fcp_error *err)
{
	struct reading work = {.reader = reader, .mutex = PTHREAD_MUTEX_INITIALIZER};
	unsigned wanted = thread_count(reader) - 1, started = 0;
	pthread_t threads[THREADS_MAX];

	while (started < wanted && fcp_thread_start(&threads[started], run_batches, &work) == 0)
		started++;
	run_batches(&work);
	for (unsigned i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	if (work.failed)
		*err = work.error;
	return work.failed ? -1 : 0;
}
