// SPDX-License-Identifier: Apache-2.0
/* Firecracker's metrics file: a line of JSON a flush, counts since the flush before. */
#ifndef FCP_FIRECRACKER_METRICS_H
#define FCP_FIRECRACKER_METRICS_H

#include "firecracker/client.h"

/*
 * Flushes (PUT /actions FlushMetrics) and reads the lines that came with it: counts are summed up,
 * latencies (Firecracker repeats the last one) are the last line's. path is the file that was named to PUT /metrics, as we see it; it must be
 * a regular file (a pipe's other reader would miss what we take).
 */
int fcp_metrics_flush(struct fcp_firecracker *firecracker, const char *path,
		      struct fcp_metrics *metrics_, struct fcp_error *err);

#endif
