// SPDX-License-Identifier: Apache-2.0
#include "steps/snapshot_files.h"

#include "base/cleanup.h"
#include "base/lock.h"
#include "firecracker/process.h"
#include "memory/file.h"
#include "memory/in_use.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define SUFFIX ".fcpause-tmp"
#define OLD_SUFFIX ".fcpause-old"

/* ---- finding ---- */

/* What stands behind the last slash. */
static const char *name_in(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int check_name(const char *what, const char *path, struct fcp_error *err)
{
	const char *name = path ? name_in(path) : "";

	if (!path || *path == '\0')
		return fcp_error_set(err, FCP_ERR_USAGE, 0, "no path of the %s given", what);
	if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return fcp_error_set(err, FCP_ERR_USAGE, 0, "%s: the %s needs the name of a file", path,
				     what);
	return 0;
}

int fcp_snapshot_files_check_names(const struct fcp_snapshot_settings *settings,
				   struct fcp_error *err)
{
	if (check_name("snapshot file", settings->snapshot_path, err) != 0 ||
	    check_name("memory file", settings->mem_file_path, err) != 0)
		return -1;
	if (strcmp(settings->snapshot_path, settings->mem_file_path) == 0)
		return fcp_error_set(err, FCP_ERR_USAGE, 0,
				     "%s: the snapshot file and the memory file are the same",
				     settings->snapshot_path);
	return 0;
}

/* The directory of a path, owned; NULL: no memory. */
static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return strdup(".");
	return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

static int join(char **path_, const char *directory, const char *name, struct fcp_error *err)
{
	if (asprintf(path_, "%s/%s", directory, name) >= 0)
		return 0;
	*path_ = NULL;
	return fcp_error_nomem(err);
}

static char *append(const char *name, const char *suffix)
{
	char *joined;

	return asprintf(&joined, "%s%s", name, suffix) >= 0 ? joined : NULL;
}

static int check_unused(const struct fcp_snapshot_file *file, int path_fd, struct fcp_error *err)
{
	FCP_CLEANUP(fd) int fd = fcp_file_reopen(path_fd, file->host, O_RDONLY, err);
	struct fcp_in_use use;

	if (fd < 0 || fcp_in_use_find(fd, &use, err) != 0)
		return -1;
	if (use.how != FCP_IN_USE_NOT)
		return fcp_error_set(err, FCP_ERR_BUSY, 0, "%s: in use: process %d (%s) %s", file->host,
				     (int)use.pid, use.comm, fcp_in_use_text(use.how));
	return 0;
}

/* The target itself: not there, or a file that nobody uses and that may be replaced. What is refused
 * anyway is not opened, which would end another run's claim of it. */
static int check_target(const struct fcp_snapshot_file *file, bool force, struct fcp_error *err)
{
	FCP_CLEANUP(fd) int path_fd = openat(file->place.directory, file->name,
					     O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat target;

	if (path_fd < 0 && errno == ENOENT)
		return 0;
	if (path_fd < 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%s", file->host);
	if (fstat(path_fd, &target) != 0 || !S_ISREG(target.st_mode))
		return fcp_error_set(err, FCP_ERR_INPUT, 0, "%s is there and is no regular file",
				     file->host);
	if (!force)
		return fcp_error_set(err, FCP_ERR_INPUT, 0,
				     "%s is there already, and is replaced only with force", file->host);
	return check_unused(file, path_fd, err);
}

static int find(const char *path, const struct fcp_snapshot_settings *settings, pid_t pid,
		struct fcp_snapshot_file *file, struct fcp_error *err)
{
	FCP_CLEANUP(free) char *directory = directory_of(path);

	file->name = strdup(name_in(path));
	if (!directory || !file->name)
		return fcp_error_nomem(err);
	if (fcp_place_open(pid, settings->chroot_base, directory, &file->place, err) != 0)
		return fcp_error_wrap(err, "%s", path);
	file->temporary = append(file->name, SUFFIX);
	file->old = append(file->name, OLD_SUFFIX);
	if (!file->temporary || !file->old)
		return fcp_error_nomem(err);
	if (join(&file->seen, file->place.seen, file->temporary, err) != 0 ||
	    join(&file->host, file->place.host, file->name, err) != 0)
		return -1;
	return 0;
}

int fcp_snapshot_files_find(const struct fcp_snapshot_settings *settings, pid_t pid,
			    struct fcp_snapshot_files *files, struct fcp_error *err)
{
	if (fcp_snapshot_files_check_names(settings, err) != 0 ||
	    find(settings->snapshot_path, settings, pid, &files->snapshot, err) != 0 ||
	    find(settings->mem_file_path, settings, pid, &files->memory, err) != 0)
		return -1;
	files->force = settings->force;
	if (strcmp(files->snapshot.seen, files->memory.seen) == 0)
		return fcp_error_set(err, FCP_ERR_USAGE, 0,
				     "%s: the snapshot file and the memory file are the same",
				     files->snapshot.host);
	return 0;
}

int fcp_snapshot_files_check_targets(const struct fcp_snapshot_files *files, struct fcp_error *err)
{
	if (check_target(&files->snapshot, files->force, err) != 0)
		return -1;
	return check_target(&files->memory, files->force, err);
}

static int room_for(const struct fcp_snapshot_file *file, uint64_t needed_bytes,
		    struct fcp_error *err)
{
	struct statvfs room;
	uint64_t free_bytes;

	if (fstatvfs(file->place.directory, &room) != 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%s", file->host);
	free_bytes = (uint64_t)room.f_bavail * room.f_frsize;
	if (free_bytes >= needed_bytes)
		return 0;
	return fcp_error_set(err, FCP_ERR_IO, ENOSPC,
			     "%s: it can need %lu MiB, and %lu MiB are free; the VM was not paused",
			     file->host, (unsigned long)(needed_bytes >> 20),
			     (unsigned long)(free_bytes >> 20));
}

int fcp_snapshot_files_room(const struct fcp_snapshot_files *files, uint64_t memory_bytes,
			    uint64_t snapshot_bytes, struct fcp_error *err)
{
	/* Both may come out of the same room. */
	if (room_for(&files->memory, memory_bytes + snapshot_bytes, err) != 0)
		return -1;
	return room_for(&files->snapshot, snapshot_bytes, err);
}

static int lock_target(struct fcp_snapshot_file *file, struct fcp_error *err)
{
	struct stat directory;

	if (fstat(file->place.directory, &directory) != 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%s", file->host);
	return fcp_lock_take(&directory, file->name, file->host, &file->lock, err);
}

int fcp_snapshot_files_lock(struct fcp_snapshot_files *files, struct fcp_error *err)
{
	if (lock_target(&files->memory, err) != 0)
		return -1;
	return lock_target(&files->snapshot, err);
}

/* ---- the temporary files ---- */

/* Firecracker must be able to write it; only root can and need give it away. */
static int give_to(int fd, pid_t pid, const char *path, struct fcp_error *err)
{
	uid_t uid;
	gid_t gid;

	if (!fcp_process_owner(pid, &uid, &gid) || uid == geteuid())
		return 0;
	if (fchown(fd, uid, gid) != 0 && uid != 0)
		return fcp_error_set(err, FCP_ERR_IO, errno,
				     "%s: Firecracker's user %u could not write it", path, (unsigned)uid);
	return 0;
}

/* What stands there is of a run that was killed: the lock is ours. O_EXCL makes a new inode, so that
 * nobody else has it open, and follows no link. */
static int begin(struct fcp_snapshot_file *file, pid_t pid, struct fcp_error *err)
{
	int directory = file->place.directory;

	if (unlinkat(directory, file->temporary, 0) != 0 && errno != ENOENT)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%s" SUFFIX, file->host);
	file->fd = openat(directory, file->temporary,
			  O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (file->fd < 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%s" SUFFIX, file->host);
	return give_to(file->fd, pid, file->host, err);
}

int fcp_snapshot_files_begin(struct fcp_snapshot_files *files, pid_t pid, struct fcp_error *err)
{
	if (begin(&files->memory, pid, err) != 0)
		return -1;
	return begin(&files->snapshot, pid, err);
}

int fcp_snapshot_files_check(const struct fcp_snapshot_files *files, uint64_t memory_bytes,
			     struct fcp_error *err)
{
	struct stat memory, snapshot;

	if (fstat(files->memory.fd, &memory) != 0 || fstat(files->snapshot.fd, &snapshot) != 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%s" SUFFIX, files->memory.host);
	if ((uint64_t)memory.st_size != memory_bytes)
		return fcp_error_set(err, FCP_ERR_PROTOCOL, 0,
				     "Firecracker says it is done, but %s" SUFFIX " has %lld bytes, not %llu",
				     files->memory.host, (long long)memory.st_size,
				     (unsigned long long)memory_bytes);
	if (snapshot.st_size == 0)
		return fcp_error_set(err, FCP_ERR_PROTOCOL, 0,
				     "Firecracker says it is done, but %s" SUFFIX " is empty",
				     files->snapshot.host);
	return 0;
}

/* ---- the end ---- */

static void clear(struct fcp_snapshot_file *file)
{
	if (file->fd >= 0) {
		unlinkat(file->place.directory, file->temporary, 0);
		close(file->fd);
	}
	if (file->published >= 0)
		close(file->published);
	if (file->lock >= 0)
		close(file->lock);
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
	clear(&files->snapshot);
	clear(&files->memory);
}
