// SPDX-License-Identifier: Apache-2.0
/* The parts of confine(); each returns 0, or an errno where the kernel does not have it. */
#ifndef FCP_CMD_CONFINE_PARTS_H
#define FCP_CMD_CONFINE_PARTS_H

#include <stdbool.h>
#include <stdint.h>

/* Calls that the program never makes fail with EPERM from here on. network: it may open sockets of
 * the Internet families beside AF_UNIX. */
int confine_calls(bool network);

/* Keeps of what the process has only the capabilities in the mask (1 << CAP_...). */
int confine_capabilities(uint64_t kept);

#endif
