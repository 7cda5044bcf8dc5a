// SPDX-License-Identifier: Apache-2.0
#include "firecracker/root.h"

#include "base/cleanup.h"
#include "base/fd_link.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* A directory below root. Links are followed, but not out of root (openat2(2)). */
static int open_in_root(int root, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

/* ---- our own root ---- */

/* Anyone but root and us; the members of a group too. */
static bool others_can_write(int directory)
{
	struct stat status;

	return fstat(directory, &status) != 0 || (status.st_mode & (S_IWOTH | S_IWGRP)) ||
	       (status.st_uid != 0 && status.st_uid != geteuid());
}

/* One component down. A link in a directory that others can write may be theirs. */
static int open_component(int from, const char *name, const char *path, struct fcp_error *err)
{
	FCP_CLEANUP(fd) int next = openat(from, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat status;

	if (next < 0 || fstat(next, &status) != 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%s", path);
	if (!S_ISLNK(status.st_mode))
		return fcp_steal_fd(&next);
	if (others_can_write(from))
		return fcp_error_set(
			err, FCP_ERR_INPUT, 0,
			"%s: '%s' is a symbolic link in a directory that others can write", path,
			name);
	close(next);
	next = openat(from, name, O_PATH | O_CLOEXEC);
	if (next < 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%s", path);
	return fcp_steal_fd(&next);
}

int fcp_path_open_own(const char *path, struct fcp_error *err)
{
	FCP_CLEANUP(fd) int at = open(*path == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	FCP_CLEANUP(free) char *copy = strdup(path);
	char *rest = copy;

	if (at < 0 || !copy)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%s", path);
	for (char *name; (name = strsep(&rest, "/")) != NULL;) {
		int next;

		if (*name == '\0' || strcmp(name, ".") == 0)
			continue;
		next = open_component(at, name, path, err);
		if (next < 0)
			return -1;
		close(at);
		at = next;
	}
	return fcp_steal_fd(&at);
}

static int open_own(const char *path, struct fcp_error *err)
{
	FCP_CLEANUP(fd) int at = fcp_path_open_own(path, err);
	struct stat status;

	if (at < 0)
		return -1;
	if (fstat(at, &status) != 0 || !S_ISDIR(status.st_mode))
		return fcp_error_set(err, FCP_ERR_IO, ENOTDIR, "%s", path);
	if ((status.st_mode & S_IWOTH) && !(status.st_mode & S_ISVTX))
		return fcp_error_set(
			err, FCP_ERR_INPUT, 0,
			"%s: others can write this directory and replace files in it (chmod o-w)",
			path);
	return fcp_steal_fd(&at);
}

/* Its absolute path, from the kernel: without links, and absolute, as Firecracker needs it. */
static char *path_of(int directory)
{
	char link[FCP_FD_LINK_BYTES];

	return realpath(fcp_fd_link(directory, link), NULL);
}

static int fill_own(const char *path, struct fcp_place *place, struct fcp_error *err)
{
	place->directory = open_own(path, err);
	if (place->directory < 0)
		return -1;
	place->host = path_of(place->directory);
	if (!place->host)
		return fcp_fd_link_error(err, FCP_ERR_IO, errno, path);
	if (strcmp(place->host, "/") == 0)
		*place->host = '\0';
	place->seen = strdup(place->host);
	return place->seen ? 0 : fcp_error_nomem(err);
}

/* ---- Firecracker's own root ---- */

/* The tail of our absolute path that leads to the same directory within root; NULL if none does. */
static const char *tail_within(int root, const char *path)
{
	FCP_CLEANUP(fd) int ours = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (const char *tail = path; ours >= 0 && tail; tail = strchr(tail + 1, '/')) {
		FCP_CLEANUP(fd) int theirs = open_in_root(root, tail);

		if (theirs >= 0 && fcp_fd_same_file(ours, theirs))
			return tail;
	}
	return ours >= 0 && fcp_fd_same_file(ours, root) ? "" : NULL;
}

static int fill_jailed(int root, const char *root_path, const char *path, struct fcp_place *place,
		       struct fcp_error *err)
{
	FCP_CLEANUP(free) char *ours = realpath(path, NULL);
	const char *tail = ours ? tail_within(root, ours) : NULL;

	if (!tail && *path != '/')
		return fcp_error_set(err, FCP_ERR_INPUT, 0, "%s: not below Firecracker's root %s",
				     path, root_path);
	if (!tail)
		tail = strcmp(path, "/") == 0 ? "" : path;
	place->directory = open_in_root(root, *tail ? tail : "/");
	if (place->directory < 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%s within Firecracker's root %s",
				     path, root_path);
	place->seen = strdup(tail);
	if (asprintf(&place->host, "%s%s", root_path, tail) < 0)
		place->host = NULL;
	return place->seen && place->host ? 0 : fcp_error_nomem(err);
}

/* Firecracker's root if it differs from ours; -1 if it does not, or is unknown. */
static int open_root(pid_t pid, const char *chroot_base, char *root_path, size_t bytes,
		     struct fcp_error *err)
{
	FCP_CLEANUP(fd) int root = -1;
	FCP_CLEANUP(fd) int ours = open("/", O_PATH | O_CLOEXEC);

	if (chroot_base) {
		snprintf(root_path, bytes, "%s", chroot_base);
		root = open(chroot_base, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (root < 0)
			fcp_error_set(err, FCP_ERR_IO, errno, "%s", chroot_base);
		return fcp_steal_fd(&root);
	}
	if (pid <= 0)
		return -1;
	snprintf(root_path, bytes, "/proc/%d/root", (int)pid);
	root = open(root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return root >= 0 && !fcp_fd_same_file(root, ours) ? fcp_steal_fd(&root) : -1;
}

int fcp_place_open(pid_t pid, const char *chroot_base, const char *directory,
		   struct fcp_place *place_, struct fcp_error *err)
{
	struct fcp_place place = {.directory = -1};
	char root_path[4096];
	FCP_CLEANUP(fd) int root = open_root(pid, chroot_base, root_path, sizeof(root_path), err);
	int filled;

	if (root < 0 && chroot_base)
		return -1;
	filled = root < 0 ? fill_own(directory, &place, err)
			  : fill_jailed(root, root_path, directory, &place, err);
	if (filled != 0) {
		fcp_place_clear(&place);
		return -1;
	}
	*place_ = place;
	return 0;
}

void fcp_place_clear(struct fcp_place *place)
{
	if (place->directory >= 0)
		close(place->directory);
	free(place->seen);
	free(place->host);
	*place = (struct fcp_place){.directory = -1};
}
