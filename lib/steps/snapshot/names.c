// SPDX-License-Identifier: Apache-2.0
#include "steps/snapshot/names.h"

#include "base/cleanup.h"
#include "base/fd_link.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define FAILED_MAX 1000

static const char mark[] = "fcpause: nothing was here before\n";

bool fcp_snapshot_name_exists(const struct fcp_snapshot_file *file, const char *name)
{
	struct stat status;

	return fstatat(file->place.directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0;
}

bool fcp_snapshot_name_is_ours(const struct fcp_snapshot_file *file, const char *name)
{
	return fcp_fd_has_name(file->fd, file->place.directory, name);
}

int fcp_snapshot_rename(const struct fcp_snapshot_file *file, const char *from, const char *to)
{
	int directory = file->place.directory;

	if (renameat2(directory, from, directory, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
		return -1;
	if (fcp_snapshot_name_exists(file, to)) {
		errno = EEXIST;
		return -1;
	}
	return renameat(directory, from, directory, to);
}

/* No permission to read the directory, or the file system cannot sync one. */
static bool cannot_sync(int errnum)
{
	return errnum == EINVAL || errnum == EOPNOTSUPP || errnum == ENOSYS || errnum == EACCES ||
	       errnum == EBADF || errnum == EISDIR || errnum == EROFS || errnum == EPERM;
}

int fcp_snapshot_sync(struct fcp_snapshot_file *file, struct fcp_error *err)
{
	FCP_CLEANUP(fd) int fd = -1;

	if (file->no_sync)
		return 0;
	fd = openat(file->place.directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && fsync(fd) == 0)
		return 0;
	if (!cannot_sync(errno))
		return fcp_error_set(err, FCP_ERR_IO, errno, "directory of %s", file->host);
	file->no_sync = true;
	return 0;
}

int fcp_snapshot_file_check_no_old(const struct fcp_snapshot_file *file, struct fcp_error *err)
{
	/* Left from the test for hard links, or a mark. */
	if (fcp_snapshot_name_is_ours(file, file->old) || fcp_snapshot_old_is_mark(file))
		unlinkat(file->place.directory, file->old, 0);
	if (!fcp_snapshot_name_exists(file, file->old))
		return 0;
	return fcp_error_set(err, FCP_ERR_INPUT, 0,
			     "%s" FCP_OLD_SUFFIX
			     " was left by a killed snapshot: take the snapshot again, or move it "
			     "away",
			     file->host);
}

const char *fcp_snapshot_file_doubt(const struct fcp_snapshot_file *file)
{
	return file->no_sync
		       ? "after a power cut the file may be lost: its directory cannot be synced"
		       : "";
}

int fcp_snapshot_keep_as_failed(const struct fcp_snapshot_file *file, const char *from,
				char path_[4096], struct fcp_error *err)
{
	size_t directory_bytes = strlen(file->host) - strlen(file->name);

	for (int i = 0; i < FAILED_MAX; i++) {
		char number[16] = "";
		FCP_CLEANUP(free) char *name = NULL;

		if (i > 0)
			snprintf(number, sizeof(number), ".%d", i);
		if (asprintf(&name, "%s" FCP_FAILED_SUFFIX "%s", file->name, number) < 0) {
			name = NULL;
			return fcp_error_nomem(err);
		}
		if (fcp_snapshot_rename(file, from, name) == 0) {
			snprintf(path_, 4096, "%.*s%s", (int)directory_bytes, file->host, name);
			return 0;
		}
		if (errno != EEXIST)
			break;
	}
	return fcp_error_set(err, FCP_ERR_IO, errno, "%s" FCP_FAILED_SUFFIX, file->host);
}

int fcp_snapshot_mark_old(const struct fcp_snapshot_file *file, struct fcp_error *err)
{
	FCP_CLEANUP(fd)
	int fd = openat(file->place.directory, file->old,
			O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, mark, sizeof(mark) - 1) != (ssize_t)sizeof(mark) - 1 ||
	    fsync(fd) != 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%s" FCP_OLD_SUFFIX, file->host);
	return 0;
}

bool fcp_snapshot_old_is_mark(const struct fcp_snapshot_file *file)
{
	FCP_CLEANUP(fd)
	int fd = openat(file->place.directory, file->old,
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char text[sizeof(mark)];

	/*
	 * If its writer died early the mark is truncated or empty: there is nothing in it to lose.
	 */
	ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text));

	return got >= 0 && got < (ssize_t)sizeof(mark) && memcmp(text, mark, (size_t)got) == 0;
}
