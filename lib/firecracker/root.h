// SPDX-License-Identifier: Apache-2.0
/* Paths of a Firecracker that runs in a root of its own (the jailer's chroot). */
#ifndef FCP_FIRECRACKER_ROOT_H
#define FCP_FIRECRACKER_ROOT_H

#include "base/error.h"

/* A directory, as we and as Firecracker reach it. */
struct fcp_place {
	int directory; /* owned; O_PATH will do for the *at() calls */
	char *seen;    /* its absolute path for Firecracker, without a slash at its end; owned */
	char *host;    /* its path for us; owned */
};

/*
 * Opens the directory that `directory` names. Firecracker's root is chroot_base, or else what
 * /proc/PID/root shows; where it is ours too, `directory` is a path of ours. In a root of its own
 * `directory` may be a path of ours below that root, or one as Firecracker sees it; links are
 * resolved within the root. Elsewhere a symbolic link that lies in a directory which others can
 * write is not followed (FCP_ERR_INPUT), and neither is such a directory itself used, unless it is
 * sticky. FCP_ERR_IO. *place_ is for fcp_place_clear() on success.
 */
int fcp_place_open(pid_t pid, const char *chroot_base, const char *directory,
		   struct fcp_place *place_, struct fcp_error *err);

/*
 * Opens (O_PATH) what a path of ours leads to, a file or a directory. A symbolic link in a directory
 * that others can write is not followed (FCP_ERR_INPUT). Returns the descriptor; FCP_ERR_IO.
 */
int fcp_path_open_own(const char *path, struct fcp_error *err);

/* Safe on {-1, NULL, NULL}. */
void fcp_place_clear(struct fcp_place *place);

#endif
