// SPDX-License-Identifier: Apache-2.0
/* What must be done before we go: resuming the VM, stopping a hinting run. */
#ifndef FCP_FIRECRACKER_RETRY_H
#define FCP_FIRECRACKER_RETRY_H

#include "firecracker/client.h"

/*
 * Repeats a call, which must be safe to repeat, until it succeeds or timeout_ms are over, each time
 * with a longer time-out; no signal cuts it short. A creation of a snapshot that was given up goes
 * on in Firecracker, and the API answers only when it is over; 5 s after the first answer a refusal is
 * believed. -1 with the last refusal where there was one, else with the last error; at once when
 * the process behind the socket has ended.
 */
int fcp_firecracker_retry(struct fcp_firecracker *firecracker,
			  int (*call)(struct fcp_firecracker *, struct fcp_error *),
			  uint64_t timeout_ms, struct fcp_error *err);

/* Whether a call failed because nobody listens at the socket any more, or its process has ended. */
bool fcp_firecracker_has_ended(const struct fcp_error *why);

#endif
