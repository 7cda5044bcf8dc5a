// SPDX-License-Identifier: Apache-2.0
#include "steps/snapshot/watch.h"

#include "base/thread.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define WATCH_EVERY_MS 100
#define BLOCK_BYTES 512 /* of st_blocks, stat(2) */

static void report(const struct fcp_snapshot_watch *watch)
{
	struct fcp_progress progress = {.step = "snapshot", .total_bytes = watch->total_bytes};
	struct stat file;

	if (fstat(watch->fd, &file) != 0)
		return;
	progress.done_bytes = (uint64_t)file.st_blocks * BLOCK_BYTES;
	/* A file system counts blocks of its own too. */
	if (progress.total_bytes != 0 && progress.done_bytes > progress.total_bytes)
		progress.done_bytes = progress.total_bytes;
	watch->observer->on_progress(&progress, watch->observer->arg);
}

static void *watch_file(void *arg)
{
	const struct fcp_snapshot_watch *watch = arg;
	struct pollfd stop = {watch->stop_fd, POLLIN, 0};

	while (poll(&stop, 1, WATCH_EVERY_MS) == 0)
		report(watch);
	return NULL;
}

void fcp_snapshot_watch_begin(struct fcp_snapshot_watch *watch, const struct fcp_observer *observer,
			      int fd, uint64_t total_bytes)
{
	*watch = (struct fcp_snapshot_watch){.observer = observer,
					     .fd = fd,
					     .total_bytes = total_bytes,
					     .stop_fd = -1};
	if (!FCP_OBSERVES(observer, on_progress) || fd < 0)
		return;
	watch->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (watch->stop_fd >= 0 && fcp_thread_start(&watch->thread, watch_file, watch) != 0) {
		close(watch->stop_fd);
		watch->stop_fd = -1;
	}
}

void fcp_snapshot_watch_end(struct fcp_snapshot_watch *watch)
{
	if (watch->stop_fd < 0)
		return;
	eventfd_write(watch->stop_fd, 1);
	pthread_join(watch->thread, NULL);
	close(watch->stop_fd);
	watch->stop_fd = -1;
}
