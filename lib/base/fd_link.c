// SPDX-License-Identifier: Apache-2.0
#include "base/fd_link.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

const char *fcp_fd_link(int fd, char link[FCP_FD_LINK_BYTES])
{
	snprintf(link, FCP_FD_LINK_BYTES, "/proc/self/fd/%d", fd);
	return link;
}

const char *fcp_fd_path(int fd, char *path_, size_t bytes)
{
	char link[FCP_FD_LINK_BYTES];
	ssize_t length = readlink(fcp_fd_link(fd, link), path_, bytes);

	path_[length > 0 && (size_t)length < bytes ? length : 0] = '\0';
	return path_;
}

bool fcp_fd_has_name(int fd, int directory, const char *name)
{
	struct stat opened, named;

	return fstat(fd, &opened) == 0 &&
	       fstatat(directory, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

int fcp_fd_link_error(struct fcp_error *err, enum fcp_error_class error_class, int errnum,
		      const char *name)
{
	if (access("/proc/self/fd", F_OK) == 0)
		return fcp_error_set(err, error_class, errnum, "%.300s", name);
	return fcp_error_set(err, FCP_ERR_IO, errnum, "%.300s: /proc is needed and not mounted", name);
}
