// SPDX-License-Identifier: Apache-2.0
#include "memory/pages.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <unistd.h>

int fcp_pages_read(int fd, const char *name, struct fcp_range range, unsigned char *buffer_,
		   struct fcp_error *err)
{
	for (uint64_t at = range.start; at < range.end;) {
		ssize_t got = pread(fd, buffer_ + (at - range.start), (size_t)(range.end - at),
				    (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return fcp_error_set(err, FCP_ERR_IO, got < 0 ? errno : 0,
					     "%.200s: cannot read", name);
		at += (uint64_t)got;
	}
	return 0;
}

int fcp_pages_write(int fd, const char *name, struct fcp_range range, const unsigned char *pages,
		    struct fcp_error *err)
{
	for (uint64_t at = range.start; at < range.end;) {
		ssize_t put =
			pwrite(fd, pages + (at - range.start), (size_t)(range.end - at), (off_t)at);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return fcp_error_set(err, FCP_ERR_IO, errno, "%.200s: cannot write", name);
		at += (uint64_t)put;
	}
	return 0;
}

int fcp_pages_punch(int fd, struct fcp_range range)
{
	while (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)range.start,
			 (off_t)(range.end - range.start)) != 0)
		if (errno != EINTR)
			return errno;
	return 0;
}
