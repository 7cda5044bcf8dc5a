// SPDX-License-Identifier: Apache-2.0
/* The parts of confine(); each returns 0, or an errno if the kernel does not support it. */
#ifndef FCP_CMD_CONFINE_PARTS_H
#define FCP_CMD_CONFINE_PARTS_H

#include "cmd/confine/servers.h"

/* Makes calls that the program never makes fail with EPERM. local and internet tell which sockets
 * it may open: AF_UNIX, AF_INET and AF_INET6. */
int confine_calls(bool local, bool internet);

/* Can the command run under Landlock? */
bool confines_files(enum command_id id);

/* Restricts files and TCP ports to those that the command needs. *abi_: the kernel's Landlock
 * ABI. */
int confine_files(const struct invocation *invocation, const struct servers *servers, int *abi_);

/* Drops all capabilities that are not in the mask (1 << CAP_...). */
int confine_capabilities(uint64_t kept);

#endif
