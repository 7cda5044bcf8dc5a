// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_ENVD_HEALTH_H
#define FCP_ENVD_HEALTH_H

#include "base/deadline.h"
#include "base/error.h"

/*
 * Repeats GET /health until envd answers it with a success. FCP_ERR_TIMEOUT gives the last reason;
 * FCP_ERR_INTERRUPTED.
 */
int fcp_envd_wait(const char *url, fcp_deadline deadline, int cancel_fd,
		  const struct fcp_observer *observer, struct fcp_error *err);

#endif
