// SPDX-License-Identifier: Apache-2.0
/* SIGINT, SIGTERM and SIGHUP end a run, with an immediate message about what it has to wait for. */
#ifndef FCP_CMD_SIGNALS_H
#define FCP_CMD_SIGNALS_H

#include "fcpause.h"

struct invocation;
struct signals;
struct trace;

/*
 * Blocks the signals and starts a thread that waits for them. A signal that is ignored (nohup)
 * stays ignored. The trace is borrowed until signals_close(). Returns NULL if memory or a thread
 * cannot be had; the signals then keep their default action.
 */
struct signals *signals_open(const struct invocation *invocation, const struct trace *trace);

/* A descriptor that is readable once a signal has arrived; -1 for NULL. */
int signals_cancel_fd(const struct signals *signals);

/* The observer for the library's steps, valid until signals_close(); NULL for NULL. It tracks what
 * is in progress when a signal arrives, shows progress on a terminal, and traces requests. */
const struct fcp_observer *signals_observer(struct signals *signals);

/* Erases the steps from the terminal before anything else is printed. NULL-safe. */
void signals_stop_progress(struct signals *signals);

/* Of the VM that answered; "" if none did. */
struct vm_names {
	char id[128];
	char vmm_version[64];
};

/* NULL for NULL. */
const struct vm_names *signals_vm(const struct signals *signals);

/* Forgets the VM, before the next one is asked. NULL-safe. */
void signals_forget_vm(struct signals *signals);

/* NULL-safe. */
void signals_close(struct signals *signals);

#endif
