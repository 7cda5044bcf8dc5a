// SPDX-License-Identifier: Apache-2.0
/*
 * The environment variables of OpenTelemetry and Trace Context. Source: the OpenTelemetry
 * specification, "Environment variable specification" and "OTLP exporter".
 */
#ifndef FCP_CMD_TELEMETRY_OTEL_H
#define FCP_CMD_TELEMETRY_OTEL_H

#include "cmd/telemetry/trace_context.h"
#include "services/otlp.h"

/* A run must not wait long for a collector, even if the environment allows other programs to. */
#define OTEL_TIMEOUT_MS 500
#define OTEL_TIMEOUT_MAX_MS 2000

struct otel {
	char *traces_url;			 /* owned; NULL: spans are not sent */
	char *headers[FCP_OTLP_HEADERS_MAX + 1]; /* owned */
	size_t header_count;
	uint32_t timeout_ms;
	const char *service_name; /* NULL: not set */
	const char *resource_attributes;
	bool has_parent;
	struct trace_context parent;
	const char *tracestate; /* NULL: none */
	char warning[256];	/* "", or what is wrong with a variable */
};

void otel_read(struct otel *ret_otel);

void otel_clear(struct otel *otel);

#endif
