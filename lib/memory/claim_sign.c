// SPDX-License-Identifier: Apache-2.0
#include "memory/claim_sign.h"

#include "base/cleanup.h"

#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Those who look are not taken in: each waits in the queue until the sign is taken down. */
#define LOOKERS_MAX 4096

static socklen_t address_of(const struct stat *status, struct sockaddr_un *address_)
{
	int length;

	*address_ = (struct sockaddr_un){.sun_family = AF_UNIX};
	/* The first byte stays 0: that makes the name abstract. */
	length = snprintf(address_->sun_path + 1, sizeof(address_->sun_path) - 1,
			  "fcpause claim %llx %llx", (unsigned long long)status->st_dev,
			  (unsigned long long)status->st_ino);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
}

int fcp_claim_sign_show(const struct stat *status)
{
	FCP_CLEANUP(fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address;
	socklen_t length = address_of(status, &address);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) < 0 ||
	    listen(fd, LOOKERS_MAX) < 0)
		return -1;
	return fcp_steal_fd(&fd);
}

bool fcp_claim_sign_seen(const struct stat *status)
{
	FCP_CLEANUP(fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address;
	socklen_t length = address_of(status, &address);
	struct ucred peer;
	socklen_t peer_bytes = sizeof(peer);

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, length) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &peer_bytes) < 0)
		return false;
	return peer.uid == 0 || peer.uid == geteuid() || peer.uid == status->st_uid;
}
