// SPDX-License-Identifier: Apache-2.0
/*
 * The standard input of a command in the guest: what is read from a descriptor is written to it
 * (process.Process/SendInput), then it is closed (CloseStdin). In a thread of its own: a command
 * may write more than anybody takes before it reads.
 */
#ifndef FCP_ENVD_INPUT_H
#define FCP_ENVD_INPUT_H

#include "envd/process.h"

struct fcp_guest_input;

/*
 * Begins to pass fd on, both borrowed until fcp_guest_input_stop(), to a process that envd has
 * started with stdin. A command that reads no further ends it, and is no failure. When it fails the
 * command is killed, as it would wait for input for ever.
 */
int fcp_guest_input_start(const struct fcp_guest_command *command, uint32_t pid, int fd,
			  struct fcp_guest_input **input_, struct fcp_error *err);

/*
 * Ends and frees it, in the middle too. -1: what was read did not reach the command, with *err:
 * FCP_ERR_IO of fd, FCP_ERR_UNSUPPORTED where envd cannot close a command's stdin, or that of the
 * call. NULL is a success.
 */
int fcp_guest_input_stop(struct fcp_guest_input *input, struct fcp_error *err);

#endif
