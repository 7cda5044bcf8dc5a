// SPDX-License-Identifier: Apache-2.0
/* The temporary files of a snapshot, which are also its locks. */
#include "base/cleanup.h"
#include "firecracker/process.h"
#include "memory/file.h"
#include "steps/snapshot/names.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define TRIES_MAX 100

/* ---- the lock ---- */

static int temporary_error(const struct fcp_snapshot_file *file, struct fcp_error *err)
{
	return fcp_error_set(err, FCP_ERR_IO, errno, "%s" FCP_TEMPORARY_SUFFIX, file->host);
}

/* Named by the directory: nobody gave the temporary file's name. */
static int create_error(const struct fcp_snapshot_file *file, struct fcp_error *err)
{
	const char *slash = strrchr(file->host, '/');
	int length = slash && slash != file->host ? (int)(slash - file->host) : 1;

	return fcp_error_set(err, FCP_ERR_IO, errno, "%s: no file can be created in %.*s",
			     file->host, length, slash ? file->host : ".");
}

/* What is not a regular file is not ours; links are not followed. */
static int remove_strange(const struct fcp_snapshot_file *file, struct fcp_error *err)
{
	int errnum = errno;
	struct stat status;

	if (fstatat(file->place.directory, file->temporary, &status, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : temporary_error(file, err);
	errno = errnum;
	if (S_ISREG(status.st_mode) && errnum == EACCES)
		return fcp_error_set(err, FCP_ERR_LOCKED, 0,
				     "%s" FCP_TEMPORARY_SUFFIX
				     " is of user %u: their fcpause is using it, or was killed: "
				     "then remove it",
				     file->host, (unsigned)status.st_uid);
	if (S_ISREG(status.st_mode) || unlinkat(file->place.directory, file->temporary, 0) != 0)
		return temporary_error(file, err);
	return 0;
}

static int create_temporary(const struct fcp_snapshot_file *file)
{
	int fd = openat(file->place.directory, file->temporary,
			O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd >= 0)
		fchmod(fd, 0600); /* regardless of the umask */
	return fd;
}

/*
 * On a file system without locks our file excludes others by existing: they cannot lock it either.
 */
static bool has_no_locks(const struct fcp_error *err, bool *same_)
{
	*same_ = err->error_class == FCP_ERR_IO &&
		 (err->errnum == ENOLCK || err->errnum == EOPNOTSUPP || err->errnum == ENOSYS);
	return *same_;
}

/* One attempt: sets file->fd, or leaves it -1 to try again. */
static int lock_once(struct fcp_snapshot_file *file, const struct fcp_lock_wait *wait,
		     struct fcp_error *err)
{
	FCP_CLEANUP(fd)
	int fd = openat(file->place.directory, file->temporary,
			O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	bool made = fd < 0 && errno == ENOENT, same = false;
	struct fcp_lock_file lock = {.directory = file->place.directory,
				     .name = file->temporary,
				     .what = file->host};
	struct stat status;

	if (made) {
		fd = create_temporary(file);
		if (fd < 0)
			return errno == EEXIST ? 0 : create_error(file, err);
	}
	if (fd < 0)
		return remove_strange(file, err);
	if (fstat(fd, &status) != 0)
		return temporary_error(file, err);
	if (!S_ISREG(status.st_mode))
		return remove_strange(file, err);
	lock.fd = fd;
	if (fcp_lock_file(&lock, wait, &same, err) != 0 && !(made && has_no_locks(err, &same))) {
		if (made && err->error_class == FCP_ERR_IO)
			unlinkat(file->place.directory, file->temporary, 0);
		return -1;
	}
	if (!same || fstat(fd, &status) != 0)
		return 0;
	file->fd = fcp_steal_fd(&fd);
	file->made = made;
	file->leftover = status.st_size > 0;
	return 0;
}

/*
 * On a file system without hard links, a run in its last steps no longer has a temporary name: it
 * holds the file with the target's name. So does a trim. A file that would not be replaced is not
 * opened: that would end another's claim (memory/claim.h).
 */
static int check_target_lock(const struct fcp_snapshot_file *file, bool force,
			     struct fcp_error *err)
{
	FCP_CLEANUP(fd)
	int named = openat(file->place.directory, file->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	FCP_CLEANUP(fd) int fd = -1;
	struct stat status;

	if (!force || named < 0 || fstat(named, &status) != 0 || !S_ISREG(status.st_mode) ||
	    fcp_snapshot_name_is_ours(file, file->name))
		return 0;
	fd = fcp_file_reopen(named, file->host, O_RDONLY, err);
	if (fd < 0)
		return err->error_class == FCP_ERR_LOCKED ? -1 : 0;
	if (flock(fd, LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK)
		return 0;
	return fcp_error_set(err, FCP_ERR_LOCKED, 0, "%s: another fcpause is using it", file->host);
}

int fcp_snapshot_file_lock(struct fcp_snapshot_file *file, bool force,
			   const struct fcp_lock_wait *wait, struct fcp_error *err)
{
	for (int tries = 0; file->fd < 0; tries++) {
		if (tries == TRIES_MAX)
			return fcp_error_set(err, FCP_ERR_LOCKED, 0,
					     "%s" FCP_TEMPORARY_SUFFIX
					     " keeps being created and removed",
					     file->host);
		if (lock_once(file, wait, err) != 0)
			return -1;
	}
	return check_target_lock(file, force, err);
}

int fcp_snapshot_files_lock(struct fcp_snapshot_files *files, const struct fcp_lock_wait *wait,
			    struct fcp_error *err)
{
	/* In an order that all runs agree on, so that they cannot deadlock. */
	bool memory_first = strcmp(files->memory.host, files->snapshot.host) < 0;
	struct fcp_snapshot_file *first = memory_first ? &files->memory : &files->snapshot;
	struct fcp_snapshot_file *second = memory_first ? &files->snapshot : &files->memory;

	if (fcp_snapshot_file_lock(first, files->force, wait, err) != 0)
		return -1;
	return fcp_snapshot_file_lock(second, files->force, wait, err);
}

/* ---- the files ---- */

/* Replaces what a killed run left: a new file that nobody else has open. */
static int make_anew(struct fcp_snapshot_file *file, struct fcp_error *err)
{
	FCP_CLEANUP(fd) int left = -1;

	if (file->made)
		return 0;
	if (unlinkat(file->place.directory, file->temporary, 0) != 0 && errno != ENOENT)
		return temporary_error(file, err);
	left = fcp_steal_fd(&file->fd);
	file->fd = create_temporary(file);
	if (file->fd < 0 && errno != EEXIST)
		return temporary_error(file, err);
	/* Whoever has just locked it takes it for a killed run's. */
	if (file->fd < 0 || (flock(file->fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK))
		return fcp_error_set(err, FCP_ERR_LOCKED, 0, "%s: another fcpause is using it",
				     file->host);
	file->made = true;
	file->leftover = false;
	return 0;
}

/* Firecracker must be able to write it. Only root can give it away, and only root has to. */
static int give_file_to(int fd, pid_t pid, const char *path, struct fcp_error *err)
{
	uid_t uid;
	gid_t gid;

	if (!fcp_process_owner(pid, &uid, &gid) || uid == geteuid())
		return 0;
	if (fchown(fd, uid, gid) != 0 && uid != 0)
		return fcp_error_set(err, FCP_ERR_IO, errno,
				     "%s: Firecracker's user %u could not write it", path,
				     (unsigned)uid);
	return 0;
}

/* Are there hard links here? The old file's name is unused, and recovery recognises such a link. */
static int try_link(struct fcp_snapshot_file *file, struct fcp_error *err)
{
	int directory = file->place.directory;

	if (linkat(directory, file->temporary, directory, file->old, 0) == 0) {
		if (unlinkat(directory, file->old, 0) != 0)
			return fcp_error_set(err, FCP_ERR_IO, errno, "%s" FCP_OLD_SUFFIX,
					     file->host);
		return 0;
	}
	file->no_links = errno == EPERM || errno == EOPNOTSUPP || errno == EINVAL ||
			 errno == ENOSYS || errno == EMLINK;
	return file->no_links ? 0 : fcp_error_set(err, FCP_ERR_IO, errno, "%s: a link", file->host);
}

/* Can the target be renamed? In a sticky directory only by its owner; an immutable file never. */
static int check_renameable(const struct fcp_snapshot_file *file, struct fcp_error *err)
{
	struct statx target, directory;

	if (statx(file->place.directory, file->name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS,
		  &target) != 0 ||
	    statx(file->place.directory, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &directory) != 0)
		return 0;
	if ((target.stx_attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND)) ||
	    ((directory.stx_mode & S_ISVTX) && geteuid() != 0 && target.stx_uid != geteuid() &&
	     directory.stx_uid != geteuid()))
		return fcp_error_set(err, FCP_ERR_IO, EPERM, "%s cannot be replaced", file->host);
	return 0;
}

int fcp_snapshot_file_begin(struct fcp_snapshot_file *file, pid_t pid, struct fcp_error *err)
{
	if (check_renameable(file, err) != 0 || make_anew(file, err) != 0 ||
	    give_file_to(file->fd, pid, file->host, err) != 0 || try_link(file, err) != 0)
		return -1;
	return fcp_snapshot_sync(file, err);
}

int fcp_snapshot_files_begin(struct fcp_snapshot_files *files, pid_t pid, struct fcp_error *err)
{
	if (fcp_snapshot_file_begin(&files->memory, pid, err) != 0)
		return -1;
	return fcp_snapshot_file_begin(&files->snapshot, pid, err);
}

int fcp_snapshot_files_check(const struct fcp_snapshot_files *files, uint64_t memory_bytes,
			     struct fcp_error *err)
{
	struct stat memory, snapshot;

	if (fstat(files->memory.fd, &memory) != 0 || fstat(files->snapshot.fd, &snapshot) != 0)
		return temporary_error(&files->memory, err);
	if ((uint64_t)memory.st_size != memory_bytes)
		return fcp_error_set(err, FCP_ERR_PROTOCOL, 0,
				     "Firecracker says it is done, but %s" FCP_TEMPORARY_SUFFIX
				     " has %lld bytes, not %llu",
				     files->memory.host, (long long)memory.st_size,
				     (unsigned long long)memory_bytes);
	if (snapshot.st_size == 0)
		return fcp_error_set(err, FCP_ERR_PROTOCOL, 0,
				     "Firecracker says it is done, but %s" FCP_TEMPORARY_SUFFIX
				     " is empty",
				     files->snapshot.host);
	return 0;
}

/* ---- the end ---- */

void fcp_snapshot_file_clear(struct fcp_snapshot_file *file)
{
	if (file->fd >= 0) {
		if (file->made && fcp_snapshot_name_is_ours(file, file->temporary))
			unlinkat(file->place.directory, file->temporary, 0);
		close(file->fd);
	}
	if (file->published >= 0)
		close(file->published);
	fcp_place_clear(&file->place);
	free(file->name);
	free(file->temporary);
	free(file->old);
	free(file->seen);
	free(file->host);
	*file = (struct fcp_snapshot_file)FCP_SNAPSHOT_FILE_NONE;
}

void fcp_snapshot_files_clear(struct fcp_snapshot_files *files)
{
	fcp_snapshot_file_clear(&files->snapshot);
	fcp_snapshot_file_clear(&files->memory);
}
