// SPDX-License-Identifier: Apache-2.0
/* How far a run is, on a line of the terminal that is written over and over. */
#ifndef FCP_CMD_OUTPUT_PROGRESS_H
#define FCP_CMD_OUTPUT_PROGRESS_H

#include "fcpause.h"

struct progress {
	bool wanted;	   /* the standard error is a terminal, and nobody said to be quiet */
	bool shown;	   /* the line is there */
	uint64_t shown_ns; /* when it was last written */
};

struct progress progress_begin(bool quiet);

/* At most ten times a second. */
void progress_show(struct progress *progress, const struct fcp_progress *now);

/* The line is gone afterwards. */
void progress_clear(struct progress *progress);

#endif
