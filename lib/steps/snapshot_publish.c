// SPDX-License-Identifier: Apache-2.0
#include "steps/snapshot_publish.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

static bool is_there(const struct fcp_snapshot_file *file, const char *name)
{
	struct stat status;

	return fstatat(file->place.directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0;
}

/* ---- one file ---- */

/* The name must still be that of the file which we made and Firecracker wrote. */
static int make_durable(const struct fcp_snapshot_file *file, struct fcp_error *err)
{
	struct stat opened, named;

	if (fstat(file->fd, &opened) != 0 ||
	    fstatat(file->place.directory, file->temporary, &named, AT_SYMLINK_NOFOLLOW) != 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%s: its temporary file", file->host);
	if (opened.st_dev != named.st_dev || opened.st_ino != named.st_ino)
		return fcp_error_set(err, FCP_ERR_INPUT, 0,
				     "%s: somebody has replaced its temporary file", file->host);
	if (fsync(file->fd) != 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%s: its temporary file", file->host);
	return 0;
}

static int sync_directory(const struct fcp_snapshot_file *file, struct fcp_error *err)
{
	FCP_CLEANUP(fd) int fd = openat(file->place.directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) != 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "directory of %s", file->host);
	return 0;
}

static int move(const struct fcp_snapshot_file *file, const char *from, const char *to,
		struct fcp_error *err)
{
	int directory = file->place.directory;

	if (renameat(directory, from, directory, to) != 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%s: rename", file->host);
	return 0;
}

/* What is there stands aside; nothing may be there without force. */
static int set_aside(const struct fcp_snapshot_file *file, bool force, struct fcp_error *err)
{
	if (!force || !is_there(file, file->name))
		return 0;
	return move(file, file->name, file->old, err);
}

/*
 * Gives the file its name beside its temporary one (link(2)): never over somebody's file that came
 * meanwhile, and until the pair is whole both names tell that it is ours. A file system without hard
 * links gets a rename.
 */
static int place(const struct fcp_snapshot_file *file, struct fcp_error *err)
{
	int directory = file->place.directory, errnum;

	if (linkat(directory, file->temporary, directory, file->name, 0) == 0)
		return 0;
	errnum = errno;
	if (errnum == EEXIST || is_there(file, file->name))
		return fcp_error_set(err, FCP_ERR_INPUT, 0,
				     "%s has appeared meanwhile, and is not replaced", file->host);
	if (errnum != EPERM && errnum != EOPNOTSUPP && errnum != ENOSYS && errnum != EMLINK)
		return fcp_error_set(err, FCP_ERR_IO, errnum, "%s: its name", file->host);
	return move(file, file->temporary, file->name, err);
}

/* Is the file under its name the one that is under its temporary name too? */
static bool is_placed(const struct fcp_snapshot_file *file)
{
	struct stat named, temporary;
	int directory = file->place.directory;

	return fstatat(directory, file->name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstatat(directory, file->temporary, &temporary, AT_SYMLINK_NOFOLLOW) == 0 &&
	       named.st_dev == temporary.st_dev && named.st_ino == temporary.st_ino;
}

static void take_back(const struct fcp_snapshot_file *file)
{
	struct fcp_error no_matter;

	if (is_placed(file))
		unlinkat(file->place.directory, file->name, 0);
	else
		move(file, file->name, file->temporary, &no_matter);
}

static void bring_back(const struct fcp_snapshot_file *file)
{
	struct fcp_error no_matter;

	if (is_there(file, file->old) && !is_there(file, file->name))
		move(file, file->old, file->name, &no_matter);
}

static void drop_old(const struct fcp_snapshot_file *file)
{
	unlinkat(file->place.directory, file->old, 0);
}

/* ---- the pair ---- */

static int place_both(struct fcp_snapshot_files *files, struct fcp_error *err)
{
	if (place(&files->memory, err) != 0)
		return -1;
	if (sync_directory(&files->memory, err) == 0) {
		if (place(&files->snapshot, err) == 0) {
			if (sync_directory(&files->snapshot, err) == 0)
				return 0;
			take_back(&files->snapshot);
		}
	}
	take_back(&files->memory);
	return -1;
}

static int replace_both(struct fcp_snapshot_files *files, struct fcp_error *err)
{
	if (set_aside(&files->snapshot, files->force, err) == 0) {
		if (set_aside(&files->memory, files->force, err) == 0 && place_both(files, err) == 0)
			return 0;
		bring_back(&files->memory);
	}
	bring_back(&files->snapshot);
	return -1;
}

/* The file has its name for good. */
static void drop_temporary(struct fcp_snapshot_file *file)
{
	unlinkat(file->place.directory, file->temporary, 0);
	file->published = fcp_steal_fd(&file->fd);
}

int fcp_snapshot_publish(struct fcp_snapshot_files *files, struct fcp_error *err)
{
	if (make_durable(&files->memory, err) != 0 || make_durable(&files->snapshot, err) != 0 ||
	    replace_both(files, err) != 0)
		return -1;
	drop_temporary(&files->memory);
	drop_temporary(&files->snapshot);
	drop_old(&files->memory);
	drop_old(&files->snapshot);
	return 0;
}

/*
 * A memory file under both its names, with a snapshot file that has only its temporary one: the run
 * was killed between the two. (Another snapshot file than ours may go with it: then nothing is
 * known, and nothing is undone.) Old files come back where no new one is.
 */
int fcp_snapshot_recover(const struct fcp_snapshot_files *files, struct fcp_error *err)
{
	const struct fcp_snapshot_file *snapshot = &files->snapshot, *memory = &files->memory;
	bool old = is_there(snapshot, snapshot->old) || is_there(memory, memory->old);
	bool half = is_placed(memory) && is_there(snapshot, snapshot->temporary) &&
		    !is_there(snapshot, snapshot->name);

	if (half && unlinkat(memory->place.directory, memory->name, 0) != 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%s", memory->host);
	bring_back(memory);
	bring_back(snapshot);
	drop_old(memory);
	drop_old(snapshot);
	return old || half ? sync_directory(memory, err) : 0;
}
