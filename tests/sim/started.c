// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "started.h"

#define MAX_STARTED 256

static struct {
	pthread_mutex_t lock;
	struct {
		pid_t pid; /* 0: an empty place */
		pid_t guest_pid;
		int cancel_fd;
		int in_fd;
	} places[MAX_STARTED];
} started = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* With the lock. MAX_STARTED: it is not there. */
static size_t find(pid_t pid)
{
	size_t i = 0;

	while (i < MAX_STARTED && started.places[i].pid != pid)
		i++;
	return i;
}

/* With the lock. MAX_STARTED: it is not there. */
static size_t find_guest(pid_t guest_pid)
{
	size_t i = 0;

	while (i < MAX_STARTED &&
	       (started.places[i].pid == 0 || started.places[i].guest_pid != guest_pid))
		i++;
	return i;
}

/* With the lock. */
static void close_stdin(size_t i)
{
	if (started.places[i].in_fd >= 0)
		close(started.places[i].in_fd);
	started.places[i].in_fd = -1;
}

void started_add(pid_t pid, pid_t guest_pid, int cancel_fd, int in_fd)
{
	size_t i;

	pthread_mutex_lock(&started.lock);
	i = find(0);
	if (i < MAX_STARTED) {
		started.places[i].pid = pid;
		started.places[i].guest_pid = guest_pid;
		started.places[i].cancel_fd = cancel_fd;
		started.places[i].in_fd = in_fd;
	} else if (in_fd >= 0) {
		close(in_fd);
	}
	pthread_mutex_unlock(&started.lock);
}

void started_remove(pid_t pid)
{
	size_t i;

	pthread_mutex_lock(&started.lock);
	i = find(pid);
	if (i < MAX_STARTED) {
		close_stdin(i);
		started.places[i].pid = 0;
	}
	pthread_mutex_unlock(&started.lock);
}

int started_signal(pid_t guest_pid, int signal)
{
	int ret = -1;
	size_t i;

	pthread_mutex_lock(&started.lock);
	i = find_guest(guest_pid);
	if (i < MAX_STARTED) {
		if (signal)
			eventfd_write(started.places[i].cancel_fd, 1);
		ret = kill(started.places[i].pid, signal);
	}
	pthread_mutex_unlock(&started.lock);
	return ret;
}

int started_stdin(pid_t guest_pid)
{
	int fd = -1;
	size_t i;

	pthread_mutex_lock(&started.lock);
	i = find_guest(guest_pid);
	if (i < MAX_STARTED && started.places[i].in_fd >= 0)
		fd = fcntl(started.places[i].in_fd, F_DUPFD_CLOEXEC, 0);
	pthread_mutex_unlock(&started.lock);
	return fd;
}

void started_close_stdin(pid_t guest_pid)
{
	size_t i;

	pthread_mutex_lock(&started.lock);
	i = find_guest(guest_pid);
	if (i < MAX_STARTED)
		close_stdin(i);
	pthread_mutex_unlock(&started.lock);
}
