// SPDX-License-Identifier: Apache-2.0
#include "base/replace_file.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <sys/stat.h>

static int write_all(int fd, const char *bytes, size_t count)
{
	while (count > 0) {
		ssize_t put = write(fd, bytes, count);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -1;
		bytes += put;
		count -= (size_t)put;
	}
	return 0;
}

static int fill(int fd, const struct fcp_file_text *text, mode_t mode)
{
	if (write_all(fd, text->bytes, text->count) < 0 || fchmod(fd, mode) < 0)
		return -1;
	return 0;
}

int fcp_file_replace(const char *path, const struct fcp_file_text *text, mode_t mode,
		     struct fcp_error *err)
{
	FCP_CLEANUP(free) char *temporary = NULL;
	int fd, done, saved;

	if (asprintf(&temporary, "%s.fcpause-tmp.XXXXXX", path) < 0) {
		temporary = NULL;
		return fcp_error_nomem(err);
	}
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%.200s", path);
	done = fill(fd, text, mode);
	saved = errno;
	if (close(fd) < 0 && done == 0) {
		done = -1;
		saved = errno;
	}
	if (done == 0 && rename(temporary, path) == 0)
		return 0;
	saved = done == 0 ? errno : saved;
	unlink(temporary);
	return fcp_error_set(err, FCP_ERR_IO, saved, "%.200s", path);
}
