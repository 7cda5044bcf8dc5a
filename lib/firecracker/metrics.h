// SPDX-License-Identifier: Apache-2.0
/*
 * Firecracker's metrics file: one line of JSON per flush, with the counts since the previous flush.
 */
#ifndef FCP_FIRECRACKER_METRICS_H
#define FCP_FIRECRACKER_METRICS_H

#include "firecracker/client.h"

/*
 * Flushes (PUT /actions FlushMetrics) and reads the lines written since: counts are summed;
 * latencies, which Firecracker repeats, are the last line's. path is the file given to PUT
 * /metrics, as we see it. It must be a regular file: another reader of a pipe would miss what we
 * read.
 */
int fcp_metrics_flush(struct fcp_firecracker *firecracker, const char *path,
		      struct fcp_metrics *metrics_, struct fcp_error *err);

#endif
