// SPDX-License-Identifier: Apache-2.0
#include "memory/lease.h"

#include "base/cleanup.h"
#include "base/deadline.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <sys/vfs.h>

#define XFS_MAGIC 0x58465342
#define TRIES 5
#define BREAK_SECONDS 45 /* the kernel's default */

static bool set_lease(int fd, int kind)
{
	/*
	 * A lease break sends SIGIO, which kills by default. SIGURG is ignored by default, and
	 * without an owner no signal is sent: we poll F_GETLEASE.
	 */
	if (fcntl(fd, F_SETSIG, SIGURG) < 0 || fcntl(fd, F_SETLEASE, kind) < 0)
		return false;
	fcntl(fd, F_SETOWN, 0);
	return true;
}

bool fcp_lease_take(int fd)
{
	return set_lease(fd, F_WRLCK);
}

bool fcp_lease_take_reading(int fd)
{
	return set_lease(fd, F_RDLCK);
}

bool fcp_lease_take_patiently(int fd)
{
	for (int tries = 0; tries < TRIES; tries++) {
		if (fcp_lease_take(fd))
			return true;
		if (errno != EAGAIN)
			return false;
		fcp_wait_ns(1000000, -1);
	}
	errno = EAGAIN;
	return false;
}

void fcp_lease_drop(int fd)
{
	fcntl(fd, F_SETLEASE, F_UNLCK);
}

bool fcp_lease_is_held(int fd)
{
	return fcntl(fd, F_GETLEASE) == F_WRLCK;
}

bool fcp_lease_is_held_reading(int fd)
{
	return fcntl(fd, F_GETLEASE) == F_RDLCK;
}

bool fcp_lease_counts_mappings(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return false;
	switch ((uint32_t)fs.f_type) {
	case EXT4_SUPER_MAGIC:
	case XFS_MAGIC:
	case BTRFS_SUPER_MAGIC:
	case TMPFS_MAGIC:
	case F2FS_SUPER_MAGIC:
		return true;
	default:
		return false;
	}
}

uint64_t fcp_lease_break_ns(void)
{
	FCP_CLEANUP(file) FILE *file = fopen("/proc/sys/fs/lease-break-time", "re");
	unsigned seconds;

	if (!file || fscanf(file, "%u", &seconds) != 1)
		seconds = BREAK_SECONDS;
	return (uint64_t)seconds * 1000000000;
}
