// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_CMD_COMMANDS_COMMANDS_H
#define FCP_CMD_COMMANDS_COMMANDS_H

struct invocation;

/* One file each: settings from the invocation, one library call, one rendering. Exit code. */
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

#endif
