// SPDX-License-Identifier: Apache-2.0
/* The process at the other end of a Unix socket. */
#ifndef FCP_NET_PEER_H
#define FCP_NET_PEER_H

#include <stdbool.h>
#include <sys/types.h>

struct fcp_peer {
	pid_t pid; /* 0: unknown */
	int pidfd; /* readable when the process ends, even if its socket stays; -1: unknown */
};

#define FCP_PEER_UNKNOWN \
	{                \
		0, -1    \
	}

/*
 * Finds the process that listens behind a connected socket whose server has just answered
 * (SO_PEERCRED and SO_PEERPIDFD, unix(7); pidfd_open(2) before Linux 6.5). No pidfd if that process
 * has ended, as one that daemonised after listen(2).
 */
void fcp_peer_find(int socket, struct fcp_peer *peer_);

bool fcp_peer_has_ended(const struct fcp_peer *peer);

/* Closes the pidfd. */
void fcp_peer_clear(struct fcp_peer *peer);

#endif
