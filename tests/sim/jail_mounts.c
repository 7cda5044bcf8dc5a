// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "jail_mounts.h"

static int make_directories(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0755) && errno != EEXIST)
			return -1;
		*slash = '/';
	}
	return 0;
}

static int make_target(char *path, bool directory)
{
	int fd;

	if (make_directories(path))
		return -1;
	if (directory)
		return mkdir(path, 0755) && errno != EEXIST ? -1 : 0;
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	return fd < 0 ? -1 : close(fd);
}

static int set_attributes(const char *path, unsigned long long set)
{
	struct mount_attr attr = {.attr_set = set};

	return (int)syscall(SYS_mount_setattr, AT_FDCWD, path, AT_RECURSIVE, &attr, sizeof(attr));
}

/* Mounts a file or a directory of the host under the same name; a link is made again. */
static int bring(const char *dir, const char *from, const char *as, unsigned long long attributes)
{
	char to[PATH_MAX], target[PATH_MAX] = "";
	struct stat st;

	if (lstat(from, &st))
		return errno == ENOENT ? 0 : -1;
	snprintf(to, sizeof(to), "%s%s", dir, as);
	if (S_ISLNK(st.st_mode)) {
		if (readlink(from, target, sizeof(target) - 1) < 0 || make_directories(to))
			return -1;
		return symlink(target, to) && errno != EEXIST ? -1 : 0;
	}
	if (make_target(to, S_ISDIR(st.st_mode)) || mount(from, to, NULL, MS_BIND | MS_REC, NULL))
		return -1;
	return set_attributes(to, attributes);
}

/* Programs, libraries, and what finds them. Nothing of /etc that tells of the host. */
static const char *const programs[] = {
	"/usr",
	"/bin",
	"/sbin",
	"/lib",
	"/lib32",
	"/lib64",
	"/libx32",
	"/etc/alternatives",
	"/etc/ld.so.cache",
	"/etc/ld.so.conf",
	"/etc/ld.so.conf.d",
	NULL,
};

static const char *const devices[] = {
	"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", NULL,
};

static int bind_over(const char *dir, const char *from, const char *to)
{
	char source[PATH_MAX], target[PATH_MAX];

	snprintf(source, sizeof(source), "%s%s", dir, from);
	snprintf(target, sizeof(target), "%s%s", dir, to);
	return mount(source, target, NULL, MS_BIND, NULL);
}

/* The processes of the jail, read-only, with the guest's own memory; where that may not be mounted
 * (a container that hides parts of /proc), only the latter. */
static const char *mount_proc(const char *dir)
{
	const unsigned long fixed = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
	char target[PATH_MAX];

	snprintf(target, sizeof(target), "%s/proc", dir);
	if (mount("proc", target, "proc", fixed, NULL))
		return bind_over(dir, JAIL_PROC, "/proc") ? "/proc" : NULL;
	if (bind_over(dir, JAIL_PROC "/meminfo", "/proc/meminfo") ||
	    bind_over(dir, JAIL_PROC "/sys/vm", "/proc/sys/vm"))
		return "/proc";
	return NULL;
}

static const char *bring_all(const char *dir, const char *self, const char *share)
{
	const unsigned long long fixed = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID;

	for (size_t i = 0; programs[i]; i++) {
		if (bring(dir, programs[i], programs[i], fixed | MOUNT_ATTR_NODEV))
			return programs[i];
	}
	for (size_t i = 0; devices[i]; i++) {
		if (bring(dir, devices[i], devices[i], MOUNT_ATTR_NOSUID))
			return devices[i];
	}
	if (bring(dir, self, "/guest/sim", fixed | MOUNT_ATTR_NODEV))
		return "the simulator's program";
	if (share && bring(dir, share, share, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV))
		return share;
	return mount_proc(dir);
}

/* In a chroot, whose root is no mount, nothing can be exchanged for it. */
static int change_root(const char *dir)
{
	if (chdir(dir))
		return -1;
	if (syscall(SYS_pivot_root, ".", "."))
		return errno == EINVAL && !chroot(".") ? chdir("/") : -1;
	if (umount2(".", MNT_DETACH))
		return -1;
	return chdir("/");
}

/* What is mounted at dir, seen from the namespace that outside was opened in; 0: not known. */
static uint64_t mount_id(int outside, const char *dir)
{
	struct statx status;

	/* Relative to a descriptor of that namespace: an absolute path would begin in ours. */
	if (statx(outside, dir + 1, AT_SYMLINK_NOFOLLOW, STATX_MNT_ID, &status) ||
	    !(status.stx_mask & STATX_MNT_ID))
		return 0;
	return status.stx_mnt_id;
}

/*
 * Mounts dir over itself, so that it can be a root. In a chroot whose root is no mount the mounts
 * below it cannot be made private; where the host would see what is mounted, this is taken back.
 */
static int mount_root(const char *dir, int outside)
{
	bool private = !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	uint64_t before = mount_id(outside, dir);

	if (!private && (errno != EINVAL || !before))
		return -1;
	if (mount(dir, dir, NULL, MS_BIND, NULL))
		return -1;
	if (private || mount_id(outside, dir) == before)
		return mount(NULL, dir, NULL, MS_REC | MS_PRIVATE, NULL);
	umount2(dir, MNT_DETACH);
	errno = EBUSY;
	return -1;
}

int jail_mounts_look(struct jail_outside *ret_outside)
{
	ssize_t length =
		readlink("/proc/self/exe", ret_outside->self, sizeof(ret_outside->self) - 1);

	ret_outside->self[length > 0 ? length : 0] = '\0';
	ret_outside->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return length > 0 && ret_outside->root >= 0 ? 0 : -1;
}

void jail_mounts_make(const char *dir, const struct jail_outside *outside, const char *share,
		      char *ret_what, size_t size)
{
	const char *what = NULL;

	if (mount_root(dir, outside->root))
		what = dir;
	if (!what)
		what = bring_all(dir, outside->self, share);
	if (!what && change_root(dir))
		what = "the root";
	snprintf(ret_what, size, "%s", what ? what : "");
}
