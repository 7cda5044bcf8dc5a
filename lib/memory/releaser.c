// SPDX-License-Identifier: Apache-2.0
#include "memory/releaser.h"

#include "base/thread.h"
#include "memory/release.h"

#include <pthread.h>
#include <stdlib.h>

#define WAITING_RANGES 1024

struct fcp_releaser {
	const struct fcp_file *file;
	pthread_t thread;
	bool threaded;
	pthread_mutex_t mutex;
	pthread_cond_t filled;
	pthread_cond_t taken;
	/*
	 * All below under the mutex. The counters only grow; a slot is a counter modulo
	 * WAITING_RANGES.
	 */
	struct fcp_range ranges[WAITING_RANGES];
	uint64_t put;
	uint64_t got;
	bool ended;
	bool failed;
	uint64_t done_bytes;
	struct fcp_error error;
};

static bool next_range(struct fcp_releaser *releaser, struct fcp_range *range_)
{
	bool any;

	pthread_mutex_lock(&releaser->mutex);
	while (releaser->put == releaser->got && !releaser->ended)
		pthread_cond_wait(&releaser->filled, &releaser->mutex);
	any = releaser->put != releaser->got && !releaser->failed;
	if (any) {
		*range_ = releaser->ranges[releaser->got++ % WAITING_RANGES];
		pthread_cond_signal(&releaser->taken);
	}
	pthread_mutex_unlock(&releaser->mutex);
	return any;
}

/* The work is done outside the mutex, on copies: only this thread writes done_bytes. */
static bool release_one(struct fcp_releaser *releaser, struct fcp_range range)
{
	struct fcp_error error = {0};
	uint64_t done_bytes = releaser->done_bytes;
	int result = fcp_release_range(releaser->file, range.start, range.end, &done_bytes, &error);

	pthread_mutex_lock(&releaser->mutex);
	releaser->done_bytes = done_bytes;
	if (result < 0 && !releaser->failed) {
		releaser->failed = true;
		releaser->error = error;
	}
	pthread_cond_signal(&releaser->taken);
	pthread_mutex_unlock(&releaser->mutex);
	return result == 0;
}

static void *release_thread(void *arg)
{
	struct fcp_range range;

	while (next_range(arg, &range))
		if (!release_one(arg, range))
			break;
	return NULL;
}

int fcp_releaser_start(const struct fcp_file *file, struct fcp_releaser **releaser_,
		       struct fcp_error *err)
{
	struct fcp_releaser *releaser = calloc(1, sizeof(*releaser));

	if (!releaser)
		return fcp_error_nomem(err);
	releaser->file = file;
	pthread_mutex_init(&releaser->mutex, NULL);
	pthread_cond_init(&releaser->filled, NULL);
	pthread_cond_init(&releaser->taken, NULL);
	releaser->threaded = fcp_thread_start(&releaser->thread, release_thread, releaser) == 0;
	*releaser_ = releaser;
	return 0;
}

int fcp_releaser_put(uint64_t start, uint64_t end, void *arg, struct fcp_error *err)
{
	struct fcp_releaser *releaser = arg;
	bool failed;

	if (!releaser->threaded && !releaser->failed)
		release_one(releaser, (struct fcp_range){start, end});
	pthread_mutex_lock(&releaser->mutex);
	while (releaser->threaded && !releaser->failed &&
	       releaser->put - releaser->got == WAITING_RANGES)
		pthread_cond_wait(&releaser->taken, &releaser->mutex);
	failed = releaser->failed;
	if (failed)
		*err = releaser->error;
	if (!failed && releaser->threaded) {
		releaser->ranges[releaser->put++ % WAITING_RANGES] = (struct fcp_range){start, end};
		pthread_cond_signal(&releaser->filled);
	}
	pthread_mutex_unlock(&releaser->mutex);
	return failed ? -1 : 0;
}

int fcp_releaser_finish(struct fcp_releaser *releaser, bool drop, uint64_t *done_bytes_,
			struct fcp_error *err)
{
	bool failed;

	pthread_mutex_lock(&releaser->mutex);
	releaser->ended = true;
	if (drop)
		releaser->got = releaser->put;
	pthread_cond_signal(&releaser->filled);
	pthread_mutex_unlock(&releaser->mutex);
	if (releaser->threaded)
		pthread_join(releaser->thread, NULL);

	failed = releaser->failed;
	if (failed && !drop)
		*err = releaser->error;
	*done_bytes_ = releaser->done_bytes;
	pthread_cond_destroy(&releaser->taken);
	pthread_cond_destroy(&releaser->filled);
	pthread_mutex_destroy(&releaser->mutex);
	free(releaser);
	return failed ? -1 : 0;
}
