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

static bool same_inode(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

bool fcp_fd_same_file(int a, int b)
{
	struct stat of_a, of_b;

	return fstat(a, &of_a) == 0 && fstat(b, &of_b) == 0 && same_inode(&of_a, &of_b);
}

bool fcp_fd_has_name(int fd, int directory, const char *name)
{
	struct stat opened, named;

	return fstat(fd, &opened) == 0 &&
	       fstatat(directory, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       same_inode(&opened, &named);
}

int fcp_fd_link_error(struct fcp_error *err, enum fcp_error_class error_class, int errnum,
		      const char *name)
{
	if (access("/proc/self/fd", F_OK) == 0)
		return fcp_error_set(err, error_class, errnum, "%.300s", name);
	return fcp_error_set(err, FCP_ERR_IO, errnum, "%.300s: /proc is needed and not mounted",
			     name);
}
