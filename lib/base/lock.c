// SPDX-License-Identifier: Apache-2.0
#include "base/lock.h"

#include "base/cleanup.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

/* FNV-1a: names are longer than a socket's name may be. */
static uint64_t hash(const char *name)
{
	uint64_t value = UINT64_C(0xcbf29ce484222325);

	for (; *name; name++)
		value = (value ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
	return value;
}

int fcp_lock_take(const struct stat *status, const char *name, const char *what, int *fd_,
		  struct fcp_error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	FCP_CLEANUP(fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int length;

	if (fd < 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%s: lock", what);
	/* The first byte stays 0: that makes the name abstract. */
	length = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "fcpause %llx %llx %llx",
			  (unsigned long long)status->st_dev, (unsigned long long)status->st_ino,
			  (unsigned long long)hash(name));
	if (bind(fd, (struct sockaddr *)&address,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length)) != 0) {
		if (errno == EADDRINUSE)
			return fcp_error_set(err, FCP_ERR_BUSY, 0, "%s: another fcpause works on it", what);
		return fcp_error_set(err, FCP_ERR_IO, errno, "%s: lock", what);
	}
	*fd_ = fcp_steal_fd(&fd);
	return 0;
}
