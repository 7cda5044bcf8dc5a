// SPDX-License-Identifier: Apache-2.0
/* What is open, and a path to it: /proc/self/fd/N (proc_pid_fd(5)), or a name in a directory. */
#ifndef FCP_BASE_FD_LINK_H
#define FCP_BASE_FD_LINK_H

#include "base/error.h"

#define FCP_FD_LINK_BYTES 32

/* Writes the path into link; returns it. */
const char *fcp_fd_link(int fd, char link[FCP_FD_LINK_BYTES]);

/* The path by which fd was opened, as the kernel has it now; "" where it does not fit or is not known.
 * Returns path_. */
const char *fcp_fd_path(int fd, char *path_, size_t bytes);

/* Are both open on the same file? */
bool fcp_fd_same_file(int a, int b);

/* Does the name in the directory, which is no symbolic link, lead to what fd is? */
bool fcp_fd_has_name(int fd, int directory, const char *name);

/* For a path of fcp_fd_link() that did not lead to name: where there is no /proc the message says
 * so, else errnum is the reason. Returns -1. */
int fcp_fd_link_error(struct fcp_error *err, enum fcp_error_class error_class, int errnum,
		      const char *name);

#endif
