// SPDX-License-Identifier: Apache-2.0
/*
 * What a run tells monitoring: figures in a file (--metrics-textfile), and spans to a collector, if
 * the environment names one. Both come when the run is over and its result is printed; neither
 * changes how it ends.
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
	char vm_id[128]; /* as Firecracker says; "": no VM was asked */
	uint64_t start_ns;
};

/* Reads the environment, and begins the command's span. */
void telemetry_begin(struct telemetry *telemetry, const char *command);

/* Of the collector that it will speak to; NULL: there is none. NULL-safe. */
const char *telemetry_url(const struct telemetry *telemetry);

/* For the observer of the library's steps; NULL-safe. */
void telemetry_phase(struct telemetry *telemetry, const struct fcp_phase *phase);
void telemetry_vm(struct telemetry *telemetry, const struct fcp_vm_identity *vm);

/* Writes the file and sends the spans; what fails is a warning. Frees what it holds. */
void telemetry_end(struct telemetry *telemetry, const struct invocation *invocation, int exit_code);

#endif
