// SPDX-License-Identifier: Apache-2.0
#include "steps/reclaim/sum.h"

#include "base/outcome.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

size_t fcp_reclaim_name_short_steps(const struct fcp_reclaim_result *result, char *text,
				    size_t bytes)
{
	size_t used = 0, unsupported = 0;
	const char *said = "";

	*text = '\0';
	for (size_t i = 0; i < result->step_count; i++) {
		const struct fcp_outcome *step = &result->steps[i]->outcome;

		unsupported += step->status == FCP_STATUS_UNSUPPORTED;
		if (step->status == FCP_STATUS_OK || used >= bytes)
			continue;
		used += (size_t)snprintf(text + used, bytes - used, "%s%s: %s", used ? "; " : "",
					 fcp_reclaim_kind_name(result->steps[i]->kind),
					 fcp_status_name(step->status));
		/* What ended one step often kept those behind it from running: it is said once. */
		if (strcmp(step->reason, said) != 0 && used < bytes)
			used += (size_t)snprintf(text + used, bytes - used, " (%s)", step->reason);
		said = step->reason;
	}
	return unsupported;
}

static size_t count_ok(const struct fcp_reclaim_result *result)
{
	size_t count = 0;

	for (size_t i = 0; i < result->step_count; i++)
		count += result->steps[i]->outcome.status == FCP_STATUS_OK;
	return count;
}

void fcp_reclaim_sum_up(const struct fcp_reclaim_settings *settings,
			struct fcp_reclaim_result *result)
{
	char text[1024];
	size_t unsupported = fcp_reclaim_name_short_steps(result, text, sizeof(text));
	size_t done = count_ok(result);

	if (done == result->step_count)
		fcp_outcome_set(&result->outcome, FCP_STATUS_OK, NULL);
	else if (unsupported == result->step_count)
		fcp_outcome_set(&result->outcome, FCP_STATUS_UNSUPPORTED, "%s", text);
	else if (settings->unsupported_is_ok && done + unsupported == result->step_count) {
		fcp_outcome_set(&result->outcome, FCP_STATUS_OK, NULL);
		fcp_text_filter(text, result->note, sizeof(result->note));
	} else
		fcp_outcome_set(&result->outcome, FCP_STATUS_PARTIAL, "%s", text);
}
