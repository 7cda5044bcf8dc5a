// SPDX-License-Identifier: Apache-2.0
/* Results as text. */
#ifndef FCP_CMD_OUTPUT_TEXT_H
#define FCP_CMD_OUTPUT_TEXT_H

#include "fcpause.h"

#include <stdio.h>

/* One line per step: its name, outcome, duration and main results. */
void text_reclaim(FILE *out, const struct fcp_reclaim_result *result);
void text_balloon_install(FILE *out, const struct fcp_balloon_install_result *result);
void text_balloon_drain(FILE *out, const struct fcp_balloon_drain_result *result);
void text_snapshot(FILE *out, const struct fcp_snapshot_settings *settings,
		   const struct fcp_snapshot_result *result);
void text_madvise_ranges(FILE *out, const struct fcp_madvise_ranges_result *result);
void text_pause(FILE *out, const struct fcp_pause_settings *settings,
		const struct fcp_pause_result *result);

/* One line per check; below a failed one, why it matters and what to do. */
void text_doctor(FILE *out, const struct fcp_doctor_result *result);

/* "NAME: ", if there are several. */
void text_name(FILE *out, const char *name);

/* One line: "Running, 512.0 MiB restored from a.mem, ..."; nothing if the VM did not answer. */
void text_status(FILE *out, const struct fcp_status_result *result);

void text_resume(FILE *out, const struct fcp_resume_result *result);

/* One line per range, "START LENGTH free", after one that identifies the file, in the format of
 * fcp_ranges_read(). */
void text_ranges(FILE *out, const struct fcp_madvise_ranges_result *result);

/* One line, with the amounts copied and shared. */
void text_merge(FILE *out, const struct fcp_merge_settings *settings,
		const struct fcp_merge_result *result);

/* One line, with the amount of storage that was and is the file's own. */
void text_share(FILE *out, const struct fcp_share_settings *settings,
		const struct fcp_share_result *result);

#endif
