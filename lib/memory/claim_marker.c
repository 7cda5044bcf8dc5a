// SPDX-License-Identifier: Apache-2.0
#include "memory/claim_marker.h"

#include "base/cleanup.h"
#include "base/fd_link.h"

#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/sysmacros.h>

/* The initial PID namespace, which sees all processes (PROC_PID_INIT_INO). */
#define FIRST_PID_NAMESPACE "pid:[4026531836]"

static struct flock byte_of(const struct stat *status, short type)
{
	return (struct flock){
		.l_type = type,
		.l_whence = SEEK_SET,
		.l_start = (off_t)((uint64_t)status->st_ino & (INT64_MAX >> 1)),
		.l_len = 1,
	};
}

static bool ends_in(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

/*
 * The path may belong to another mount namespace, or no longer lead to the file. A file that was
 * opened by a temporary name and renamed since is shown as deleted: it is in the same directory.
 */
static bool has_file(int directory, const char *name, const struct stat *status)
{
	struct stat found;

	if (ends_in(name, " (deleted)"))
		return fstat(directory, &found) == 0 && found.st_dev == status->st_dev;
	return fstatat(directory, name, &found, AT_SYMLINK_NOFOLLOW) == 0 &&
	       found.st_dev == status->st_dev && found.st_ino == status->st_ino;
}

/* The directory of the file behind fd, from the path that fd was opened by; -1: unknown. */
static int open_marked_directory(int fd, const struct stat *status)
{
	FCP_CLEANUP(fd) int directory = -1;
	char path[PATH_MAX], *slash;

	fcp_fd_path(fd, path, sizeof(path));
	slash = strrchr(path, '/');
	if (!slash)
		return -1;
	*slash = '\0';
	directory =
		open(slash == path ? "/" : path, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);
	if (directory < 0 || !has_file(directory, slash + 1, status))
		return -1;
	return fcp_steal_fd(&directory);
}

int fcp_claim_marker_set(int fd, const struct stat *status)
{
	FCP_CLEANUP(fd) int directory = open_marked_directory(fd, status);
	struct flock byte = byte_of(status, F_RDLCK);

	if (directory < 0 || fcntl(directory, F_OFD_SETLK, &byte) < 0)
		return -1;
	return fcp_steal_fd(&directory);
}

void fcp_claim_marker_clear(int *marker_fd)
{
	struct flock all = {.l_type = F_UNLCK, .l_whence = SEEK_SET};

	if (*marker_fd < 0)
		return;
	fcntl(*marker_fd, F_OFD_SETLK, &all);
	close(*marker_fd);
	*marker_fd = -1;
}

/* On btrfs /proc/locks shows another device than stat(2), both with the major number 0. */
static bool is_lease_on(const char *line, const struct stat *status)
{
	unsigned dev_major, dev_minor;
	unsigned long inode;

	if (sscanf(line, "%*s LEASE %*s %*s %*s %x:%x:%lu", &dev_major, &dev_minor, &inode) != 3 ||
	    inode != status->st_ino)
		return false;
	return makedev(dev_major, dev_minor) == status->st_dev || major(status->st_dev) == 0;
}

static bool has_lease(FILE *locks, const struct stat *status)
{
	FCP_CLEANUP(free) char *line = NULL;
	size_t room = 0;

	while (getline(&line, &room, locks) > 0)
		if (is_lease_on(line, status))
			return true;
	return false;
}

/* In a child PID namespace, leases held outside are not listed. */
static bool sees_all_locks(void)
{
	char name[32];
	ssize_t length = readlink("/proc/self/ns/pid", name, sizeof(name) - 1);

	name[length > 0 ? length : 0] = '\0';
	return strcmp(name, FIRST_PID_NAMESPACE) == 0;
}

static bool is_backed_by_lease(const struct stat *status)
{
	FCP_CLEANUP(file) FILE *locks = sees_all_locks() ? fopen("/proc/locks", "re") : NULL;

	return !locks || has_lease(locks, status);
}

bool fcp_claim_marker_is_set(int path_fd, const struct stat *status)
{
	FCP_CLEANUP(fd) int directory = open_marked_directory(path_fd, status);
	struct flock byte = byte_of(status, F_WRLCK);

	/* Only asked for: a write lock would conflict with a marker. */
	return directory >= 0 && fcntl(directory, F_OFD_GETLK, &byte) == 0 &&
	       byte.l_type != F_UNLCK && is_backed_by_lease(status);
}
