// SPDX-License-Identifier: Apache-2.0
#include "steps/snapshot/names.h"

#include "base/cleanup.h"
#include "base/utf8.h"
#include "memory/file.h"
#include "memory/in_use.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/* What follows the last slash. */
static const char *name_in(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

int fcp_snapshot_file_check_name(const char *what, const char *path, struct fcp_error *err)
{
	const char *name = path ? name_in(path) : "";

	if (!path || *path == '\0')
		return fcp_error_set(err, FCP_ERR_USAGE, 0, "no path of the %s given", what);
	if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return fcp_error_set(err, FCP_ERR_USAGE, 0, "%s: the %s needs the name of a file",
				     path, what);
	return 0;
}

int fcp_snapshot_files_check_names(const struct fcp_snapshot_settings *settings,
				   struct fcp_error *err)
{
	if (fcp_snapshot_file_check_name("snapshot file", settings->snapshot_path, err) != 0 ||
	    fcp_snapshot_file_check_name("memory file", settings->mem_file_path, err) != 0)
		return -1;
	if (strcmp(settings->snapshot_path, settings->mem_file_path) == 0)
		return fcp_error_set(err, FCP_ERR_USAGE, 0,
				     "%s: the snapshot file and the memory file are the same",
				     settings->snapshot_path);
	return 0;
}

/* The directory of a path, owned; NULL: no memory. */
static char *parent_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return strdup(".");
	return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

static int join_path(char **path_, const char *directory, const char *name, struct fcp_error *err)
{
	if (asprintf(path_, "%s/%s", directory, name) >= 0)
		return 0;
	*path_ = NULL;
	return fcp_error_nomem(err);
}

static char *append_suffix(const char *name, const char *suffix)
{
	char *joined;

	return asprintf(&joined, "%s%s", name, suffix) >= 0 ? joined : NULL;
}

/*
 * Checks the target: absent, or a file that may be replaced. It is not opened, which would end
 * another's claim on it. *fd_ is O_PATH; -1: absent.
 */
static int check_target(const struct fcp_snapshot_file *file, bool force, int *fd_,
			struct fcp_error *err)
{
	FCP_CLEANUP(fd)
	int fd = openat(file->place.directory, file->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat target;

	*fd_ = -1;
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &target) != 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%s", file->host);
	if (!S_ISREG(target.st_mode))
		return fcp_error_set(err, FCP_ERR_INPUT, 0, "%s is %s, not a regular file",
				     file->host,
				     S_ISLNK(target.st_mode)   ? "a symbolic link"
				     : S_ISDIR(target.st_mode) ? "a directory"
							       : "a special file");
	if (!force)
		return fcp_error_set(err, FCP_ERR_INPUT, 0, "%s already exists", file->host);
	*fd_ = fcp_steal_fd(&fd);
	return 0;
}

static int check_unused(const struct fcp_snapshot_file *file, int path_fd, struct fcp_error *err)
{
	FCP_CLEANUP(fd) int fd = -1;
	struct fcp_in_use use;

	if (path_fd < 0)
		return 0;
	fd = fcp_file_reopen(path_fd, file->host, O_RDONLY, err);
	if (fd < 0 || fcp_in_use_find(fd, &use, err) != 0)
		return -1;
	return use.how != FCP_IN_USE_NOT ? fcp_in_use_error(&use, file->host, err) : 0;
}

int fcp_snapshot_file_find(const char *path, const char *chroot_base, pid_t pid,
			   struct fcp_snapshot_file *file, struct fcp_error *err)
{
	FCP_CLEANUP(free) char *directory = parent_of(path);

	file->name = strdup(name_in(path));
	if (!directory || !file->name)
		return fcp_error_nomem(err);
	if (fcp_place_open(pid, chroot_base, directory, &file->place, err) != 0)
		return fcp_error_wrap(err, "%s", path);
	file->temporary = append_suffix(file->name, FCP_TEMPORARY_SUFFIX);
	file->old = append_suffix(file->name, FCP_OLD_SUFFIX);
	if (!file->temporary || !file->old)
		return fcp_error_nomem(err);
	if (join_path(&file->seen, file->place.seen, file->temporary, err) != 0 ||
	    join_path(&file->host, file->place.host, file->name, err) != 0)
		return -1;
	return 0;
}

static int find_target(const char *path, const struct fcp_snapshot_settings *settings, pid_t pid,
		       struct fcp_snapshot_file *file, struct fcp_error *err)
{
	if (fcp_snapshot_file_find(path, settings->chroot_base, pid, file, err) != 0)
		return -1;
	/* JSON allows no other bytes; Firecracker would write to another name. */
	if (!fcp_utf8_is_valid(file->seen))
		return fcp_error_set(err, FCP_ERR_INPUT, 0,
				     "%s: a name that is not UTF-8 cannot be given to Firecracker",
				     file->host);
	return 0;
}

int fcp_snapshot_files_find(const struct fcp_snapshot_settings *settings, pid_t pid,
			    struct fcp_snapshot_files *files, struct fcp_error *err)
{
	if (fcp_snapshot_files_check_names(settings, err) != 0 ||
	    find_target(settings->snapshot_path, settings, pid, &files->snapshot, err) != 0 ||
	    find_target(settings->mem_file_path, settings, pid, &files->memory, err) != 0)
		return -1;
	files->force = settings->force;
	if (strcmp(files->snapshot.seen, files->memory.seen) == 0)
		return fcp_error_set(err, FCP_ERR_USAGE, 0,
				     "%s: the snapshot file and the memory file are the same",
				     files->snapshot.host);
	return 0;
}

int fcp_snapshot_file_check_target(const struct fcp_snapshot_file *file, bool force,
				   struct fcp_error *err)
{
	FCP_CLEANUP(fd) int fd = -1;

	if (check_target(file, force, &fd, err) != 0)
		return -1;
	return check_unused(file, fd, err);
}

int fcp_snapshot_files_check_targets(const struct fcp_snapshot_files *files, bool use,
				     struct fcp_error *err)
{
	FCP_CLEANUP(fd) int snapshot = -1;
	FCP_CLEANUP(fd) int memory = -1;

	if (check_target(&files->snapshot, files->force, &snapshot, err) != 0 ||
	    check_target(&files->memory, files->force, &memory, err) != 0)
		return -1;
	if (use && (check_unused(&files->snapshot, snapshot, err) != 0 ||
		    check_unused(&files->memory, memory, err) != 0))
		return -1;
	return 0;
}

int fcp_snapshot_file_room(const struct fcp_snapshot_file *file, uint64_t bytes,
			   struct fcp_error *err)
{
	struct statvfs room;
	uint64_t free_bytes;

	if (fstatvfs(file->place.directory, &room) != 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%s", file->host);
	free_bytes = (uint64_t)room.f_bavail * room.f_frsize;
	if (free_bytes >= bytes)
		return 0;
	/* Without the system's words, which would stand behind what follows from it. */
	fcp_error_set(err, FCP_ERR_IO, 0, "%s: not enough room: up to %lu MiB needed, %lu MiB free",
		      file->host, (unsigned long)(bytes >> 20), (unsigned long)(free_bytes >> 20));
	err->errnum = ENOSPC;
	return -1;
}

int fcp_snapshot_files_room(const struct fcp_snapshot_files *files, uint64_t memory_bytes,
			    uint64_t snapshot_bytes, struct fcp_error *err)
{
	/* Both may be on the same file system. */
	if (fcp_snapshot_file_room(&files->memory, memory_bytes + snapshot_bytes, err) == 0 &&
	    fcp_snapshot_file_room(&files->snapshot, snapshot_bytes, err) == 0)
		return 0;
	fcp_error_append(err, "; the VM was not paused");
	return -1;
}
