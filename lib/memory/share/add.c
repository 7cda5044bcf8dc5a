// SPDX-License-Identifier: Apache-2.0
/* The files to share with: frozen, and with an index. */
#include "memory/share/share.h"

#include "base/cleanup.h"
#include "base/units.h"
#include "memory/lease.h"
#include "memory/share/index_file.h"
#include "memory/share/look.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>

static const char *why_not(int errnum)
{
	switch (errnum) {
	case EXDEV:
		return "it is on another file system";
	case EOPNOTSUPP:
	case ENOTTY:
	case ENOSYS:
	case EISDIR: /* of O_TMPFILE */
		return "the file system has no reflinks";
	case EINVAL: /* btrfs, of a file that is not copied on write (chattr +C) */
		return "the file system does not clone it";
	case ENOSPC:
	case EDQUOT:
		return "there is no room to freeze it";
	default:
		return "it cannot be frozen";
	}
}

/* A copy of the file as it is now, that nobody else can reach. -1 with *why_. */
static int freeze_file(const struct fcp_share_file *file, const char **why_)
{
	FCP_CLEANUP(fd) int fd = openat(file->directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	struct statvfs system;

	if (fd < 0 || ioctl(fd, FICLONE, file->fd) != 0 || fstatvfs(fd, &system) != 0) {
		*why_ = why_not(errno);
		return -1;
	}
	/* Else a part of a page could be a hole in it, and become one in what is cloned. */
	if (system.f_frsize < FCP_PAGE_BYTES) {
		*why_ = "the file system's blocks are smaller than a page";
		return -1;
	}
	return fcp_steal_fd(&fd);
}

/*
 * Of the file as it was before it is frozen; built from the file itself, which is in the page cache
 * rather than a copy. What is written after that is not found.
 */
static int find_index(const struct fcp_share_set *set, struct fcp_share_source *source, bool keep,
		      struct fcp_error *err)
{
	const struct fcp_share_file *file = &source->file;
	struct fcp_share_index_build build = {.fd = file->fd,
					      .name = file->name,
					      .hash = set->hash ? set->hash : fcp_share_hash_block,
					      .cancel_fd = file->cancel_fd};
	struct stat of;

	if (fstat(file->fd, &of) != 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%.200s", file->name);
	source->index_read = fcp_share_index_read(file->fd, &of, &source->index);
	if (source->index_read)
		return 0;
	build.bytes = (uint64_t)of.st_size;
	if (fcp_share_index_build(&build, &source->index, err) != 0)
		return -1;
	if (keep && !source->index.partial)
		fcp_share_index_keep(file->fd, &of, &source->index);
	return 0;
}

/* 0 with source->why where it has none; -1: interrupted. */
static int need_index(const struct fcp_share_set *set, struct fcp_share_source *source, bool keep,
		      struct fcp_error *err)
{
	if (find_index(set, source, keep, err) == 0)
		return 0;
	if (err->error_class == FCP_ERR_INTERRUPTED)
		return -1;
	source->why = err->error_class == FCP_ERR_MEMORY ? "there is no memory for its index"
							 : "it cannot be read";
	return 0;
}

int fcp_share_add(struct fcp_share_set *set, const struct fcp_share_file *file,
		  struct fcp_error *err)
{
	struct fcp_share_source *source = &set->sources[set->count++];
	FCP_CLEANUP(fd) int tried = -1;

	*source = (struct fcp_share_source){.file = *file, .fd = -1, .live = -1};
	/* An index is no use where that is not possible. */
	tried = freeze_file(file, &source->why);
	return tried < 0 ? 0 : need_index(set, source, true, err);
}

int fcp_share_add_to_look(struct fcp_share_set *set, const struct fcp_share_file *file,
			  struct fcp_error *err)
{
	struct fcp_share_source *source = &set->sources[set->count++];
	struct stat of;

	*source = (struct fcp_share_source){.file = *file, .fd = -1, .live = -1};
	if (need_index(set, source, false, err) != 0)
		return -1;
	if (source->why)
		return 0;
	source->fd = fcntl(file->fd, F_DUPFD_CLOEXEC, 0);
	if (source->fd < 0 || fstat(source->fd, &of) != 0)
		source->why = "it cannot be read";
	else
		source->blocks = (uint64_t)of.st_size / FCP_PAGE_BYTES;
	return 0;
}

/* A lease belongs to what open(2) returned: to the copy of the descriptor, too. */
static void hold_live(struct fcp_share_source *source)
{
	int fd = source->file.fd;

	if (!fcp_lease_counts_mappings(fd) || !fcp_lease_take_reading(fd))
		return;
	source->live = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	source->is_live = source->live >= 0;
	if (!source->is_live)
		fcp_lease_drop(fd);
}

static void let_go(struct fcp_share_source *source)
{
	if (source->live >= 0) {
		fcp_lease_drop(source->live);
		close(source->live);
	}
	source->live = -1;
	source->is_live = false;
}

static void freeze_source(struct fcp_share_source *source)
{
	struct stat frozen;

	hold_live(source);
	source->fd = freeze_file(&source->file, &source->why);
	if (source->fd >= 0 && fstat(source->fd, &frozen) == 0) {
		source->blocks = (uint64_t)frozen.st_size / FCP_PAGE_BYTES;
		return;
	}
	let_go(source);
}

void fcp_share_freeze(struct fcp_share_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		if (!set->sources[i].why)
			freeze_source(&set->sources[i]);
}

bool fcp_share_is_possible(const struct fcp_share_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->sources[i].fd >= 0)
			return true;
	return false;
}

void fcp_share_clear(struct fcp_share_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		struct fcp_share_source *source = &set->sources[i];

		if (source->fd >= 0)
			close(source->fd);
		let_go(source);
		fcp_share_index_clear(&source->index);
	}
	*set = (struct fcp_share_set){0};
}
