// SPDX-License-Identifier: Apache-2.0
#include "steps/snapshot_files.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>

#define SUFFIX ".fcpause-tmp"

/* The directory of path, resolved; owned. */
static char *directory_of(const char *path, struct fcp_error *err)
{
	FCP_CLEANUP(free) char *copy = strdup(path);
	char *directory;

	if (!copy) {
		fcp_error_nomem(err);
		return NULL;
	}
	directory = realpath(dirname(copy), NULL);
	if (!directory)
		fcp_error_set(err, FCP_ERR_IO, errno, "directory of %s", path);
	return directory;
}

/* Firecracker has a working directory of its own, so what it is told must be absolute. */
static int resolve(const char *what, const char *path, struct fcp_snapshot_file *file,
		   struct fcp_error *err)
{
	FCP_CLEANUP(free) char *directory = NULL;
	const char *name;

	if (!path || *path == '\0')
		return fcp_error_set(err, FCP_ERR_USAGE, 0, "no path of the %s given", what);
	name = strrchr(path, '/');
	name = name ? name + 1 : path;
	if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return fcp_error_set(err, FCP_ERR_USAGE, 0, "%s: the %s needs the name of a file", path,
				     what);
	directory = directory_of(path, err);
	if (!directory)
		return -1;
	if (asprintf(&file->path, "%s/%s", strcmp(directory, "/") ? directory : "", name) < 0) {
		file->path = NULL;
		return fcp_error_nomem(err);
	}
	if (asprintf(&file->temporary, "%s" SUFFIX, file->path) < 0) {
		file->temporary = NULL;
		return fcp_error_nomem(err);
	}
	return 0;
}

static int check_target(const struct fcp_snapshot_file *file, bool force, struct fcp_error *err)
{
	struct stat target;

	if (lstat(file->path, &target) != 0) {
		if (errno == ENOENT)
			return 0;
		return fcp_error_set(err, FCP_ERR_IO, errno, "%s", file->path);
	}
	if (!S_ISREG(target.st_mode))
		return fcp_error_set(err, FCP_ERR_INPUT, 0, "%s is there and is no regular file",
				     file->path);
	if (!force)
		return fcp_error_set(err, FCP_ERR_INPUT, 0,
				     "%s is there already, and is replaced only with force", file->path);
	return 0;
}

int fcp_snapshot_files_prepare(const struct fcp_snapshot_settings *settings,
			       struct fcp_snapshot_files *files, struct fcp_error *err)
{
	*files = (struct fcp_snapshot_files){0};
	if (resolve("snapshot file", settings->snapshot_path, &files->snapshot, err) != 0 ||
	    resolve("memory file", settings->mem_file_path, &files->memory, err) != 0)
		return -1;
	if (strcmp(files->snapshot.path, files->memory.path) == 0)
		return fcp_error_set(err, FCP_ERR_USAGE, 0,
				     "%s: the snapshot file and the memory file are the same",
				     files->snapshot.path);
	if (check_target(&files->snapshot, settings->force, err) != 0 ||
	    check_target(&files->memory, settings->force, err) != 0)
		return -1;
	fcp_snapshot_files_discard(files);
	return 0;
}

static int sync_path(const char *path, int flags, struct fcp_error *err)
{
	FCP_CLEANUP(fd) int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0 || fsync(fd) != 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%s", path);
	return 0;
}

static int sync_directory(const struct fcp_snapshot_file *file, struct fcp_error *err)
{
	FCP_CLEANUP(free) char *directory = directory_of(file->path, err);

	return directory ? sync_path(directory, O_RDONLY | O_DIRECTORY, err) : -1;
}

static int rename_file(const struct fcp_snapshot_file *file, struct fcp_error *err)
{
	if (rename(file->temporary, file->path) != 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "rename to %s", file->path);
	return 0;
}

int fcp_snapshot_files_publish(const struct fcp_snapshot_files *files, struct fcp_error *err)
{
	if (sync_path(files->memory.temporary, O_RDONLY | O_NOFOLLOW, err) != 0 ||
	    sync_path(files->snapshot.temporary, O_RDONLY | O_NOFOLLOW, err) != 0)
		return -1;
	/* The old snapshot file goes first: it must not be found beside the new memory file. */
	if (unlink(files->snapshot.path) != 0 && errno != ENOENT)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%s", files->snapshot.path);
	if (rename_file(&files->memory, err) != 0 || sync_directory(&files->memory, err) != 0 ||
	    rename_file(&files->snapshot, err) != 0)
		return -1;
	return sync_directory(&files->snapshot, err);
}

void fcp_snapshot_files_discard(const struct fcp_snapshot_files *files)
{
	if (files->memory.temporary)
		unlink(files->memory.temporary);
	if (files->snapshot.temporary)
		unlink(files->snapshot.temporary);
}

void fcp_snapshot_files_clear(struct fcp_snapshot_files *files)
{
	free(files->snapshot.path);
	free(files->snapshot.temporary);
	free(files->memory.path);
	free(files->memory.temporary);
	*files = (struct fcp_snapshot_files){0};
}
