// SPDX-License-Identifier: Apache-2.0
/*
 * The metrics of one run in Prometheus text format, for the textfile collector of node_exporter.
 * The samples of a family follow its HELP and TYPE, and there are no timestamps, which the
 * collector refuses.
 */
#ifndef FCP_CMD_TELEMETRY_METRICS_H
#define FCP_CMD_TELEMETRY_METRICS_H

#include "fcpause.h"

#include <stdio.h>

enum metric_family {
	METRIC_RUN_TIMESTAMP,
	METRIC_RUN_SECONDS,
	METRIC_RUN_SUCCESS,
	METRIC_EXIT_CODE,
	METRIC_STEP_SECONDS,
	METRIC_RECLAIM_SECONDS,
	METRIC_STOPPED_SECONDS,
	METRIC_STOPPED_PHASE_SECONDS,
	METRIC_MEM_FILE_BYTES,
	METRIC_MEMORY_BYTES,
	METRIC_RELEASED_BYTES,
	METRIC_DRAINED_BYTES,
	METRIC_FAMILIES,
};

struct metric_label {
	const char *name;  /* NULL: none */
	const char *value; /* any bytes; "" means no label, as in Prometheus */
};

#define METRIC_LABELS 2

struct metric_sample {
	enum metric_family family;
	double value;
	struct metric_label labels[METRIC_LABELS]; /* static storage */
};

#define METRIC_SAMPLES 48

struct metrics {
	struct metric_sample samples[METRIC_SAMPLES];
	size_t count;
};

void metrics_add(struct metrics *metrics, struct metric_sample sample);

/* Adds the metrics of a step. */
void metrics_of_reclaim(struct metrics *metrics, const struct fcp_reclaim_result *result);
void metrics_of_balloon_drain(struct metrics *metrics,
			      const struct fcp_balloon_drain_result *result);
void metrics_of_snapshot(struct metrics *metrics, const struct fcp_snapshot_result *result);
void metrics_of_pause(struct metrics *metrics, const struct fcp_pause_result *result);

/* Writes all samples, each with the common_count common labels before its own. */
void metrics_write(const struct metrics *metrics, const struct metric_label *common,
		   size_t common_count, FILE *out);

/* Does the name match [a-zA-Z_][a-zA-Z0-9_]* without starting with two underscores (reserved)? */
bool metric_label_name_is_valid(const char *name, size_t length);

#endif
