// SPDX-License-Identifier: Apache-2.0
/* Calls that must succeed before we exit: resuming the VM, stopping a hinting run. */
#ifndef FCP_FIRECRACKER_RETRY_H
#define FCP_FIRECRACKER_RETRY_H

#include "firecracker/client.h"

/*
 * Repeats a call, which must be safe to repeat, until it succeeds or timeout_ms have passed, each
 * time with a longer timeout; signals do not interrupt it. A snapshot that was given up continues
 * in Firecracker, and the API answers only when it is complete; 5 s after the first answer a
 * refusal is final. Returns -1 with the last refusal, if any, else the last error; at once if the
 * process behind the socket has ended.
 */
int fcp_firecracker_retry(struct fcp_firecracker *firecracker,
			  int (*call)(struct fcp_firecracker *, struct fcp_error *),
			  uint64_t timeout_ms, struct fcp_error *err);

/*
 * Did the call fail because nobody listens on the socket any more, or because its process has
 * ended?
 */
bool fcp_firecracker_has_ended(const struct fcp_error *why);

#endif
