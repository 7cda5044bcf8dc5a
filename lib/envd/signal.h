// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_ENVD_SIGNAL_H
#define FCP_ENVD_SIGNAL_H

#include "envd/process.h"

/*
 * Sends SIGKILL to a process that envd has started (process.Process/SendSignal), not to its
 * children. One that has ended already counts as success. Of command only envd's address and token
 * are used, not its deadline and cancel_fd.
 */
int fcp_guest_kill(const struct fcp_guest_command *command, uint32_t pid, struct fcp_error *err);

#endif
