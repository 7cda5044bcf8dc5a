// SPDX-License-Identifier: Apache-2.0
/* W3C Trace Context: the ids of a trace, as passed on in TRACEPARENT ("00-TRACE-SPAN-FLAGS"). */
#ifndef FCP_CMD_TELEMETRY_TRACE_CONTEXT_H
#define FCP_CMD_TELEMETRY_TRACE_CONTEXT_H

#include <stdbool.h>

#define TRACE_ID_BYTES 33
#define SPAN_ID_BYTES 17
#define TRACEPARENT_BYTES 56

struct trace_context {
	char trace_id[TRACE_ID_BYTES]; /* lowercase hexadecimal */
	char span_id[SPAN_ID_BYTES];
	bool sampled;
};

/*
 * Returns false, with *context_ unchanged, if text is not a traceparent. Versions after 00 may have
 * more after the flags. Source: W3C Trace Context, section 3.2.
 */
bool traceparent_parse(const char *text, struct trace_context *context_);

void traceparent_write(const struct trace_context *context, char text[TRACEPARENT_BYTES]);

/* Random ids, never all zeros. */
void trace_id_new(char id[TRACE_ID_BYTES]);
void span_id_new(char id[SPAN_ID_BYTES]);

#endif
