// SPDX-License-Identifier: Apache-2.0
/* Results as lines for people. */
#ifndef FCP_CMD_OUTPUT_TEXT_H
#define FCP_CMD_OUTPUT_TEXT_H

#include "fcpause.h"

#include <stdio.h>

/* A line a step: its name, how it ended, how long it took, and what is worth knowing. */
void text_reclaim(FILE *out, const struct fcp_reclaim_result *result);
void text_balloon_install(FILE *out, const struct fcp_balloon_install_result *result);
void text_balloon_drain(FILE *out, const struct fcp_balloon_drain_result *result);
void text_snapshot(FILE *out, const struct fcp_snapshot_settings *settings,
		   const struct fcp_snapshot_result *result);
void text_madvise_ranges(FILE *out, const struct fcp_madvise_ranges_result *result);
void text_pause(FILE *out, const struct fcp_pause_settings *settings,
		const struct fcp_pause_result *result);

/* A line a check, and below one that says no, why it matters and what to do. */
void text_doctor(FILE *out, const struct fcp_doctor_result *result);

/* "NAME: ", of one among several. */
void text_name(FILE *out, const char *name);

/* One line: "Running, 512.0 MiB restored from a.mem, ..."; nothing of one that could not be asked. */
void text_status(FILE *out, const struct fcp_status_result *result);

void text_resume(FILE *out, const struct fcp_resume_result *result);

/* "START LENGTH free" a line, after one that says which file they are of; as fcp_ranges_read() reads them. */
void text_ranges(FILE *out, const struct fcp_madvise_ranges_result *result);

/* One line, with what was copied and what storage is shared. */
void text_merge(FILE *out, const struct fcp_merge_settings *settings,
		const struct fcp_merge_result *result);

/* One line, with what storage was the file's own before, and is now. */
void text_share(FILE *out, const struct fcp_share_settings *settings,
		const struct fcp_share_result *result);

#endif
