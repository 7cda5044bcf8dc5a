// SPDX-License-Identifier: Apache-2.0
#include "cmd/output/write_file.h"

#include "base/cleanup.h"
#include "base/error.h"

#include <fcntl.h>
#include <string.h>
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

/* mkostemp(3) makes files for nobody else; this one is as any other. */
static mode_t usual_mode(const char *path)
{
	struct stat status;
	mode_t mask;

	if (stat(path, &status) == 0)
		return status.st_mode & 0777;
	mask = umask(0);
	umask(mask);
	return 0666 & ~mask;
}

static int fill(const char *path, int fd, const char *bytes, size_t count)
{
	if (write_all(fd, bytes, count) < 0 || fchmod(fd, usual_mode(path)) < 0)
		return -1;
	return 0;
}

static int replace(const char *path, const char *bytes, size_t count, struct fcp_error *err)
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
	done = fill(path, fd, bytes, count);
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

int write_file(const char *path, const char *bytes, size_t count, struct fcp_error *err)
{
	FCP_CLEANUP(free) char *target = realpath(path, NULL);
	struct stat status;

	if (target && stat(target, &status) == 0 && !S_ISREG(status.st_mode))
		return fcp_error_set(err, FCP_ERR_INPUT, 0, "%.200s: not a regular file", path);
	return replace(target ? target : path, bytes, count, err);
}
