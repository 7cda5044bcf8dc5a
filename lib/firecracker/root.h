// SPDX-License-Identifier: Apache-2.0
/* Paths of a Firecracker with a root of its own (the jailer's chroot). */
#ifndef FCP_FIRECRACKER_ROOT_H
#define FCP_FIRECRACKER_ROOT_H

#include "base/error.h"

/* A directory, by our path and by Firecracker's. */
struct fcp_place {
	int directory; /* owned; O_PATH is enough for the *at() calls */
	char *seen;    /* its absolute path for Firecracker, without a slash at its end; owned */
	char *host;    /* its path for us; owned */
};

/*
 * Opens a directory by name. Firecracker's root is chroot_base, or what /proc/PID/root shows; if it
 * is ours too, the name is a path of ours. Otherwise it may be a path of ours below that root, or
 * one as Firecracker sees it; links are resolved within the root. Elsewhere a symbolic link in a
 * directory that others can write is not followed (FCP_ERR_INPUT), and such a directory is not used
 * unless it is sticky. FCP_ERR_IO. On success release *place_ with fcp_place_clear().
 */
int fcp_place_open(pid_t pid, const char *chroot_base, const char *directory,
		   struct fcp_place *place_, struct fcp_error *err);

/*
 * Opens (O_PATH) a file or directory by a path of ours. A symbolic link in a directory that others
 * can write is not followed (FCP_ERR_INPUT). Returns the descriptor; FCP_ERR_IO.
 */
int fcp_path_open_own(const char *path, struct fcp_error *err);

/* Safe on {-1, NULL, NULL}. */
void fcp_place_clear(struct fcp_place *place);

#endif
