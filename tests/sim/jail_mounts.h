// SPDX-License-Identifier: Apache-2.0
#ifndef SIM_JAIL_MOUNTS_H
#define SIM_JAIL_MOUNTS_H

#include <stddef.h>

/* What stands there goes over the kernel's /proc. */
#define JAIL_PROC "/guest/proc"

/* In a mount namespace of its own: makes dir the root, with the host's programs in it. ret_what is
 * what could not be made (errno), or empty. */
void jail_mounts_make(const char *dir, const char *share, char *ret_what, size_t size);

#endif
