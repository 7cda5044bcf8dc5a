// SPDX-License-Identifier: Apache-2.0
#include "memory/in_use_process.h"

#include "base/cleanup.h"
#include "base/fd_link.h"
#include "base/maps.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#define MAPS_BUFFER_BYTES (256 << 10)

/* Without asking the file's server, which might never answer (AT_STATX_DONT_SYNC). */
static bool get_status(int dirfd, const char *path, struct statx *status_)
{
	return statx(dirfd, path, AT_STATX_DONT_SYNC, STATX_BASIC_STATS, status_) == 0;
}

int fcp_used_file_init(int fd, struct fcp_used_file *file_, struct fcp_error *err)
{
	struct statfs fs;

	*file_ = (struct fcp_used_file){.maps = malloc(MAPS_BUFFER_BYTES)};
	if (!file_->maps)
		return fcp_error_nomem(err);
	if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &file_->status) != 0) {
		fcp_used_file_clear(file_);
		return fcp_error_set(err, FCP_ERR_IO, errno, "statx");
	}
	fcp_fd_path(fd, file_->path, sizeof(file_->path));
	snprintf(file_->inode_text, sizeof(file_->inode_text), " %ju",
		 (uintmax_t)file_->status.stx_ino);
	file_->has_layers = fstatfs(fd, &fs) == 0 && (uint32_t)fs.f_type == OVERLAYFS_SUPER_MAGIC;
	return 0;
}

void fcp_used_file_clear(struct fcp_used_file *file)
{
	free(file->maps);
	file->maps = NULL;
}

static bool same_time(const struct statx_timestamp *a, const struct statx_timestamp *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/*
 * The change time, in nanoseconds, identifies the file, since nobody can set it: on overlayfs the
 * same file has another device and inode number in the upper layer.
 */
static bool is_used_file(const struct fcp_used_file *file, const struct statx *other)
{
	const struct statx *ours = &file->status;
	bool same_inode = ours->stx_ino == other->stx_ino;

	if (same_inode && ours->stx_dev_major == other->stx_dev_major &&
	    ours->stx_dev_minor == other->stx_dev_minor)
		return true;
	return (same_inode || file->has_layers) && S_ISREG(other->stx_mode) &&
	       ours->stx_size == other->stx_size &&
	       same_time(&ours->stx_mtime, &other->stx_mtime) &&
	       same_time(&ours->stx_ctime, &other->stx_ctime);
}

/* ---- mappings ---- */

/*
 * On btrfs and overlayfs the device in maps differs from stat(2)'s: then the link in map_files
 * decides or, if it may not be followed, the path.
 */
static bool is_our_line(const struct fcp_used_file *file, int proc, char *text,
			struct fcp_process_use *use)
{
	const struct statx *ours = &file->status;
	struct fcp_mapping mapping;
	struct statx mapped;
	char link[64];

	if (!fcp_mapping_parse(text, &mapping) || mapping.inode == 0 ||
	    (mapping.inode != ours->stx_ino && !file->has_layers))
		return false;
	if (mapping.inode == ours->stx_ino &&
	    mapping.dev == makedev(ours->stx_dev_major, ours->stx_dev_minor))
		return true;
	snprintf(link, sizeof(link), "map_files/%" PRIx64 "-%" PRIx64, mapping.start, mapping.end);
	if (get_status(proc, link, &mapped))
		return is_used_file(file, &mapped);
	if (strcmp(mapping.path, file->path) == 0)
		return true;
	use->hidden |= file->has_layers && (errno == EPERM || errno == EACCES);
	return false;
}

/*
 * The next line in text (NUL-terminated, whole lines), from *at on, that may be our file's; NULL:
 * none.
 */
static char *next_line(const struct fcp_used_file *file, char *text, char **at)
{
	char *line = file->has_layers ? *at : strstr(*at, file->inode_text);
	char *end;

	if (!line || *line == '\0')
		return NULL;
	end = strchrnul(line, '\n');
	while (line > text && line[-1] != '\n' && line[-1] != '\0')
		line--;
	*at = *end ? end + 1 : end;
	*end = '\0';
	return line;
}

static bool maps_name_it(const struct fcp_used_file *file, int proc, char *text,
			 struct fcp_process_use *use)
{
	char *at = text, *line;

	while ((line = next_line(file, text, &at)) != NULL)
		if (is_our_line(file, proc, line, use))
			return true;
	return false;
}

/* 1: maps the file; 0: does not; -1: cannot be read (errno). *empty_: it has no memory at all. */
static int read_maps(const struct fcp_used_file *file, int proc, bool *empty_,
		     struct fcp_process_use *use)
{
	FCP_CLEANUP(fd) int fd = openat(proc, "maps", O_RDONLY | O_CLOEXEC);
	size_t held = 0;
	ssize_t got;

	*empty_ = true;
	if (fd < 0)
		return -1;
	while ((got = read(fd, file->maps + held, MAPS_BUFFER_BYTES - 1 - held)) > 0) {
		char *last;

		*empty_ = false;
		held += (size_t)got;
		file->maps[held] = '\0';
		last = strrchr(file->maps, '\n');
		if (!last)
			continue;
		*last = '\0';
		if (maps_name_it(file, proc, file->maps, use))
			return 1;
		held -= (size_t)(last + 1 - file->maps);
		memmove(file->maps, last + 1, held);
	}
	return got < 0 ? -1 : 0;
}

/* ---- descriptors ---- */

struct fdinfo {
	unsigned long flags; /* O_RDONLY if unknown */
	bool has_inode;	     /* Linux 5.14 and later show it */
	uintmax_t inode;
};

static void read_fdinfo(int proc, const char *number, struct fdinfo *info_)
{
	char path[64], text[512];
	FCP_CLEANUP(fd) int fd = -1;
	const char *flags, *inode;
	ssize_t got;

	*info_ = (struct fdinfo){.flags = O_RDONLY};
	snprintf(path, sizeof(path), "fdinfo/%.32s", number);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (got <= 0)
		return;
	text[got] = '\0';
	flags = strstr(text, "flags:");
	if (flags)
		info_->flags = strtoul(flags + strlen("flags:"), NULL, 8);
	inode = strstr(text, "\nino:");
	info_->has_inode = inode != NULL;
	if (inode)
		info_->inode = strtoumax(inode + strlen("\nino:"), NULL, 10);
}

/* Cheapest checks first; only the last one follows the link. */
static bool is_our_fd(const struct fcp_used_file *file, int proc, int fds, const char *number,
		      struct fdinfo *info_)
{
	struct statx target;
	char first;

	/* Sockets, pipes, ... have no path. */
	if (readlinkat(fds, number, &first, 1) != 1 || first != '/')
		return false;
	read_fdinfo(proc, number, info_);
	if (info_->has_inode && info_->inode != file->status.stx_ino && !file->has_layers)
		return false;
	return get_status(fds, number, &target) && is_used_file(file, &target);
}

/* -1: cannot be read (errno). */
static int read_fds(const struct fcp_used_file *file, int proc, struct fcp_process_use *use)
{
	int fd = openat(proc, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	FCP_CLEANUP(dir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	struct fdinfo info;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.' || !is_our_fd(file, proc, fd, entry->d_name, &info))
			continue;
		if ((info.flags & O_ACCMODE) == O_RDONLY)
			use->readers++;
		else
			use->writers++;
		use->all_close_on_exec &= (info.flags & O_CLOEXEC) != 0;
	}
	return 0;
}

static bool is_denied(int result)
{
	return result < 0 && (errno == EACCES || errno == EPERM);
}

void fcp_process_use(const struct fcp_used_file *file, int proc, struct fcp_process_use *use_)
{
	struct fcp_process_use use = {.all_close_on_exec = true};
	bool empty;
	int maps = read_maps(file, proc, &empty, &use);

	use.hidden |= is_denied(maps);
	use.mapped = maps > 0;
	if (maps != 0 || !empty) /* else a kernel thread, a zombie */
		use.hidden |= is_denied(read_fds(file, proc, &use));
	*use_ = use;
}
