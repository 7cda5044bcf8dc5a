// SPDX-License-Identifier: Apache-2.0
#include "base/fd_link.h"

#include <stdio.h>
#include <unistd.h>

const char *fcp_fd_link(int fd, char link[FCP_FD_LINK_BYTES])
{
	snprintf(link, FCP_FD_LINK_BYTES, "/proc/self/fd/%d", fd);
	return link;
}

int fcp_fd_link_error(struct fcp_error *err, enum fcp_error_class error_class, int errnum,
		      const char *name)
{
	if (access("/proc/self/fd", F_OK) == 0)
		return fcp_error_set(err, error_class, errnum, "%.300s", name);
	return fcp_error_set(err, FCP_ERR_IO, errnum, "%.300s: /proc is needed and not mounted", name);
}
