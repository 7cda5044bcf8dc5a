// SPDX-License-Identifier: Apache-2.0
#include "steps/snapshot/base.h"

#include "base/cleanup.h"
#include "base/fd_link.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static int check_size(int fd, const char *name, uint64_t bytes, struct fcp_error *err)
{
	struct stat file;

	if (fstat(fd, &file) != 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%.200s", name);
	if (!S_ISREG(file.st_mode))
		return fcp_error_set(err, FCP_ERR_INPUT, 0,
				     "%.200s: the base is not a regular file", name);
	if ((uint64_t)file.st_size != bytes)
		return fcp_error_set(err, FCP_ERR_INPUT, 0,
				     "%.200s: the base has %lld bytes, the VM's memory %llu", name,
				     (long long)file.st_size, (unsigned long long)bytes);
	return 0;
}

static int open_given(const char *given, uint64_t bytes, struct fcp_snapshot_base *base,
		      struct fcp_error *err)
{
	FCP_CLEANUP(fd) int fd = open(given, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return fcp_error_set(err, FCP_ERR_INPUT, errno, "%.200s: the base", given);
	if (check_size(fd, given, bytes, err) != 0)
		return -1;
	snprintf(base->path, sizeof(base->path), "%s", given);
	base->fd = fcp_steal_fd(&fd);
	return 0;
}

/* All pieces of a file must belong to one file, at their offsets in the memory file. */
static const struct fcp_guest_piece *mapped_piece(const struct fcp_guest_ram *ram,
						  struct fcp_error *err)
{
	const struct fcp_guest_piece *first = NULL;

	for (size_t i = 0; i < ram->piece_count; i++) {
		const struct fcp_guest_piece *piece = &ram->pieces[i];

		if (!piece->of_file)
			continue;
		if (!first)
			first = piece;
		if (piece->inode != first->inode || piece->dev != first->dev ||
		    piece->file_offset != piece->offset) {
			fcp_error_set(
				err, FCP_ERR_UNSUPPORTED, 0,
				"guest memory is mapped from more than one file, or out of order");
			return NULL;
		}
	}
	if (!first)
		fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0,
			      "the file that the VM was restored from is no longer mapped");
	return first;
}

static int open_mapped(const struct fcp_guest_ram *ram, uint64_t bytes,
		       struct fcp_snapshot_base *base, struct fcp_error *err)
{
	const struct fcp_guest_piece *piece = mapped_piece(ram, err);
	FCP_CLEANUP(fd) int fd = piece ? fcp_guest_piece_open(ram->pid, piece, O_RDONLY, err) : -1;

	if (fd < 0 || check_size(fd, "the file that the VM was restored from", bytes, err) != 0) {
		err->error_class = FCP_ERR_UNSUPPORTED;
		return -1;
	}
	fcp_fd_path(fd, base->path, sizeof(base->path));
	base->fd = fcp_steal_fd(&fd);
	return 0;
}

/* A given base must be the mapped file: unchanged pages have its bytes. */
static int check_given(const struct fcp_snapshot_base *base, const char *given,
		       struct fcp_error *err)
{
	struct stat mapped, named;

	if (!given)
		return 0;
	if (stat(given, &named) != 0)
		return fcp_error_set(err, FCP_ERR_INPUT, errno, "%.200s: the base", given);
	if (fstat(base->fd, &mapped) == 0 && mapped.st_dev == named.st_dev &&
	    mapped.st_ino == named.st_ino)
		return 0;
	return fcp_error_set(
		err, FCP_ERR_INPUT, 0,
		"%.200s is not the file that the VM was restored from, which is %.200s", given,
		base->path);
}

int fcp_snapshot_base_open(const struct fcp_guest_ram *ram, const char *given, uint64_t bytes,
			   struct fcp_snapshot_base *base_, struct fcp_error *err)
{
	*base_ = (struct fcp_snapshot_base)FCP_SNAPSHOT_BASE_NONE;
	switch (ram->backing) {
	case FCP_GUEST_BACKING_FILE:
		if (open_mapped(ram, bytes, base_, err) != 0)
			return -1;
		return check_given(base_, given, err);
	case FCP_GUEST_BACKING_USERFAULT:
		if (ram->pieces[0].shared)
			return fcp_error_set(
				err, FCP_ERR_UNSUPPORTED, 0,
				"a page-fault handler fills shared guest memory in: which pages "
				"are still missing is unknown");
		if (!given)
			return fcp_error_set(
				err, FCP_ERR_UNSUPPORTED, 0,
				"a page-fault handler fills guest memory in, and the file that it "
				"takes the pages from is unknown");
		return open_given(given, bytes, base_, err);
	case FCP_GUEST_BACKING_ANONYMOUS:
	case FCP_GUEST_BACKING_HUGETLB:
	case FCP_GUEST_BACKING_SHARED:
		break;
	}
	if (given)
		return fcp_error_set(err, FCP_ERR_INPUT, 0,
				     "%.200s: this VM has no base: it was not restored from a file",
				     given);
	return 0;
}

void fcp_snapshot_base_close(struct fcp_snapshot_base *base)
{
	if (base->fd >= 0)
		close(base->fd);
	base->fd = -1;
}
