// SPDX-License-Identifier: Apache-2.0
/* The guest's processes that were started and are not collected yet: only their pids are surely
 * theirs. */
#ifndef SIM_STARTED_H
#define SIM_STARTED_H

#include <sys/types.h>

/* cancel_fd: an eventfd that is told of a signal that is to end the process. in_fd: its stdin, or
 * -1; closed by started_remove(). */
void started_add(pid_t pid, pid_t guest_pid, int cancel_fd, int in_fd);
void started_remove(pid_t pid);
/* By the guest's pid. 0, or -1: there is none such. Signal 0 only asks. */
int started_signal(pid_t guest_pid, int signal);

/* A copy of its stdin, the caller's to close; -1: it has none, or it is closed. */
int started_stdin(pid_t guest_pid);
void started_close_stdin(pid_t guest_pid);

#endif
