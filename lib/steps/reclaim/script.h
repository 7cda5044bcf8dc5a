// SPDX-License-Identifier: Apache-2.0
/* The shell script that reclaims in the guest, and its output. */
#ifndef FCP_STEPS_RECLAIM_SCRIPT_H
#define FCP_STEPS_RECLAIM_SCRIPT_H

#include "base/error.h"

/* The script for the enabled steps, in order; owned by the caller. NULL: no memory. */
char *fcp_reclaim_script(const struct fcp_reclaim_settings *settings);

enum fcp_reclaim_verdict {
	FCP_RECLAIM_EXITED,	/* exit_code is valid */
	FCP_RECLAIM_NO_TIMEOUT, /* the guest has no working timeout(1) */
	FCP_RECLAIM_MISSING,	/* the guest lacks the program, or the kernel the file */
	FCP_RECLAIM_NO_DISCARD, /* fstrim: the file system or its device cannot */
};

struct fcp_reclaim_line {
	enum fcp_reclaim_kind kind;
	enum fcp_reclaim_verdict verdict;
	int exit_code;
};

/*
 * Parses one line of the script's output; false for any other line: the guest may print anything.
 */
bool fcp_reclaim_line_read(const char *line, struct fcp_reclaim_line *line_);

/*
 * Parses the script's first line: does the guest's timeout(1) take only whole seconds? The caps are
 * then rounded up. Returns false for any other line.
 */
bool fcp_reclaim_timeout_read(const char *line, bool *whole_seconds_);

#endif
