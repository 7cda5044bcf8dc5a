// SPDX-License-Identifier: Apache-2.0
/*
 * Shows the steps of a run on the terminal: one line for each, which appears when the step begins
 * and is completed in place. At the end, the lines are erased and the results printed instead.
 */
#ifndef FCP_CMD_OUTPUT_PROGRESS_H
#define FCP_CMD_OUTPUT_PROGRESS_H

#include "fcpause.h"

struct progress;

/* How often to call progress_tick(). */
#define PROGRESS_TICK_MS 100

/* Returns NULL, on which all calls do nothing, if the standard error is not a terminal that can
 * move its cursor. */
struct progress *progress_open(void);

/* Calls progress_stop() and frees it. */
void progress_close(struct progress *progress);

/* The following may be called from any thread. */
void progress_phase(struct progress *progress, const struct fcp_phase *phase);
void progress_bytes(struct progress *progress, const struct fcp_progress *now);

/* Erases the lines and stops drawing. */
void progress_stop(struct progress *progress);

/* Updates the elapsed time. */
void progress_tick(struct progress *progress);

/* Between these two, others may write lines to the terminal; the steps are then drawn below
 * them. */
void progress_hide(struct progress *progress);
void progress_show(struct progress *progress);

#endif
