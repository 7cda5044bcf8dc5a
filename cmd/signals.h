// SPDX-License-Identifier: Apache-2.0
/* SIGINT, SIGTERM and SIGHUP: they end a run, and say at once what has to be waited for. */
#ifndef FCP_CMD_SIGNALS_H
#define FCP_CMD_SIGNALS_H

#include "fcpause.h"

struct signals;

/*
 * From here on they are blocked, and a thread waits for them. One that was ignored before (nohup)
 * stays so. NULL where there is no memory or no thread; the signals end the process then as ever.
 */
struct signals *signals_open(const char *command, bool quiet);

/* Readable once one has come; -1 for NULL. */
int signals_cancel_fd(const struct signals *signals);

/* For the library's steps, as long as the signals are open; NULL for NULL: what is being done when one comes; and how far it is, on a terminal. */
const struct fcp_observer *signals_observer(struct signals *signals);

/* NULL-safe. */
void signals_close(struct signals *signals);

#endif
