// SPDX-License-Identifier: Apache-2.0
/*
 * What a run did, as spans: one for the command, one for each of its steps, one for each phase of a
 * step. They are kept until the run is over.
 */
#ifndef FCP_CMD_TELEMETRY_SPANS_H
#define FCP_CMD_TELEMETRY_SPANS_H

#include "cmd/telemetry/trace_context.h"
#include "fcpause.h"

#define SPANS_MAX 64
#define SPANS_DEPTH 8

struct span {
	char id[SPAN_ID_BYTES];
	char parent_id[SPAN_ID_BYTES]; /* "": it begins a trace */
	char name[64];
	const char *step, *phase; /* static storage; NULL: the command's own span */
	uint64_t start_ns;	  /* since the epoch */
	uint64_t end_ns;	  /* 0: it is open */
	bool has_status;
	enum fcp_status status;
	char reason[256]; /* where the status is not ok */
};

struct spans {
	bool kept; /* false: only the trace's ids are handed on */
	char trace_id[TRACE_ID_BYTES];
	struct span items[SPANS_MAX];
	size_t count;
	size_t open[SPANS_DEPTH]; /* places in items, the innermost last */
	size_t depth;
	/* Of the innermost span: what a request is to carry; "": no trace. */
	char traceparent[TRACEPARENT_BYTES];
};

/*
 * Begins the command's span. parent NULL: a new trace. Not kept (for want of a place to send them,
 * or as the parent is not sampled): the parent's ids are handed on as they are.
 */
void spans_begin(struct spans *spans, const char *command, const struct trace_context *parent,
		 bool keep);

/* A step or phase begins or ends. By the thread that runs the steps only. */
void spans_phase(struct spans *spans, const struct fcp_phase *phase);

/* Ends what is open; the command's own span with how the command ended. */
void spans_end(struct spans *spans, int exit_code);

#endif
