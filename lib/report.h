// SPDX-License-Identifier: Apache-2.0
/*
 * The result tree: what a step did, as JSON members added to object (design: one object on stdout).
 * Each returns 0, or -1 for no memory.
 */
#ifndef FCP_REPORT_H
#define FCP_REPORT_H

#include "net/json.h"

/* "status", "reason" (unless ok), "ms". */
int fcp_report_outcome(struct fcp_json *object, const struct fcp_outcome *outcome);

/* "error": {"class", "message", "errno", "http_status"}. */
int fcp_report_error(struct fcp_json *object, const struct fcp_error *error);

/* The outcome, and what only this step has. result is the step's own result struct. */
int fcp_report_reclaim(struct fcp_json *object, const struct fcp_reclaim_result *result);
int fcp_report_exec(struct fcp_json *object, const struct fcp_exec_result *result);
int fcp_report_balloon_install(struct fcp_json *object,
			       const struct fcp_balloon_install_result *result);
int fcp_report_balloon_drain(struct fcp_json *object,
			     const struct fcp_balloon_drain_result *result);
int fcp_report_snapshot(struct fcp_json *object, const struct fcp_snapshot_settings *settings,
			const struct fcp_snapshot_result *result);
int fcp_report_madvise_ranges(struct fcp_json *object,
			      const struct fcp_madvise_ranges_result *result);
int fcp_report_inspect(struct fcp_json *object, const struct fcp_inspect_result *result);
int fcp_report_merge(struct fcp_json *object, const struct fcp_merge_settings *settings,
		     const struct fcp_merge_result *result);
int fcp_report_share(struct fcp_json *object, const struct fcp_share_settings *settings,
		     const struct fcp_share_result *result);
int fcp_report_doctor(struct fcp_json *object, const struct fcp_doctor_result *result);
int fcp_report_status(struct fcp_json *object, const struct fcp_status_result *result);
int fcp_report_resume(struct fcp_json *object, const struct fcp_resume_result *result);
int fcp_report_pause(struct fcp_json *object, const struct fcp_pause_settings *settings,
		     const struct fcp_pause_result *result);

#endif
