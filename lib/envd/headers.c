// SPDX-License-Identifier: Apache-2.0
#include "envd/headers.h"

#include "base/observer.h"

#include <stdio.h>
#include <string.h>

#define TRACEPARENT_CHARACTERS "0123456789abcdef-"

/* What could be another header, or none, is not sent. */
static bool write_trace(const struct fcp_observer *observer, char trace[FCP_ENVD_TRACE_BYTES])
{
	const char *parent =
		FCP_OBSERVES(observer, traceparent) ? observer->traceparent(observer->arg) : NULL;

	if (!parent || !*parent || parent[strspn(parent, TRACEPARENT_CHARACTERS)] != '\0')
		return false;
	return snprintf(trace, FCP_ENVD_TRACE_BYTES, "traceparent: %s", parent) <
	       FCP_ENVD_TRACE_BYTES;
}

void fcp_envd_headers_end(const char **end, const struct fcp_envd_token *token,
			  const struct fcp_observer *observer, char trace[FCP_ENVD_TRACE_BYTES])
{
	if (token && token->header[0])
		*end++ = token->header;
	if (write_trace(observer, trace))
		*end++ = trace;
	*end = NULL;
}
