// SPDX-License-Identifier: Apache-2.0
/*
 * envd's calls before a pause, and those that undo them (envd's API: /freeze, /unfreeze, /collapse,
 * /fsfreeze, /fsthaw). Of a command only envd's address, its token and the observer are used. Where
 * envd is too old for a call it is FCP_ERR_UNSUPPORTED, and nothing was done; after
 * FCP_ERR_TIMEOUT, FCP_ERR_INTERRUPTED and FCP_ERR_PROTOCOL it may have been.
 */
#ifndef FCP_ENVD_QUIESCE_H
#define FCP_ENVD_QUIESCE_H

#include "envd/process.h"

struct fcp_envd_freeze {
	enum fcp_freeze_mode mode;
	uint32_t max_cgroups;
	uint32_t
		timeout_ms; /* for the answer; envd waits as long, but for the way to it and back */
	int cancel_fd;
};

/* Fills in all of *report_ but its outcome. */
int fcp_envd_freeze(const struct fcp_guest_command *guest, const struct fcp_envd_freeze *freeze,
		    struct fcp_freeze_report *report_, struct fcp_error *err);

/* Fills in all of *report_ but its outcome. */
int fcp_envd_collapse(const struct fcp_guest_command *guest, uint32_t timeout_ms, int cancel_fd,
		      struct fcp_collapse_report *report_, struct fcp_error *err);

/* A call that answers 204: "/fsfreeze". */
int fcp_envd_post(const struct fcp_guest_command *guest, const char *path, uint32_t timeout_ms,
		  int cancel_fd, struct fcp_error *err);

#endif
