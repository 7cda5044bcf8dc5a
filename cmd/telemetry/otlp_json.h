// SPDX-License-Identifier: Apache-2.0
/* Spans as the JSON body of an OTLP/HTTP request. */
#ifndef FCP_CMD_TELEMETRY_OTLP_JSON_H
#define FCP_CMD_TELEMETRY_OTLP_JSON_H

#include "cmd/telemetry/spans.h"

#include <stddef.h>

struct otlp_resource {
	const char *service_name;
	/* as OTEL_RESOURCE_ATTRIBUTES: "KEY=VALUE,...", percent-encoded; or NULL */
	const char *attributes;
	const char *tracestate; /* or NULL */
	const char *vm_id;	/* or "" */
};

/*
 * Owned by the caller; NULL: out of memory. Ids are hexadecimal and 64-bit numbers are strings, as
 * the JSON mapping of OTLP requires. Source: opentelemetry-proto, trace.proto; the OTLP
 * specification 1.x.
 */
char *otlp_json(const struct spans *spans, const struct otlp_resource *resource, int exit_code);

#endif
