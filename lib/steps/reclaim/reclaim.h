// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_STEPS_RECLAIM_RECLAIM_H
#define FCP_STEPS_RECLAIM_RECLAIM_H

#include "envd/token.h"

#include "fcpause.h"

/* fcp_reclaim() with settings and a result of this version. token: it was read already; or NULL. */
int fcp_reclaim_run(const struct fcp_reclaim_settings *settings, const struct fcp_envd_token *token,
		    struct fcp_reclaim_result *result, struct fcp_error *err);

#endif
