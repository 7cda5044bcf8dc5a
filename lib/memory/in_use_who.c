// SPDX-License-Identifier: Apache-2.0
/* Identifies a process that uses a file. */
#include "base/cleanup.h"
#include "memory/in_use_process.h"

#include <fcntl.h>
#include <string.h>

#define GENERATIONS_MAX 64

/* The parent of the process behind proc, 0 if unknown. stat: "PID (COMM) STATE PPID ..." */
static pid_t parent_process_of(int proc)
{
	FCP_CLEANUP(fd) int fd = openat(proc, "stat", O_RDONLY | O_CLOEXEC);
	char text[256], *end;
	ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	int parent;

	text[got > 0 ? got : 0] = '\0';
	end = strrchr(text, ')');
	return end && sscanf(end + 1, " %*c %d", &parent) == 1 ? (pid_t)parent : 0;
}

static bool descends_from_us(int proc)
{
	pid_t parent = parent_process_of(proc);

	for (int i = 0; i < GENERATIONS_MAX && parent > 1; i++) {
		FCP_CLEANUP(fd) int next = -1;
		char path[32];

		if (parent == getpid())
			return true;
		snprintf(path, sizeof(path), "/proc/%d", (int)parent);
		next = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		parent = next < 0 ? 0 : parent_process_of(next);
	}
	return false;
}

static bool get_exe(int dirfd, const char *path, struct statx *status_)
{
	return statx(dirfd, path, AT_STATX_DONT_SYNC, STATX_BASIC_STATS, status_) == 0;
}

bool fcp_process_is_fork(int proc)
{
	struct statx ours, theirs;

	return get_exe(proc, "exe", &theirs) && get_exe(AT_FDCWD, "/proc/self/exe", &ours) &&
	       ours.stx_ino == theirs.stx_ino && ours.stx_dev_major == theirs.stx_dev_major &&
	       ours.stx_dev_minor == theirs.stx_dev_minor && descends_from_us(proc);
}

void fcp_process_comm(int proc, char *comm_, size_t bytes)
{
	FCP_CLEANUP(fd) int fd = openat(proc, "comm", O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, comm_, bytes - 1);

	/*
	 * The kernel appends the newline; the rest is chosen by the process, and must not reach a
	 * terminal unfiltered.
	 */
	comm_[got > 0 ? got - 1 : 0] = '\0';
	for (char *c = comm_; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}
