// SPDX-License-Identifier: Apache-2.0
#include "cmd/telemetry/otel.h"

#include "base/error.h"
#include "base/text.h"
#include "base/units.h"
#include "cmd/telemetry/pairs.h"
#include "net/url.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TOKEN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~"

/* An empty variable counts as not set. */
static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

/* The variable for traces if set, otherwise the one for all signals. */
static const char *traces_variable(const char *traces, const char *all)
{
	const char *value = variable(traces);

	return value ? value : variable(all);
}

static bool is_word(const char *value, const char *word)
{
	return value && strcasecmp(value, word) == 0;
}

static void warn(struct otel *otel, const char *format, ...) FCP_PRINTF(2, 3);

static void warn(struct otel *otel, const char *format, ...)
{
	char text[512];
	va_list args;

	if (otel->warning[0])
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fcp_text_filter(text, otel->warning, sizeof(otel->warning));
}

/* The path for traces is appended to the base URL; a URL for traces is used as it is. */
static char *traces_url(void)
{
	const char *url = variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
	const char *base = variable("OTEL_EXPORTER_OTLP_ENDPOINT");
	size_t length;
	char *joined;

	if (url)
		return strdup(url);
	if (!base)
		return NULL;
	length = strlen(base);
	while (length > 0 && base[length - 1] == '/')
		length--;
	return asprintf(&joined, "%.*s/v1/traces", (int)length, base) < 0 ? NULL : joined;
}

static bool is_off(void)
{
	return is_word(variable("OTEL_SDK_DISABLED"), "true") ||
	       is_word(variable("OTEL_TRACES_EXPORTER"), "none");
}

static void read_endpoint(struct otel *otel)
{
	const char *protocol = traces_variable("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
					       "OTEL_EXPORTER_OTLP_PROTOCOL");
	struct fcp_error err;

	otel->traces_url = is_off() ? NULL : traces_url();
	if (!otel->traces_url)
		return;
	if (is_word(protocol, "grpc"))
		warn(otel,
		     "OTEL_EXPORTER_OTLP_PROTOCOL=grpc is not supported, http/json is: no spans "
		     "are sent");
	else if (fcp_service_url_check(otel->traces_url, &err) != 0)
		warn(otel, "OTEL_EXPORTER_OTLP_ENDPOINT: %.150s; no spans are sent", err.message);
	else
		return;
	free(otel->traces_url);
	otel->traces_url = NULL;
}

/* Rejects what would not be a header, or would be two. */
static bool is_header(const char *name, const char *value)
{
	return name[strspn(name, TOKEN)] == '\0' && value[strcspn(value, "\r\n")] == '\0';
}

/*
 * Only a header's name is shown. In "authorization: Bearer c2VjcmV0==", as HTTP has it, the secret
 * is before the =.
 */
static int shown_length(const char *name)
{
	size_t length = strspn(name, TOKEN);

	return length < 60 ? (int)length : 60;
}

static void on_header(const char *name, const char *value, void *arg)
{
	struct otel *otel = arg;
	char *header;

	if (!is_header(name, value)) {
		warn(otel, "OTEL_EXPORTER_OTLP_HEADERS: '%.*s' is no header; it is left out",
		     shown_length(name), name);
		return;
	}
	if (otel->header_count == FCP_OTLP_HEADERS_MAX) {
		warn(otel, "OTEL_EXPORTER_OTLP_HEADERS: more than %d headers",
		     FCP_OTLP_HEADERS_MAX);
		return;
	}
	if (asprintf(&header, "%s: %s", name, value) >= 0)
		otel->headers[otel->header_count++] = header;
}

static void read_timeout(struct otel *otel)
{
	const char *text =
		traces_variable("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT");
	uint64_t ms;

	otel->timeout_ms = OTEL_TIMEOUT_MS;
	if (!text)
		return;
	if (!fcp_parse_u64(text, false, &ms) || ms == 0)
		warn(otel, "OTEL_EXPORTER_OTLP_TIMEOUT: '%.40s' is no number of milliseconds",
		     text);
	else
		otel->timeout_ms = ms < OTEL_TIMEOUT_MAX_MS ? (uint32_t)ms : OTEL_TIMEOUT_MAX_MS;
}

/* Printable ASCII, as a header can hold it (Trace Context, section 3.3); 512 characters are kept
 * alive. */
static bool is_tracestate(const char *text)
{
	size_t length = 0;

	while (text[length] >= ' ' && text[length] <= '~')
		length++;
	return length <= 512 && text[length] == '\0';
}

static void read_parent(struct otel *otel)
{
	const char *traceparent = variable("TRACEPARENT"), *tracestate = variable("TRACESTATE");

	if (!traceparent)
		return;
	otel->has_parent = traceparent_parse(traceparent, &otel->parent);
	if (!otel->has_parent)
		warn(otel,
		     "TRACEPARENT: '%.80s' is not VERSION-TRACE-SPAN-FLAGS; it is passed over",
		     traceparent);
	else if (tracestate && is_tracestate(tracestate))
		otel->tracestate = tracestate;
}

void otel_read(struct otel *ret_otel)
{
	*ret_otel = (struct otel){
		.service_name = variable("OTEL_SERVICE_NAME"),
		.resource_attributes = variable("OTEL_RESOURCE_ATTRIBUTES"),
	};
	read_parent(ret_otel);
	read_endpoint(ret_otel);
	if (!ret_otel->traces_url)
		return;
	read_timeout(ret_otel);
	pairs_each(traces_variable("OTEL_EXPORTER_OTLP_TRACES_HEADERS",
				   "OTEL_EXPORTER_OTLP_HEADERS"),
		   on_header, ret_otel);
}

void otel_clear(struct otel *otel)
{
	for (size_t i = 0; i < otel->header_count; i++)
		free(otel->headers[i]);
	free(otel->traces_url);
	*otel = (struct otel){0};
}
