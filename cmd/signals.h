// SPDX-License-Identifier: Apache-2.0
/* SIGINT, SIGTERM and SIGHUP: they end a run, and say at once what has to be waited for. */
#ifndef FCP_CMD_SIGNALS_H
#define FCP_CMD_SIGNALS_H

#include "fcpause.h"

struct invocation;
struct signals;
struct trace;

/*
 * From here on they are blocked, and a thread waits for them. One that was ignored before (nohup)
 * stays so. The trace is borrowed until signals_close(). NULL where there is no memory or no thread; the signals end the process then as ever.
 */
struct signals *signals_open(const struct invocation *invocation, const struct trace *trace);

/* Readable once one has come; -1 for NULL. */
int signals_cancel_fd(const struct signals *signals);

/* For the library's steps, as long as the signals are open; NULL for NULL: what is being done when one
 * comes; how far it is, on a terminal; its requests. */
const struct fcp_observer *signals_observer(struct signals *signals);

/* The steps are gone from the terminal, for what is printed from here on. NULL-safe. */
void signals_stop_progress(struct signals *signals);

/* Of the VM that answered; "" where none has. */
struct vm_names {
	char id[128];
	char vmm_version[64];
};

/* NULL for NULL. */
const struct vm_names *signals_vm(const struct signals *signals);

/* The next VM has not answered yet. NULL-safe. */
void signals_forget_vm(struct signals *signals);

/* NULL-safe. */
void signals_close(struct signals *signals);

#endif
