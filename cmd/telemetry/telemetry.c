// SPDX-License-Identifier: Apache-2.0
#include "cmd/telemetry/telemetry.h"

#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/error.h"
#include "cmd/output/log.h"
#include "cmd/output/write_file.h"
#include "cmd/parsing/invocation.h"
#include "cmd/telemetry/otlp_json.h"

#include <string.h>
#include <time.h>

/* The id of every Firecracker that was started without one. */
#define NO_ID "anonymous-instance"

void telemetry_begin(struct telemetry *telemetry, const char *command)
{
	*telemetry = (struct telemetry){.start_ns = fcp_now_ns()};
	otel_read(&telemetry->otel);
	spans_begin(&telemetry->spans, command,
		    telemetry->otel.has_parent ? &telemetry->otel.parent : NULL,
		    telemetry->otel.traces_url != NULL);
}

const char *telemetry_url(const struct telemetry *telemetry)
{
	return telemetry ? telemetry->otel.traces_url : NULL;
}

void telemetry_phase(struct telemetry *telemetry, const struct fcp_phase *phase)
{
	if (telemetry)
		spans_phase(&telemetry->spans, phase);
}

const char *telemetry_traceparent(const struct telemetry *telemetry)
{
	return telemetry ? telemetry->spans.traceparent : NULL;
}

void telemetry_vm(struct telemetry *telemetry, const struct fcp_vm_identity *vm)
{
	if (telemetry && vm->id && strcmp(vm->id, NO_ID) != 0)
		snprintf(telemetry->vm_id, sizeof(telemetry->vm_id), "%s", vm->id);
}

static void warn(const struct invocation *invocation, const char *what, const char *why)
{
	const struct log log = invocation_log(invocation);

	if (!invocation->values[OPT_QUIET].on)
		log_line(&log, LEVEL_WARNING, what, why);
}

/* ---- metrics ---- */

#define LABELS_MAX (FILES_MAX + 2)

struct label_list {
	struct metric_label items[LABELS_MAX];
	size_t count;
	char *names[FILES_MAX]; /* owned */
	size_t name_count;
};

static struct metric_label *find_label(struct label_list *labels, const char *name)
{
	for (size_t i = 0; i < labels->count; i++)
		if (strcmp(labels->items[i].name, name) == 0)
			return &labels->items[i];
	return NULL;
}

/* "KEY=VALUE", which replaces a label of that name. */
static void set_label(struct label_list *labels, const char *pair)
{
	const char *value = strchr(pair, '=');
	char *name = strndup(pair, (size_t)(value - pair));
	struct metric_label *label;

	if (!name)
		return;
	labels->names[labels->name_count++] = name;
	label = find_label(labels, name);
	if (!label)
		label = &labels->items[labels->count++];
	*label = (struct metric_label){name, value + 1};
}

static void collect_labels(const struct telemetry *telemetry, const struct invocation *invocation,
			   struct label_list *labels)
{
	const struct file_list *given = files_of(invocation, OPT_METRICS_LABEL);

	labels->items[labels->count++] =
		(struct metric_label){"command", invocation->command->name};
	labels->items[labels->count++] = (struct metric_label){"vm", telemetry->vm_id};
	for (size_t i = 0; i < given->count; i++)
		set_label(labels, given->files[i]);
}

static void add_run(struct telemetry *telemetry, int exit_code)
{
	const struct {
		enum metric_family family;
		double value;
	} figures[] = {
		{METRIC_RUN_TIMESTAMP, (double)time(NULL)},
		{METRIC_RUN_SECONDS, fcp_ms_since(telemetry->start_ns) / 1000},
		{METRIC_RUN_SUCCESS, exit_code == 0},
		{METRIC_EXIT_CODE, exit_code},
	};

	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++)
		metrics_add(&telemetry->metrics, (struct metric_sample){.family = figures[i].family,
									.value = figures[i].value});
}

static int write_metrics(struct telemetry *telemetry, const struct invocation *invocation,
			 struct fcp_error *err)
{
	FCP_CLEANUP(free) struct label_list *labels = calloc(1, sizeof(*labels));
	FCP_CLEANUP(free) char *text = NULL;
	size_t bytes = 0;
	FILE *out = labels ? open_memstream(&text, &bytes) : NULL;
	int result;

	if (!out)
		return fcp_error_nomem(err);
	collect_labels(telemetry, invocation, labels);
	metrics_write(&telemetry->metrics, labels->items, labels->count, out);
	result = fclose(out) == 0
			 ? write_file(text_of(invocation, OPT_METRICS_TEXTFILE), text, bytes, err)
			 : fcp_error_nomem(err);
	for (size_t i = 0; i < labels->name_count; i++)
		free(labels->names[i]);
	return result;
}

/* ---- spans ---- */

static int send_spans(const struct telemetry *telemetry, const struct invocation *invocation,
		      int exit_code, struct fcp_error *err)
{
	const struct otel *otel = &telemetry->otel;
	const struct otlp_resource resource = {
		.service_name = otel->service_name,
		.attributes = otel->resource_attributes,
		.tracestate = otel->tracestate,
		.vm_id = telemetry->vm_id,
	};
	FCP_CLEANUP(free) char *json = otlp_json(&telemetry->spans, &resource, exit_code);
	const struct fcp_otlp otlp = {
		.url = otel->traces_url,
		.headers = (const char *const *)otel->headers,
		.timeout_ms = otel->timeout_ms,
		/* An interrupted run sends its spans too; a further signal is not
		 * noticed. */
		.cancel_fd = fcp_cancelled(invocation->cancel_fd) ? -1 : invocation->cancel_fd,
	};

	return json ? fcp_otlp_send(&otlp, json, err) : fcp_error_nomem(err);
}

void telemetry_end(struct telemetry *telemetry, const struct invocation *invocation, int exit_code)
{
	struct fcp_error err;

	if (telemetry->otel.warning[0])
		warn(invocation, "warning: ", telemetry->otel.warning);
	/* A plan is not a run. */
	if (invocation->values[OPT_DRY_RUN].on) {
		otel_clear(&telemetry->otel);
		return;
	}
	add_run(telemetry, exit_code);
	if (text_of(invocation, OPT_METRICS_TEXTFILE) &&
	    write_metrics(telemetry, invocation, &err) != 0)
		warn(invocation, "warning: no metrics: ", err.message);
	spans_end(&telemetry->spans, exit_code);
	if (telemetry->spans.kept && send_spans(telemetry, invocation, exit_code, &err) != 0)
		warn(invocation, "warning: no spans: ", err.message);
	otel_clear(&telemetry->otel);
}
