// SPDX-License-Identifier: Apache-2.0
/* Paths of open files: /proc/self/fd/N (proc_pid_fd(5)), or a name in a directory. */
#ifndef FCP_BASE_FD_LINK_H
#define FCP_BASE_FD_LINK_H

#include "base/error.h"

#define FCP_FD_LINK_BYTES 32

/* Writes the path into link; returns it. */
const char *fcp_fd_link(int fd, char link[FCP_FD_LINK_BYTES]);

/*
 * The current path of the file that fd was opened by, as the kernel knows it; "" if unknown or too
 * long. Returns path_.
 */
const char *fcp_fd_path(int fd, char *path_, size_t bytes);

/* Do both refer to the same file? */
bool fcp_fd_same_file(int a, int b);

/* Is this name in the directory, which must not be a symbolic link, the file that fd refers to? */
bool fcp_fd_has_name(int fd, int directory, const char *name);

/* Why opening a path of fcp_fd_link() for name failed: no /proc, or else errnum. Returns -1. */
int fcp_fd_link_error(struct fcp_error *err, enum fcp_error_class error_class, int errnum,
		      const char *name);

#endif
