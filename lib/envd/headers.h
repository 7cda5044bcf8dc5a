// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_ENVD_HEADERS_H
#define FCP_ENVD_HEADERS_H

#include "envd/token.h"

#define FCP_ENVD_TRACE_BYTES 128
/* Places that fcp_envd_headers_end() needs. */
#define FCP_ENVD_HEADERS_END 3

/*
 * Ends a list of header lines with those that each request to envd has: the token's, if there is
 * one (token may be NULL), and traceparent, if the observer names one, which is written to trace.
 */
void fcp_envd_headers_end(const char **end, const struct fcp_envd_token *token,
			  const struct fcp_observer *observer, char trace[FCP_ENVD_TRACE_BYTES]);

#endif
