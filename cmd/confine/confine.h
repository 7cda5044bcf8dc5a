// SPDX-License-Identifier: Apache-2.0
/*
 * What the program takes from itself before it looks at anything that a guest or a server wrote:
 * see SECURITY in fcpause(1).
 */
#ifndef FCP_CMD_CONFINE_CONFINE_H
#define FCP_CMD_CONFINE_CONFINE_H

#include "cmd/parsing/invocation.h"

/*
 * Before the first thread is started, and for good; nothing with --no-sandbox. A part that the
 * kernel does not have is left out; -v tells which.
 */
void confine(const struct invocation *invocation);

#endif
