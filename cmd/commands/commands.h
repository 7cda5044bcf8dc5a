// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_CMD_COMMANDS_COMMANDS_H
#define FCP_CMD_COMMANDS_COMMANDS_H

#include "cmd/parsing/options.h"

struct invocation;

/*
 * One file per command: builds the settings from the invocation, makes one library call, renders
 * the result. Each returns the exit code.
 */
int command_reclaim(struct invocation *invocation);
int command_balloon_install(struct invocation *invocation);
int command_balloon_drain(struct invocation *invocation);
int command_madvise_ranges(struct invocation *invocation);
int command_inspect(struct invocation *invocation);
int command_snapshot(struct invocation *invocation);
int command_pause(struct invocation *invocation);
int command_merge(struct invocation *invocation);
int command_share(struct invocation *invocation);
int command_doctor(struct invocation *invocation);
int command_status(struct invocation *invocation);
int command_resume(struct invocation *invocation);
int command_exec(struct invocation *invocation);

/*
 * Of a command that takes operands in the place of an option's value: a run, and a report, for each
 * of them in order, or one with the option. Returns the highest exit code; a signal ends it.
 */
int run_each(struct invocation *invocation, enum option_id id, int (*run)(struct invocation *));

#endif
