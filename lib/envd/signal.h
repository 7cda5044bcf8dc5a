// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_ENVD_SIGNAL_H
#define FCP_ENVD_SIGNAL_H

#include "envd/process.h"

/*
 * Sends SIGKILL to a process that envd has started (process.Process/SendSignal); its children do not
 * get it. One that has ended already is a success. command says where envd is; its deadline and its
 * cancel_fd do not count here.
 */
int fcp_guest_kill(const struct fcp_guest_command *command, uint32_t pid, struct fcp_error *err);

#endif
