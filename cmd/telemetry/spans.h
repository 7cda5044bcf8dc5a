// SPDX-License-Identifier: Apache-2.0
/*
 * A run as spans: one for the command, one for each of its steps, one for each phase of a step.
 * They are kept until the run is over.
 */
#ifndef FCP_CMD_TELEMETRY_SPANS_H
#define FCP_CMD_TELEMETRY_SPANS_H

#include "cmd/telemetry/trace_context.h"
#include "fcpause.h"

#define SPANS_MAX 64
#define SPANS_DEPTH 8

struct span {
	char id[SPAN_ID_BYTES];
	char parent_id[SPAN_ID_BYTES]; /* "": the span begins a trace */
	char name[64];
	const char *step, *phase; /* static storage; NULL: the command's own span */
	uint64_t start_ns;	  /* since the epoch */
	uint64_t end_ns;	  /* 0: still open */
	bool has_status;
	enum fcp_status status;
	char reason[256]; /* if the status is not ok */
};

struct spans {
	bool kept; /* false: only the ids of the trace are passed on */
	char trace_id[TRACE_ID_BYTES];
	struct span items[SPANS_MAX];
	size_t count;
	size_t open[SPANS_DEPTH]; /* indexes into items, the innermost last */
	size_t depth;
	/* Of the innermost span, for requests; "": no trace. */
	char traceparent[TRACEPARENT_BYTES];
};

/*
 * Begins the command's span. parent NULL: a new trace. If the spans are not kept (there is no
 * collector, or the parent is not sampled), the parent's ids are passed on unchanged.
 */
void spans_begin(struct spans *spans, const char *command, const struct trace_context *parent,
		 bool keep);

/* A step or phase begins or ends. Called only by the thread that runs the steps. */
void spans_phase(struct spans *spans, const struct fcp_phase *phase);

/* Ends all open spans, the command's own with the outcome of the command. */
void spans_end(struct spans *spans, int exit_code);

#endif
