// SPDX-License-Identifier: Apache-2.0
#include "memory/writer.h"

#include "base/cleanup.h"
#include "base/deadline.h"
#include "memory/zero.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/uio.h>

/* What a thread reads at a time: it stays in the second-level cache until it is written. */
#define BATCH_BYTES (1 << 20)
/* Pieces of a batch; IOV_MAX is 1024. */
#define BATCH_PIECES 512
#define THREADS_MAX 4
/* Below this a second thread takes longer to start than it saves. */
#define BYTES_PER_THREAD (8 * FCP_MIB)

struct batch {
	struct fcp_page_run pieces[BATCH_PIECES];
	size_t count;
	size_t bytes;
	uint64_t position; /* bytes of runs before it */
};

/* One job, shared by its threads. */
struct work {
	const struct fcp_writer_settings *settings;
	int (*take)(struct work *work, struct batch *batch, unsigned char *pages, unsigned char *base,
		    struct fcp_error *err);
	unsigned char *buffer; /* of fcp_writer_copy() */
	pthread_mutex_t mutex;
	/* All below under the mutex. */
	size_t next; /* run, and the bytes of it that were handed out */
	uint64_t next_bytes;
	uint64_t position;
	bool failed;
	struct fcp_error error;
	struct fcp_writer_result result;
	uint64_t differing;
};

/* ---- batches ---- */

/* The next pages that no thread has; false when there are no more, or one has failed. */
static bool next_batch(struct work *work, struct batch *batch)
{
	const struct fcp_page_runs *runs = work->settings->runs;

	*batch = (struct batch){0};
	pthread_mutex_lock(&work->mutex);
	batch->position = work->position;
	while (!work->failed && work->next < runs->count && batch->count < BATCH_PIECES &&
	       batch->bytes < BATCH_BYTES) {
		const struct fcp_page_run *run = &runs->items[work->next];
		uint64_t start = run->start + work->next_bytes, bytes = run->end - start;

		if (bytes > BATCH_BYTES - batch->bytes)
			bytes = BATCH_BYTES - batch->bytes;
		batch->pieces[batch->count++] = (struct fcp_page_run){
			start, start + bytes, run->address + work->next_bytes};
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

static int read_failed(const struct fcp_writer_settings *settings, int errnum, struct fcp_error *err)
{
	return fcp_error_set(err, FCP_ERR_IO, errnum, "the memory of process %d cannot be read%s",
			     (int)settings->pid, errnum == 0 ? " to its end" : "");
}

static int read_own(const struct batch *batch, unsigned char *pages)
{
	for (size_t i = 0; i < batch->count; i++) {
		size_t bytes = (size_t)(batch->pieces[i].end - batch->pieces[i].start);

		memcpy(pages, (const void *)(uintptr_t)batch->pieces[i].address, bytes);
		pages += bytes;
	}
	return 0;
}

/* A call may end early, at the end of a piece or within one. */
static int read_pages(const struct fcp_writer_settings *settings, const struct batch *batch,
		      unsigned char *pages, struct fcp_error *err)
{
	struct iovec remote[BATCH_PIECES];
	size_t first = 0, done = 0;

	if (settings->pid == 0)
		return read_own(batch, pages);
	for (size_t i = 0; i < batch->count; i++)
		remote[i] = (struct iovec){(void *)(uintptr_t)batch->pieces[i].address,
					   (size_t)(batch->pieces[i].end - batch->pieces[i].start)};
	while (done < batch->bytes) {
		struct iovec local = {pages + done, batch->bytes - done};
		ssize_t got = process_vm_readv(settings->pid, &local, 1, remote + first,
					       batch->count - first, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return read_failed(settings, got < 0 ? errno : 0, err);
		done += (size_t)got;
		while (first < batch->count && (size_t)got >= remote[first].iov_len)
			got -= (ssize_t)remote[first++].iov_len;
		if (got > 0) {
			remote[first].iov_base = (char *)remote[first].iov_base + got;
			remote[first].iov_len -= (size_t)got;
		}
	}
	return 0;
}

static int read_file(int fd, const char *name, const struct fcp_page_run *piece, unsigned char *pages,
		     struct fcp_error *err)
{
	for (uint64_t at = piece->start; at < piece->end;) {
		ssize_t got = pread(fd, pages + (at - piece->start), (size_t)(piece->end - at), (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return fcp_error_set(err, FCP_ERR_IO, got < 0 ? errno : 0, "%.200s: cannot read",
					     name);
		at += (uint64_t)got;
	}
	return 0;
}

/* ---- writing ---- */

static int write_run(const struct fcp_writer_settings *settings, uint64_t start, uint64_t bytes,
		     const unsigned char *pages, struct fcp_error *err)
{
	while (bytes > 0) {
		ssize_t put = pwrite(settings->fd, pages, (size_t)bytes, (off_t)start);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return fcp_error_set(err, FCP_ERR_IO, errno, "%.200s: cannot write",
					     settings->name);
		pages += put;
		start += (uint64_t)put;
		bytes -= (uint64_t)put;
	}
	return 0;
}

static int punch_run(const struct fcp_writer_settings *settings, uint64_t start, uint64_t bytes,
		     struct fcp_error *err)
{
	while (fallocate(settings->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)start,
			 (off_t)bytes) != 0)
		if (errno != EINTR)
			return fcp_error_set(err, FCP_ERR_IO, errno, "%.200s: cannot make a hole",
					     settings->name);
	return 0;
}

/* What becomes of a page. */
enum fate {
	FATE_LEAVE, /* the file has it already */
	FATE_PUNCH, /* zeros where the base has others */
	FATE_WRITE,
};

/* base: the base's page, or NULL where the file began as a hole. */
static enum fate fate_of(const struct fcp_writer_settings *settings, const unsigned char *page,
			 const unsigned char *base, struct fcp_writer_result *counts)
{
	bool zero = fcp_page_is_zero(page);

	if (zero)
		counts->zero_bytes += FCP_PAGE_BYTES;
	if (base ? memcmp(page, base, FCP_PAGE_BYTES) == 0 : zero) {
		if (!zero)
			counts->equal_bytes += FCP_PAGE_BYTES;
		return FATE_LEAVE;
	}
	if (zero && !settings->zeros_are_data)
		return FATE_PUNCH;
	counts->written_bytes += FCP_PAGE_BYTES;
	return FATE_WRITE;
}

static int settle(const struct fcp_writer_settings *settings, enum fate fate, uint64_t start,
		  uint64_t bytes, const unsigned char *pages, struct fcp_error *err)
{
	switch (fate) {
	case FATE_WRITE:
		return write_run(settings, start, bytes, pages, err);
	case FATE_PUNCH:
		return punch_run(settings, start, bytes, err);
	case FATE_LEAVE:
		break;
	}
	return 0;
}

/* Neighbours with the same fate share a call. */
static int settle_piece(const struct fcp_writer_settings *settings, const struct fcp_page_run *piece,
			const unsigned char *pages, const unsigned char *base,
			struct fcp_writer_result *counts, struct fcp_error *err)
{
	uint64_t bytes = piece->end - piece->start, begin = 0;
	enum fate fate = FATE_LEAVE;

	for (uint64_t at = 0; at < bytes; at += FCP_PAGE_BYTES) {
		enum fate next = fate_of(settings, pages + at, base ? base + at : NULL, counts);

		if (next == fate)
			continue;
		if (settle(settings, fate, piece->start + begin, at - begin, pages + begin, err) != 0)
			return -1;
		fate = next;
		begin = at;
	}
	return settle(settings, fate, piece->start + begin, bytes - begin, pages + begin, err);
}

static int write_batch(struct work *work, struct batch *batch, unsigned char *pages,
		       unsigned char *base, struct fcp_error *err)
{
	const struct fcp_writer_settings *settings = work->settings;
	struct fcp_writer_result counts = {.read_bytes = batch->bytes};

	if (read_pages(settings, batch, pages, err) != 0)
		return -1;
	for (size_t i = 0; i < batch->count; i++) {
		const struct fcp_page_run *piece = &batch->pieces[i];

		if (base && read_file(settings->base_fd, "base", piece, base, err) != 0)
			return -1;
		if (settle_piece(settings, piece, pages, base, &counts, err) != 0)
			return -1;
		pages += piece->end - piece->start;
	}
	pthread_mutex_lock(&work->mutex);
	work->result.read_bytes += counts.read_bytes;
	work->result.zero_bytes += counts.zero_bytes;
	work->result.equal_bytes += counts.equal_bytes;
	work->result.written_bytes += counts.written_bytes;
	pthread_mutex_unlock(&work->mutex);
	return 0;
}

/* ---- copying and comparing ---- */

static int copy_batch(struct work *work, struct batch *batch, unsigned char *pages,
		      unsigned char *base, struct fcp_error *err)
{
	(void)pages;
	(void)base;
	return read_pages(work->settings, batch, work->buffer + batch->position, err);
}

static int verify_batch(struct work *work, struct batch *batch, unsigned char *pages,
			unsigned char *written, struct fcp_error *err)
{
	const struct fcp_writer_settings *settings = work->settings;
	uint64_t differing = 0;

	if (read_pages(settings, batch, pages, err) != 0)
		return -1;
	for (size_t i = 0; i < batch->count; i++) {
		const struct fcp_page_run *piece = &batch->pieces[i];
		uint64_t bytes = piece->end - piece->start;

		if (read_file(settings->fd, settings->name, piece, written, err) != 0)
			return -1;
		for (uint64_t at = 0; at < bytes; at += FCP_PAGE_BYTES)
			differing += memcmp(pages + at, written + at, FCP_PAGE_BYTES) != 0;
		pages += bytes;
	}
	pthread_mutex_lock(&work->mutex);
	work->differing += differing;
	pthread_mutex_unlock(&work->mutex);
	return 0;
}

/* ---- threads ---- */

static void fail(struct work *work, const struct fcp_error *error)
{
	pthread_mutex_lock(&work->mutex);
	if (!work->failed)
		work->error = *error;
	work->failed = true;
	pthread_mutex_unlock(&work->mutex);
}

static void *run_batches(void *arg)
{
	struct work *work = arg;
	/* Pages, and as much again for what they are compared with. */
	FCP_CLEANUP(free) unsigned char *pages = malloc(2 * BATCH_BYTES);
	bool compares = work->settings->base_fd >= 0 || work->take == verify_batch;
	struct fcp_error error;
	struct batch batch;

	if (!pages) {
		fcp_error_nomem(&error);
		fail(work, &error);
		return NULL;
	}
	while (next_batch(work, &batch)) {
		int taken = fcp_cancelled(work->settings->cancel_fd)
				    ? fcp_error_set(&error, FCP_ERR_INTERRUPTED, 0, "%.200s: interrupted",
						    work->settings->name)
				    : work->take(work, &batch, pages, compares ? pages + BATCH_BYTES : NULL,
						 &error);

		if (taken != 0) {
			fail(work, &error);
			return NULL;
		}
	}
	return NULL;
}

static unsigned thread_count(const struct fcp_writer_settings *settings)
{
	uint64_t paying = settings->runs->bytes / BYTES_PER_THREAD + 1;
	cpu_set_t cpus;
	unsigned count = settings->threads;

	if (count == 0)
		count = sched_getaffinity(0, sizeof(cpus), &cpus) == 0 ? (unsigned)CPU_COUNT(&cpus) : 1;
	if (count > THREADS_MAX)
		count = THREADS_MAX;
	return count > paying ? (unsigned)paying : count;
}

/* This thread works too; where another cannot be started, alone. */
static int run_threads(struct work *work, struct fcp_error *err)
{
	unsigned wanted = thread_count(work->settings) - 1, started = 0;
	pthread_t threads[THREADS_MAX];
	sigset_t all, before;

	pthread_mutex_init(&work->mutex, NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (started < wanted && pthread_create(&threads[started], NULL, run_batches, work) == 0)
		started++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	run_batches(work);
	for (unsigned i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	pthread_mutex_destroy(&work->mutex);
	if (work->failed)
		*err = work->error;
	return work->failed ? -1 : 0;
}

int fcp_writer_write(const struct fcp_writer_settings *settings, struct fcp_writer_result *result_,
		     struct fcp_error *err)
{
	struct work work = {.settings = settings, .take = write_batch};
	int ran = run_threads(&work, err);

	*result_ = work.result;
	return ran;
}

int fcp_writer_copy(const struct fcp_writer_settings *settings, void *buffer, struct fcp_error *err)
{
	struct work work = {.settings = settings, .take = copy_batch, .buffer = buffer};

	return run_threads(&work, err);
}

int fcp_writer_verify(const struct fcp_writer_settings *settings, uint64_t *differing_,
		      struct fcp_error *err)
{
	struct work work = {.settings = settings, .take = verify_batch};
	int ran = run_threads(&work, err);

	*differing_ = work.differing;
	return ran;
}
