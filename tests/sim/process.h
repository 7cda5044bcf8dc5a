// SPDX-License-Identifier: Apache-2.0
/* A command of the guest, as a child of the simulator. */
#ifndef SIM_PROCESS_H
#define SIM_PROCESS_H

#include <sys/types.h>

#include "guest.h"

struct process {
	pid_t pid;
	int out_fd; /* -1: at its end */
	int err_fd;
	int in_fd;  /* -1: /dev/null */
	int64_t deadline_ns; /* INT64_MAX: none */
};

/* Starts what a StartRequest asks for. 0, or -1 with a message for the client. */
int process_start(struct process *p, const struct guest *guest, const json_t *request,
		  const char *user, char *ret_message, size_t size);

/* Reads what the command wrote next, into buf: the number of bytes and from which stream
 * (1 or 2); 0: it has closed both; -1: the deadline, -2: the client (fd) or the simulator ended. */
ssize_t process_read(struct process *p, const struct vm *vm, int client_fd, char *buf,
		     size_t size, int *ret_stream);

/* Kills the shell (not its children). */
void process_kill(struct process *p);
/* Kills one that was started and has not ended, by its pid. 0, or -1: there is none such. */
int process_kill_pid(pid_t pid);
/* Closes the pipes and collects the wait status. */
int process_end(struct process *p);
/* Goes on without a client: reads until the end or the deadline, in a thread of its own. */
void process_leave(struct process *p, const struct vm *vm);

/* Kills all that commands have left behind. */
void process_kill_all(void);

#endif
