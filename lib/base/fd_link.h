// SPDX-License-Identifier: Apache-2.0
/* /proc/self/fd/N (proc_pid_fd(5)): what is open, by a path. */
#ifndef FCP_BASE_FD_LINK_H
#define FCP_BASE_FD_LINK_H

#include "base/error.h"

#define FCP_FD_LINK_BYTES 32

/* Writes the path into link; returns it. */
const char *fcp_fd_link(int fd, char link[FCP_FD_LINK_BYTES]);

/* For a path of fcp_fd_link() that did not lead to name: where there is no /proc the message says
 * so, else errnum is the reason. Returns -1. */
int fcp_fd_link_error(struct fcp_error *err, enum fcp_error_class error_class, int errnum,
		      const char *name);

#endif
