// SPDX-License-Identifier: Apache-2.0
/* Reports how far Firecracker is with the memory file, while the calling thread waits for it. */
#ifndef FCP_STEPS_SNAPSHOT_WATCH_H
#define FCP_STEPS_SNAPSHOT_WATCH_H

#include "base/observer.h"

#include <pthread.h>

struct fcp_snapshot_watch {
	const struct fcp_observer *observer;
	int fd;		      /* of the file; borrowed */
	uint64_t total_bytes; /* 0: not known */
	int stop_fd;	      /* ends the thread; -1: there is none */
	pthread_t thread;
};

/*
 * Calls on_progress, from a thread of its own, with what the file occupies, until
 * fcp_snapshot_watch_end(). Does nothing for an observer that does not want it; without a thread
 * there is no report.
 */
void fcp_snapshot_watch_begin(struct fcp_snapshot_watch *watch, const struct fcp_observer *observer,
			      int fd, uint64_t total_bytes);

void fcp_snapshot_watch_end(struct fcp_snapshot_watch *watch);

#endif
