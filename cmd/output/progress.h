// SPDX-License-Identifier: Apache-2.0
/*
 * The steps of a run on the terminal while it lasts: a line each, from when it begins, finished in
 * place. They are gone at the end, when the results take their place.
 */
#ifndef FCP_CMD_OUTPUT_PROGRESS_H
#define FCP_CMD_OUTPUT_PROGRESS_H

#include "fcpause.h"

struct progress;

/* How often progress_tick() is to be called. */
#define PROGRESS_TICK_MS 100

/* NULL, for which all calls do nothing, where the standard error is no terminal that can move its cursor. */
struct progress *progress_open(void);

/* As progress_stop(), and frees it. */
void progress_close(struct progress *progress);

/* The following may be called from any thread. */
void progress_phase(struct progress *progress, const struct fcp_phase *phase);
void progress_bytes(struct progress *progress, const struct fcp_progress *now);

/* They are gone from the screen, and nothing is drawn any more. */
void progress_stop(struct progress *progress);

/* Writes the elapsed time anew. */
void progress_tick(struct progress *progress);

/* Between the two, others may write lines to the terminal; the steps stand below them afterwards. */
void progress_hide(struct progress *progress);
void progress_show(struct progress *progress);

#endif
