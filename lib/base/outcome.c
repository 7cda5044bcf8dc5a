// SPDX-License-Identifier: Apache-2.0
#include "base/outcome.h"

#include "base/deadline.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>

static const char *const status_names[] = {
	[FCP_STATUS_OK] = "ok",
	[FCP_STATUS_PARTIAL] = "partial",
	[FCP_STATUS_SKIPPED] = "skipped",
	[FCP_STATUS_TIMEOUT] = "timeout",
	[FCP_STATUS_UNSUPPORTED] = "unsupported",
	[FCP_STATUS_FAILED] = "failed",
};

const char *fcp_status_name(enum fcp_status status)
{
	size_t index = (size_t)status;

	return index < sizeof(status_names) / sizeof(status_names[0]) ? status_names[index]
								      : "unknown";
}

void fcp_outcome_set(struct fcp_outcome *outcome, enum fcp_status status, const char *format, ...)
{
	char reason[2 * sizeof(outcome->reason)] = "";
	va_list args;

	/* Formatted aside: the new reason may quote the old one. */
	if (format) {
		va_start(args, format);
		vsnprintf(reason, sizeof(reason), format, args);
		va_end(args);
	}
	outcome->status = status;
	fcp_text_filter(reason, outcome->reason, sizeof(outcome->reason));
}

int fcp_outcome_finish(struct fcp_outcome *outcome, uint64_t start_ns, int ran,
		       const struct fcp_error *err)
{
	outcome->ms = fcp_ms_since(start_ns);
	if (ran == 0)
		return 0;
	if (err->error_class == FCP_ERR_UNSUPPORTED) {
		fcp_outcome_set(outcome, FCP_STATUS_UNSUPPORTED, "%s", err->message);
		return 0;
	}
	fcp_outcome_set(outcome, FCP_STATUS_FAILED, "%s", err->message);
	return -1;
}
