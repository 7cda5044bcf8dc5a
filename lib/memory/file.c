// SPDX-License-Identifier: Apache-2.0
#include "memory/file.h"

#include "base/deadline.h"
#include "base/fd_link.h"
#include "base/units.h"
#include "memory/claim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

int fcp_file_check(const struct fcp_file *file, uint64_t *size_bytes_, struct fcp_error *err)
{
	struct stat status;

	if (fstat(file->fd, &status) < 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%.200s", file->name);
	if (!S_ISREG(status.st_mode))
		return fcp_error_set(err, FCP_ERR_INPUT, 0, "%.200s: not a regular file",
				     file->name);
	if (status.st_size == 0)
		return fcp_error_set(err, FCP_ERR_INPUT, 0, "%.200s: empty", file->name);
	if ((uint64_t)status.st_size % FCP_PAGE_BYTES != 0)
		return fcp_error_set(
			err, FCP_ERR_INPUT, 0,
			"%.200s: not a memory file: its size, %lld bytes, is not a multiple of "
			"4096",
			file->name, (long long)status.st_size);
	*size_bytes_ = (uint64_t)status.st_size;
	return 0;
}

/*
 * O_NONBLOCK: a file claimed by another fcpause (memory/claim.h) fails at once, and a FIFO does not
 * wait for its other end.
 */
int fcp_file_reopen(int path_fd, const char *name, int flags, struct fcp_error *err)
{
	bool held = fcp_claim_is_held(path_fd);
	char link[FCP_FD_LINK_BYTES];
	int fd = -1;

	if (!held)
		fd = open(fcp_fd_link(path_fd, link), flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (held || (fd < 0 && errno == EWOULDBLOCK))
		return fcp_error_set(err, FCP_ERR_LOCKED, 0,
				     "%.200s: another fcpause is using it (it holds a lease)",
				     name);
	if (fd < 0)
		return fcp_fd_link_error(err, errno == ETXTBSY ? FCP_ERR_BUSY : FCP_ERR_IO, errno,
					 name);
	return fd;
}

int fcp_file_open(struct fcp_file *file, int path_fd, bool for_writing, uint64_t *size_bytes_,
		  struct fcp_error *err)
{
	file->fd = fcp_file_reopen(path_fd, file->name, for_writing ? O_RDWR : O_RDONLY, err);
	return file->fd < 0 ? -1 : fcp_file_check(file, size_bytes_, err);
}

int fcp_file_wanted(const struct fcp_file *file, struct fcp_error *err)
{
	return fcp_error_set(err, FCP_ERR_BUSY, 0, "%.200s: somebody opened it; stopped",
			     file->name);
}

int fcp_file_poll(const struct fcp_file *file, struct fcp_error *err)
{
	if (fcp_cancelled(file->cancel_fd))
		return fcp_error_set(err, FCP_ERR_INTERRUPTED, 0, "%.200s: interrupted",
				     file->name);
	if (file->claim && fcp_claim_lost(file->claim))
		return fcp_file_wanted(file, err);
	return 0;
}
