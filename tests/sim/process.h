// SPDX-License-Identifier: Apache-2.0
/* A command of the guest, as a child of the simulator. */
#ifndef SIM_PROCESS_H
#define SIM_PROCESS_H

#include <sys/types.h>

#include "guest.h"

struct process {
	pid_t pid;
	pid_t guest_pid; /* what the guest calls it */
	int out_fd;	 /* -1: at its end */
	int err_fd;
	int pid_fd;    /* readable: it has ended */
	int cancel_fd; /* readable: a signal was sent to it (started.h) */
	bool cancelled;
	int64_t deadline_ns; /* INT64_MAX: none */
	int64_t keepalive_ns;
	int64_t quiet_ns; /* when it will have written nothing for so long; INT64_MAX: no matter */
};

/* What process_read says instead of a number of bytes. */
enum {
	PROCESS_ENDED = 0,
	PROCESS_DEADLINE = -1,
	PROCESS_GONE = -2,  /* the client or the simulator ended */
	PROCESS_QUIET = -3, /* nothing was written for keepalive_ns */
};

/* Starts what a StartRequest asks for. 0, or -1 with a message for the client. */
int process_start(struct process *p, const struct guest *guest, const json_t *request,
		  const char *user, char *ret_message, size_t size);

/* Reads what the command wrote next, into buf: the number of bytes and from which stream (1 or 2),
 * or one of the above. client_fd -1: there is no client. It has ended when it has and its output is
 * closed; when a signal was sent to it, the output of its children no longer counts. */
ssize_t process_read(struct process *p, const struct vm *vm, int client_fd, char *buf, size_t size,
		     int *ret_stream);

/* Kills the shell (not its children). */
void process_kill(struct process *p);
/* Closes the pipes and collects the wait status. */
int process_end(struct process *p);
/* Goes on without a client: reads until the end or the deadline, in a thread of its own. */
void process_leave(struct process *p, const struct vm *vm);

/* Kills all children but the guest's first process, which ends only when these are collected. */
void process_kill_all(pid_t init);

#endif
