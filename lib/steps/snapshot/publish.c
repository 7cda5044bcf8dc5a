// SPDX-License-Identifier: Apache-2.0
#include "steps/snapshot/publish.h"

#include "base/cleanup.h"
#include "steps/snapshot/names.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

/* ---- one file ---- */

/* The name must still be that of the file that we made and Firecracker wrote. */
static int make_durable(const struct fcp_snapshot_file *file, struct fcp_error *err)
{
	if (!fcp_snapshot_name_is_ours(file, file->temporary))
		return fcp_error_set(err, FCP_ERR_INPUT, 0,
				     "%s: somebody has replaced or removed its temporary file",
				     file->host);
	if (fsync(file->fd) != 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%s: its temporary file", file->host);
	return 0;
}

/* Without permission to give it away, it gets no more permissions than its group had. */
static void copy_owner_and_mode(const struct fcp_snapshot_file *file, const struct stat *replaced)
{
	mode_t mode = replaced->st_mode & 0777;

	if (fchown(file->fd, replaced->st_uid, replaced->st_gid) != 0 &&
	    fchown(file->fd, (uid_t)-1, replaced->st_gid) != 0)
		mode &= 0700;
	fchmod(file->fd, mode);
}

static int set_aside(const struct fcp_snapshot_file *file, bool force, struct fcp_error *err)
{
	struct stat replaced;

	if (fstatat(file->place.directory, file->name, &replaced, AT_SYMLINK_NOFOLLOW) != 0)
		return file->no_links ? fcp_snapshot_mark_old(file, err) : 0;
	if (!force)
		return 0;
	if (S_ISREG(replaced.st_mode))
		copy_owner_and_mode(file, &replaced);
	if (fcp_snapshot_rename(file, file->name, file->old) != 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%s: rename", file->host);
	return 0;
}

/* If rename cannot be kept from replacing a file, an empty one of ours reserves the name. */
static int rename_over_own(const struct fcp_snapshot_file *file)
{
	int directory = file->place.directory, errnum;
	FCP_CLEANUP(fd)
	int held = openat(directory, file->name,
			  O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (held < 0)
		return -1;
	if (renameat(directory, file->temporary, directory, file->name) == 0)
		return 0;
	errnum = errno;
	unlinkat(directory, file->name, 0);
	errno = errnum;
	return -1;
}

static int give_name(const struct fcp_snapshot_file *file)
{
	int directory = file->place.directory;

	if (!file->no_links)
		return linkat(directory, file->temporary, directory, file->name, 0);
	if (renameat2(directory, file->temporary, directory, file->name, RENAME_NOREPLACE) == 0)
		return 0;
	return errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP ? rename_over_own(file)
									 : -1;
}

static int place_new_name(const struct fcp_snapshot_file *file, struct fcp_error *err)
{
	if (give_name(file) == 0)
		return 0;
	if (errno == EEXIST)
		return fcp_error_set(err, FCP_ERR_INPUT, 0,
				     "%s has appeared in the meantime, and is not "
				     "replaced",
				     file->host);
	return fcp_error_set(err, FCP_ERR_IO, errno, "%s: its name", file->host);
}

static void withdraw_name(const struct fcp_snapshot_file *file)
{
	int directory = file->place.directory;

	if (!fcp_snapshot_name_is_ours(file, file->name))
		return;
	if (fcp_snapshot_name_is_ours(file, file->temporary))
		unlinkat(directory, file->name, 0);
	else
		renameat(directory, file->name, directory, file->temporary);
}

/* If somebody's file has taken its name, the old one is kept under another, and *err says so. */
static void bring_back_old(const struct fcp_snapshot_file *file, struct fcp_error *err)
{
	char path[4096];
	struct fcp_error not_kept;

	if (fcp_snapshot_rename(file, file->old, file->name) == 0 || errno != EEXIST)
		return;
	if (fcp_snapshot_keep_as_failed(file, file->old, path, &not_kept) == 0)
		fcp_error_append(err, "; the one that was there before is now %.200s", path);
}

static void restore_old_name(struct fcp_snapshot_file *file, struct fcp_error *err)
{
	struct fcp_error not_durable;

	if (!fcp_snapshot_name_exists(file, file->old))
		return;
	if (file->no_links && fcp_snapshot_old_is_mark(file))
		unlinkat(file->place.directory, file->old, 0);
	else
		bring_back_old(file, err);
	fcp_snapshot_sync(file, &not_durable);
}

static int check_name(const struct fcp_snapshot_file *file, struct fcp_error *err)
{
	if (fcp_snapshot_name_is_ours(file, file->name))
		return 0;
	return fcp_error_set(err, FCP_ERR_INPUT, 0, "%s: somebody has replaced or removed it",
			     file->host);
}

/* ---- one file alone ---- */

/* Atomically: the name is always the old file or the new one. */
static int replace_name(const struct fcp_snapshot_file *file, struct fcp_error *err)
{
	int directory = file->place.directory;
	struct stat replaced;

	if (fstatat(directory, file->name, &replaced, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(replaced.st_mode))
		copy_owner_and_mode(file, &replaced);
	if (renameat(directory, file->temporary, directory, file->name) == 0)
		return 0;
	return fcp_error_set(err, FCP_ERR_IO, errno, "%s: rename", file->host);
}

int fcp_snapshot_publish_one(struct fcp_snapshot_file *file, bool force, struct fcp_error *err)
{
	if (make_durable(file, err) != 0 || fcp_snapshot_sync(file, err) != 0)
		return -1;
	if ((force ? replace_name(file, err) : place_new_name(file, err)) != 0)
		return -1;
	if (check_name(file, err) != 0)
		return -1;
	if (fcp_snapshot_name_is_ours(file, file->temporary))
		unlinkat(file->place.directory, file->temporary, 0);
	return fcp_snapshot_sync(file, err);
}

/* ---- the pair ---- */

static int check_names(const struct fcp_snapshot_files *files, struct fcp_error *err)
{
	return check_name(&files->memory, err) == 0 ? check_name(&files->snapshot, err) : -1;
}

static int set_both_aside(struct fcp_snapshot_files *files, struct fcp_error *err)
{
	if (set_aside(&files->snapshot, files->force, err) != 0 ||
	    fcp_snapshot_sync(&files->snapshot, err) != 0 ||
	    set_aside(&files->memory, files->force, err) != 0 ||
	    fcp_snapshot_sync(&files->memory, err) != 0)
		return -1;
	return 0;
}

static int place_both(struct fcp_snapshot_files *files, struct fcp_error *err)
{
	if (place_new_name(&files->memory, err) != 0 ||
	    fcp_snapshot_sync(&files->memory, err) != 0 ||
	    place_new_name(&files->snapshot, err) != 0 ||
	    fcp_snapshot_sync(&files->snapshot, err) != 0)
		return -1;
	return check_names(files, err);
}

/*
 * The snapshot file is withdrawn first and restored last: it never exists without its memory file.
 */
static void undo_both(struct fcp_snapshot_files *files, struct fcp_error *err)
{
	struct fcp_error not_durable;

	withdraw_name(&files->snapshot);
	fcp_snapshot_sync(&files->snapshot, &not_durable);
	withdraw_name(&files->memory);
	/*
	 * Durable before the proof of ownership is removed: the old file or the mark, then the
	 * temporary name.
	 */
	fcp_snapshot_sync(&files->memory, &not_durable);
	restore_old_name(&files->memory, err);
	restore_old_name(&files->snapshot, err);
}

/* false if an old file stays. */
static bool drop_replaced(struct fcp_snapshot_file *file)
{
	struct fcp_error not_durable;

	if (unlinkat(file->place.directory, file->old, 0) != 0)
		return errno == ENOENT;
	fcp_snapshot_sync(file, &not_durable);
	return true;
}

/*
 * The new pair has its names durably. The temporary names prove that the old files are superseded,
 * to the next run too if they could not be removed.
 */
static void finish_publish(struct fcp_snapshot_files *files)
{
	struct fcp_snapshot_file *both[] = {&files->memory, &files->snapshot};
	bool gone = drop_replaced(&files->memory) && drop_replaced(&files->snapshot);

	for (size_t i = 0; i < 2; i++) {
		if (gone && fcp_snapshot_name_is_ours(both[i], both[i]->temporary))
			unlinkat(both[i]->place.directory, both[i]->temporary, 0);
		both[i]->published = fcp_steal_fd(&both[i]->fd);
	}
}

int fcp_snapshot_publish(struct fcp_snapshot_files *files, struct fcp_error *err)
{
	if (make_durable(&files->memory, err) != 0 || make_durable(&files->snapshot, err) != 0 ||
	    fcp_snapshot_sync(&files->memory, err) != 0 ||
	    fcp_snapshot_sync(&files->snapshot, err) != 0)
		return -1;
	if (set_both_aside(files, err) != 0 || place_both(files, err) != 0) {
		undo_both(files, err);
		return -1;
	}
	finish_publish(files);
	return 0;
}
