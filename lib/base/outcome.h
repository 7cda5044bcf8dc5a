// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_BASE_OUTCOME_H
#define FCP_BASE_OUTCOME_H

#include "base/error.h"

/*
 * Sets status and reason (printf-like; NULL for ok); ms is kept. The reason is filtered
 * (base/text.h).
 */
void fcp_outcome_set(struct fcp_outcome *outcome, enum fcp_status status, const char *format, ...)
	FCP_PRINTF(3, 4);

/*
 * Ends a step: sets ms and, if ran is not 0, the status from *err. What is not supported here
 * (FCP_ERR_UNSUPPORTED) is an outcome; every other error is a failure. Returns what the step
 * returns.
 */
int fcp_outcome_finish(struct fcp_outcome *outcome, uint64_t start_ns, int ran,
		       const struct fcp_error *err);

#endif
