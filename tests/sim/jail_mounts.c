// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <stdbool.h>
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
	struct mount_attr attr = { .attr_set = set };

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
	"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc/alternatives",
	"/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", NULL,
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

/* The processes of the jail, read-only, with the guest's own memory; where that may not be mounted (a
 * container that hides parts of /proc), only the latter. */
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

static const char *bring_all(const char *dir, const char *share)
{
	const unsigned long long fixed = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID;
	char self[PATH_MAX] = "";

	for (size_t i = 0; programs[i]; i++) {
		if (bring(dir, programs[i], programs[i], fixed | MOUNT_ATTR_NODEV))
			return programs[i];
	}
	for (size_t i = 0; devices[i]; i++) {
		if (bring(dir, devices[i], devices[i], MOUNT_ATTR_NOSUID))
			return devices[i];
	}
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0 ||
	    bring(dir, self, "/guest/sim", fixed | MOUNT_ATTR_NODEV))
		return "the simulator's program";
	if (share && bring(dir, share, share, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV))
		return share;
	return mount_proc(dir);
}

static int change_root(const char *dir)
{
	if (chdir(dir) || syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH))
		return -1;
	return chdir("/");
}

void jail_mounts_make(const char *dir, const char *share, char *ret_what, size_t size)
{
	const char *what = NULL;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) || mount(dir, dir, NULL, MS_BIND, NULL))
		what = dir;
	if (!what)
		what = bring_all(dir, share);
	if (!what && change_root(dir))
		what = "pivot_root";
	snprintf(ret_what, size, "%s", what ? what : "");
}
