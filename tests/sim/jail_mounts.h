// SPDX-License-Identifier: Apache-2.0
#ifndef SIM_JAIL_MOUNTS_H
#define SIM_JAIL_MOUNTS_H

#include <limits.h>
#include <stddef.h>

/* What stands there goes over the kernel's /proc. */
#define JAIL_PROC "/guest/proc"

/* What can be seen in the host's mount namespace only. */
struct jail_outside {
	int root;	     /* the root directory */
	char self[PATH_MAX]; /* the simulator's program */
};

/* To be called before there is a namespace of its own. 0, or -1 (errno). */
int jail_mounts_look(struct jail_outside *ret_outside);

/* In a mount namespace of its own: makes dir (absolute) the root, with the host's programs in it.
 * ret_what is what could not be made (errno), or empty. */
void jail_mounts_make(const char *dir, const struct jail_outside *outside, const char *share,
		      char *ret_what, size_t size);

#endif
