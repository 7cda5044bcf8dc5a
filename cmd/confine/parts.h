// SPDX-License-Identifier: Apache-2.0
/* The parts of confine(); each returns 0, or an errno where the kernel does not have it. */
#ifndef FCP_CMD_CONFINE_PARTS_H
#define FCP_CMD_CONFINE_PARTS_H

#include "cmd/confine/servers.h"

/* Calls that the program never makes fail with EPERM from here on. Which families of sockets it may open:
 * AF_UNIX, those of the Internet. */
int confine_calls(bool local, bool internet);

/* Can the command do under Landlock? */
bool confines_files(enum command_id id);

/* Of files and TCP ports it reaches only what it needs. *abi_: of the kernel's Landlock. */
int confine_files(const struct invocation *invocation, const struct servers *servers, int *abi_);

/* Keeps of what the process has only the capabilities in the mask (1 << CAP_...). */
int confine_capabilities(uint64_t kept);

#endif
