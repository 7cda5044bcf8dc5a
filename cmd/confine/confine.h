// SPDX-License-Identifier: Apache-2.0
/*
 * Drops the program's unneeded rights before it reads anything that a guest or a server wrote. See
 * SECURITY in fcpause(1).
 */
#ifndef FCP_CMD_CONFINE_CONFINE_H
#define FCP_CMD_CONFINE_CONFINE_H

#include "cmd/parsing/invocation.h"

/*
 * Call before the first thread is started; cannot be undone. Does nothing with --no-sandbox. Parts
 * that the kernel does not support are skipped and reported with -v.
 */
void confine(const struct invocation *invocation);

#endif
