// SPDX-License-Identifier: Apache-2.0
#include "memory/claim_sign.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/sysmacros.h>

/* The PID namespace that sees all processes has this number (PROC_PID_INIT_INO). */
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

/* The directory that has the file behind fd under the name by which fd was opened; -1: unknown. */
static int open_directory(int fd, const struct stat *status)
{
	FCP_CLEANUP(fd) int directory = -1;
	char link[40], path[PATH_MAX], *slash;
	struct stat named;
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path) - 1);
	path[length > 0 ? length : 0] = '\0';
	slash = strrchr(path, '/');
	if (!slash)
		return -1;
	*slash = '\0';
	directory = open(slash == path ? "/" : path,
			 O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);
	/* The path may be of another mount namespace, or no longer lead there. */
	if (directory < 0 || fstatat(directory, slash + 1, &named, AT_SYMLINK_NOFOLLOW) != 0 ||
	    named.st_dev != status->st_dev || named.st_ino != status->st_ino)
		return -1;
	return fcp_steal_fd(&directory);
}

int fcp_claim_sign_show(int fd, const struct stat *status)
{
	FCP_CLEANUP(fd) int directory = open_directory(fd, status);
	struct flock byte = byte_of(status, F_RDLCK);

	if (directory < 0 || fcntl(directory, F_OFD_SETLK, &byte) < 0)
		return -1;
	return fcp_steal_fd(&directory);
}

void fcp_claim_sign_take_down(int *sign_fd)
{
	struct flock all = {.l_type = F_UNLCK, .l_whence = SEEK_SET};

	if (*sign_fd < 0)
		return;
	fcntl(*sign_fd, F_OFD_SETLK, &all);
	close(*sign_fd);
	*sign_fd = -1;
}

/* btrfs has another device in /proc/locks than in stat(2), both with the major number 0. */
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

/* In a PID namespace of our own a lease of outside is not listed. */
static bool sees_all_locks(void)
{
	char name[32];
	ssize_t length = readlink("/proc/self/ns/pid", name, sizeof(name) - 1);

	name[length > 0 ? length : 0] = '\0';
	return strcmp(name, FIRST_PID_NAMESPACE) == 0;
}

static bool is_true(const struct stat *status)
{
	FCP_CLEANUP(file) FILE *locks = sees_all_locks() ? fopen("/proc/locks", "re") : NULL;

	return !locks || has_lease(locks, status);
}

bool fcp_claim_sign_seen(int path_fd, const struct stat *status)
{
	FCP_CLEANUP(fd) int directory = open_directory(path_fd, status);
	struct flock byte = byte_of(status, F_WRLCK);

	/* A write lock would be in the way of a sign. */
	return directory >= 0 && fcntl(directory, F_OFD_GETLK, &byte) == 0 &&
	       byte.l_type != F_UNLCK && is_true(status);
}
