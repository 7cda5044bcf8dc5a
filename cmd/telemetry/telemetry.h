// SPDX-License-Identifier: Apache-2.0
/*
 * What a run reports to monitoring: metrics in a file (--metrics-textfile), and spans to a
 * collector if the environment names one. Both are written after the result was printed, and
 * neither changes the outcome of the run.
 */
#ifndef FCP_CMD_TELEMETRY_TELEMETRY_H
#define FCP_CMD_TELEMETRY_TELEMETRY_H

#include "cmd/telemetry/metrics.h"
#include "cmd/telemetry/otel.h"
#include "cmd/telemetry/spans.h"

struct invocation;

struct telemetry {
	struct metrics metrics; /* filled in by the command */
	struct spans spans;
	struct otel otel;
	char vm_id[128]; /* as reported by Firecracker; "": no VM was asked */
	uint64_t start_ns;
};

/* Reads the environment and begins the command's span. */
void telemetry_begin(struct telemetry *telemetry, const char *command);

/* The URL of the collector; NULL if there is none. NULL-safe. */
const char *telemetry_url(const struct telemetry *telemetry);

/* To be called by the observer of the library's steps; NULL-safe. */
void telemetry_phase(struct telemetry *telemetry, const struct fcp_phase *phase);
const char *telemetry_traceparent(const struct telemetry *telemetry);
void telemetry_vm(struct telemetry *telemetry, const struct fcp_vm_identity *vm);

/* Writes the file and sends the spans; a failure is a warning. Frees everything. */
void telemetry_end(struct telemetry *telemetry, const struct invocation *invocation, int exit_code);

#endif
