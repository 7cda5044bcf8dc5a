// SPDX-License-Identifier: Apache-2.0
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>

#include "started.h"

#define MAX_STARTED 256

static struct {
	pthread_mutex_t lock;
	struct {
		pid_t pid; /* 0: an empty place */
		pid_t guest_pid;
		int cancel_fd;
	} places[MAX_STARTED];
} started = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* With the lock. MAX_STARTED: it is not there. */
static size_t find(pid_t pid)
{
	size_t i = 0;

	while (i < MAX_STARTED && started.places[i].pid != pid)
		i++;
	return i;
}

void started_add(pid_t pid, pid_t guest_pid, int cancel_fd)
{
	size_t i;

	pthread_mutex_lock(&started.lock);
	i = find(0);
	if (i < MAX_STARTED) {
		started.places[i].pid = pid;
		started.places[i].guest_pid = guest_pid;
		started.places[i].cancel_fd = cancel_fd;
	}
	pthread_mutex_unlock(&started.lock);
}

void started_remove(pid_t pid)
{
	size_t i;

	pthread_mutex_lock(&started.lock);
	i = find(pid);
	if (i < MAX_STARTED)
		started.places[i].pid = 0;
	pthread_mutex_unlock(&started.lock);
}

int started_signal(pid_t guest_pid, int signal)
{
	int ret = -1;
	size_t i = 0;

	pthread_mutex_lock(&started.lock);
	while (i < MAX_STARTED &&
	       (started.places[i].pid == 0 || started.places[i].guest_pid != guest_pid))
		i++;
	if (i < MAX_STARTED) {
		if (signal)
			eventfd_write(started.places[i].cancel_fd, 1);
		ret = kill(started.places[i].pid, signal);
	}
	pthread_mutex_unlock(&started.lock);
	return ret;
}
