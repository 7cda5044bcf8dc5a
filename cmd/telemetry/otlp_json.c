// SPDX-License-Identifier: Apache-2.0
#include "cmd/telemetry/otlp_json.h"

#include "base/cleanup.h"
#include "cmd/telemetry/pairs.h"
#include "net/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define KIND_INTERNAL 1
#define STATUS_OK 1
#define STATUS_ERROR 2

/* {"key": key, "value": {type: text}}, appended to attributes. */
static int add_attribute(struct fcp_json *attributes, const char *key, const char *type,
			 const char *text)
{
	struct fcp_json *attribute = fcp_json_object(), *value = fcp_json_object();
	int bad = fcp_json_set_string(attribute, "key", key);

	bad |= fcp_json_set_string(value, type, text);
	bad |= fcp_json_set(attribute, "value", value);
	return bad | fcp_json_append(attributes, attribute);
}

static int add_text(struct fcp_json *attributes, const char *key, const char *text)
{
	return add_attribute(attributes, key, "stringValue", text);
}

static int add_number(struct fcp_json *attributes, const char *key, int64_t number)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRId64, number);
	return add_attribute(attributes, key, "intValue", text);
}

/* ---- the resource ---- */

struct resource_writer {
	struct fcp_json *attributes;
	const char *service_name;
	int bad;
};

static void on_resource_pair(const char *key, const char *value, void *arg)
{
	struct resource_writer *writer = arg;

	/* OTEL_SERVICE_NAME takes precedence. */
	if (strcmp(key, "service.name") == 0 && writer->service_name)
		return;
	if (strcmp(key, "service.name") == 0)
		writer->service_name = "";
	writer->bad |= add_text(writer->attributes, key, value);
}

static struct fcp_json *resource_json(const struct otlp_resource *resource, int *bad)
{
	struct fcp_json *json = fcp_json_object();
	struct resource_writer writer = {fcp_json_array(), resource->service_name, 0};
	char host[256] = "";

	pairs_each(resource->attributes, on_resource_pair, &writer);
	if (!writer.service_name)
		writer.service_name = "fcpause";
	if (*writer.service_name)
		writer.bad |= add_text(writer.attributes, "service.name", writer.service_name);
	writer.bad |= add_text(writer.attributes, "service.version", fcp_version());
	if (gethostname(host, sizeof(host) - 1) == 0)
		writer.bad |= add_text(writer.attributes, "host.name", host);
	writer.bad |= add_number(writer.attributes, "process.pid", getpid());
	*bad |= writer.bad | fcp_json_set(json, "attributes", writer.attributes);
	return json;
}

/* ---- spans ---- */

static int set_time(struct fcp_json *json, const char *key, uint64_t ns)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64, ns);
	return fcp_json_set_string(json, key, text);
}

/* A step that was skipped, or that this guest does not support, is not an error. */
static bool is_error(enum fcp_status status)
{
	return status == FCP_STATUS_FAILED || status == FCP_STATUS_TIMEOUT;
}

static int set_status(struct fcp_json *json, const struct span *span)
{
	struct fcp_json *status = fcp_json_object();
	int bad = 0;

	if (span->has_status && is_error(span->status)) {
		bad |= fcp_json_set_u64(status, "code", STATUS_ERROR);
		bad |= fcp_json_set_string(status, "message", span->reason);
	} else if (span->has_status) {
		bad |= fcp_json_set_u64(status, "code", STATUS_OK);
	}
	return bad | fcp_json_set(json, "status", status);
}

static int set_attributes(struct fcp_json *json, const struct span *span,
			  const struct otlp_resource *resource, int exit_code)
{
	struct fcp_json *attributes = fcp_json_array();
	int bad = 0;

	if (!span->step) {
		bad |= add_number(attributes, "process.exit.code", exit_code);
		if (*resource->vm_id)
			bad |= add_text(attributes, "fcpause.vm.id", resource->vm_id);
	} else {
		bad |= add_text(attributes, "fcpause.step", span->step);
	}
	if (span->step && span->has_status)
		bad |= add_text(attributes, "fcpause.status", fcp_status_name(span->status));
	if (span->step && span->reason[0])
		bad |= add_text(attributes, "fcpause.reason", span->reason);
	return bad | fcp_json_set(json, "attributes", attributes);
}

static struct fcp_json *span_json(const struct spans *spans, const struct span *span,
				  const struct otlp_resource *resource, int exit_code)
{
	struct fcp_json *json = fcp_json_object();
	int bad = fcp_json_set_string(json, "traceId", spans->trace_id);

	bad |= fcp_json_set_string(json, "spanId", span->id);
	if (span->parent_id[0])
		bad |= fcp_json_set_string(json, "parentSpanId", span->parent_id);
	if (resource->tracestate)
		bad |= fcp_json_set_string(json, "traceState", resource->tracestate);
	bad |= fcp_json_set_string(json, "name", span->name);
	bad |= fcp_json_set_u64(json, "kind", KIND_INTERNAL);
	bad |= set_time(json, "startTimeUnixNano", span->start_ns);
	bad |= set_time(json, "endTimeUnixNano", span->end_ns);
	bad |= set_attributes(json, span, resource, exit_code);
	bad |= set_status(json, span);
	if (!bad)
		return json;
	fcp_json_free(json);
	return NULL;
}

/* Work that was not done gets no span. */
static bool is_worth_a_span(const struct span *span)
{
	return !(span->has_status && span->status == FCP_STATUS_SKIPPED);
}

/* {"scope": ..., "spans": [...]} */
static struct fcp_json *scope_json(const struct spans *spans, const struct otlp_resource *resource,
				   int exit_code, int *bad)
{
	struct fcp_json *json = fcp_json_object(), *scope = fcp_json_object(),
			*list = fcp_json_array();

	*bad |= fcp_json_set_string(scope, "name", "fcpause");
	*bad |= fcp_json_set_string(scope, "version", fcp_version());
	*bad |= fcp_json_set(json, "scope", scope);
	for (size_t i = 0; i < spans->count; i++)
		if (is_worth_a_span(&spans->items[i]))
			*bad |= fcp_json_append(list, span_json(spans, &spans->items[i], resource,
								exit_code));
	*bad |= fcp_json_set(json, "spans", list);
	return json;
}

char *otlp_json(const struct spans *spans, const struct otlp_resource *resource, int exit_code)
{
	FCP_CLEANUP(json) struct fcp_json *body = fcp_json_object();
	struct fcp_json *resources = fcp_json_array(), *one = fcp_json_object();
	struct fcp_json *scopes = fcp_json_array();
	int bad = 0;

	bad |= fcp_json_set(one, "resource", resource_json(resource, &bad));
	bad |= fcp_json_append(scopes, scope_json(spans, resource, exit_code, &bad));
	bad |= fcp_json_set(one, "scopeSpans", scopes);
	bad |= fcp_json_append(resources, one);
	bad |= fcp_json_set(body, "resourceSpans", resources);
	return bad ? NULL : fcp_json_text(body);
}
