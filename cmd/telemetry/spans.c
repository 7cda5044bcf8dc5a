// SPDX-License-Identifier: Apache-2.0
#include "cmd/telemetry/spans.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static uint64_t epoch_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* depth must not be 0. */
static struct span *innermost(struct spans *spans)
{
	return &spans->items[spans->open[spans->depth - 1]];
}

static void set_traceparent(struct spans *spans)
{
	struct trace_context context = {.sampled = true};

	if (spans->depth == 0)
		return;
	memcpy(context.trace_id, spans->trace_id, TRACE_ID_BYTES);
	memcpy(context.span_id, innermost(spans)->id, SPAN_ID_BYTES);
	traceparent_write(&context, spans->traceparent);
}

/* There must be room for another span. */
static struct span *open_span(struct spans *spans)
{
	struct span *span = &spans->items[spans->count];

	*span = (struct span){.start_ns = epoch_ns()};
	span_id_new(span->id);
	if (spans->depth > 0)
		memcpy(span->parent_id, innermost(spans)->id, SPAN_ID_BYTES);
	spans->open[spans->depth++] = spans->count++;
	set_traceparent(spans);
	return span;
}

/* Returns the span that ended. */
static struct span *close_innermost(struct spans *spans)
{
	struct span *span = innermost(spans);

	span->end_ns = epoch_ns();
	/* The clock may have been set back. */
	if (span->end_ns < span->start_ns)
		span->end_ns = span->start_ns;
	spans->depth--;
	set_traceparent(spans);
	return span;
}

void spans_begin(struct spans *spans, const char *command, const struct trace_context *parent,
		 bool keep)
{
	struct span *span;

	*spans = (struct spans){.kept = keep && (!parent || parent->sampled)};
	if (!spans->kept) {
		if (parent)
			traceparent_write(parent, spans->traceparent);
		return;
	}
	if (parent)
		memcpy(spans->trace_id, parent->trace_id, TRACE_ID_BYTES);
	else
		trace_id_new(spans->trace_id);
	span = open_span(spans);
	snprintf(span->name, sizeof(span->name), "fcpause %s", command);
	if (parent)
		memcpy(span->parent_id, parent->span_id, SPAN_ID_BYTES);
}

static void phase_begins(struct spans *spans, const struct fcp_phase *phase)
{
	bool is_step = strcmp(phase->name, "step") == 0;
	struct span *span;

	/* Too many, or nested too deeply: it gets no span. */
	if (spans->count == SPANS_MAX || spans->depth == SPANS_DEPTH)
		return;
	span = open_span(spans);
	span->step = phase->step;
	span->phase = phase->name;
	snprintf(span->name, sizeof(span->name), "%s%s%s", phase->step, is_step ? "" : ".",
		 is_step ? "" : phase->name);
}

static bool is_phase(const struct span *span, const struct fcp_phase *phase)
{
	return span->step && strcmp(span->step, phase->step) == 0 &&
	       strcmp(span->phase, phase->name) == 0;
}

static bool is_open(struct spans *spans, const struct fcp_phase *phase)
{
	for (size_t i = 0; i < spans->depth; i++)
		if (is_phase(&spans->items[spans->open[i]], phase))
			return true;
	return false;
}

static void set_outcome(struct span *span, const struct fcp_outcome *outcome)
{
	span->has_status = true;
	span->status = outcome->status;
	if (outcome->status != FCP_STATUS_OK)
		snprintf(span->reason, sizeof(span->reason), "%.*s", (int)sizeof(span->reason) - 1,
			 outcome->reason);
}

/* Spans still open within it end with it. */
static void phase_ends(struct spans *spans, const struct fcp_phase *phase)
{
	struct span *span;

	if (!is_open(spans, phase))
		return;
	do
		span = close_innermost(spans);
	while (!is_phase(span, phase));
	if (phase->outcome)
		set_outcome(span, phase->outcome);
}

void spans_phase(struct spans *spans, const struct fcp_phase *phase)
{
	if (!spans->kept)
		return;
	if (phase->ended)
		phase_ends(spans, phase);
	else
		phase_begins(spans, phase);
}

void spans_end(struct spans *spans, int exit_code)
{
	if (!spans->kept)
		return;
	spans->items[0].has_status = true;
	spans->items[0].status = exit_code == 0 ? FCP_STATUS_OK : FCP_STATUS_FAILED;
	if (exit_code != 0)
		snprintf(spans->items[0].reason, sizeof(spans->items[0].reason), "exit code %d",
			 exit_code);
	while (spans->depth > 0)
		close_innermost(spans);
}
