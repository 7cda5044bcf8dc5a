// SPDX-License-Identifier: Apache-2.0
#include "net/peer.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

static bool is_ready(int fd, short events)
{
	struct pollfd ready = {.fd = fd, .events = events};

	return poll(&ready, 1, 0) > 0;
}

/*
 * A connection still open after pidfd_open() proves that the process was alive then, and its number
 * not reused.
 */
static int open_by_pid(int socket, pid_t pid)
{
	int pidfd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;

	if (pidfd >= 0 && is_ready(socket, POLLRDHUP)) {
		close(pidfd);
		return -1;
	}
	return pidfd;
}

void fcp_peer_find(int socket, struct fcp_peer *peer_)
{
	struct fcp_peer peer = FCP_PEER_UNKNOWN;
	struct ucred credentials;
	socklen_t length = sizeof(credentials);

	if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0)
		peer.pid = credentials.pid;
	length = sizeof(peer.pidfd);
	if (getsockopt(socket, SOL_SOCKET, SO_PEERPIDFD, &peer.pidfd, &length) != 0)
		peer.pidfd = open_by_pid(socket, peer.pid);
	if (fcp_peer_has_ended(&peer))
		fcp_peer_clear(&peer);
	*peer_ = peer;
}

bool fcp_peer_has_ended(const struct fcp_peer *peer)
{
	return peer->pidfd >= 0 && is_ready(peer->pidfd, POLLIN);
}

void fcp_peer_clear(struct fcp_peer *peer)
{
	if (peer->pidfd >= 0)
		close(peer->pidfd);
	peer->pidfd = -1;
}
