// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_BASE_DEADLINE_H
#define FCP_BASE_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

/* A point in time of CLOCK_MONOTONIC, in ns; FCP_DEADLINE_NEVER: no deadline. */
typedef uint64_t fcp_deadline;

#define FCP_DEADLINE_NEVER UINT64_MAX

/* CLOCK_MONOTONIC now, in ns. */
uint64_t fcp_now_ns(void);

/* Milliseconds since start_ns, an earlier fcp_now_ns(). */
double fcp_ms_since(uint64_t start_ns);

/* The time timeout_ms from now. */
fcp_deadline fcp_deadline_in_ms(uint64_t timeout_ms);

/* The earlier of the two. */
fcp_deadline fcp_deadline_min(fcp_deadline a, fcp_deadline b);

/* Milliseconds until the deadline, rounded up; 0 once it has passed; INT64_MAX for never. */
int64_t fcp_deadline_left_ms(fcp_deadline deadline);

bool fcp_deadline_passed(fcp_deadline deadline);

/* Is cancel_fd (or -1) readable now? */
bool fcp_cancelled(int cancel_fd);

/* Waits at most ns nanoseconds; returns true, early, when cancel_fd becomes readable. */
bool fcp_wait_ns(uint64_t ns, int cancel_fd);

#endif
