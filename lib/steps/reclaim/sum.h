// SPDX-License-Identifier: Apache-2.0
/* The outcome of a reclaim, from its steps. */
#ifndef FCP_STEPS_RECLAIM_SUM_H
#define FCP_STEPS_RECLAIM_SUM_H

#include "base/error.h"

/*
 * Writes the names of the steps that fell short, and why, into text; "" if none did. Returns how
 * many of them the guest cannot do at all.
 */
size_t fcp_reclaim_name_short_steps(const struct fcp_reclaim_result *result, char *text,
				    size_t bytes);

/* Sets the reclaim's status and reason, or note, from its steps. */
void fcp_reclaim_sum_up(const struct fcp_reclaim_settings *settings,
			struct fcp_reclaim_result *result);

#endif
