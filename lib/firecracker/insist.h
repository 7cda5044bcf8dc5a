// SPDX-License-Identifier: Apache-2.0
/* What must be done before we go: resuming the VM, stopping a hinting run. */
#ifndef FCP_FIRECRACKER_INSIST_H
#define FCP_FIRECRACKER_INSIST_H

#include "firecracker/client.h"

/*
 * Calls, which must be safe to repeat, until it succeeds, each time with more patience, or until
 * timeout_ms are over; no signal cuts it short. -1 with the last error, and at once when the process
 * behind the socket is gone. A creation of a snapshot that was given up goes on in Firecracker, and
 * the API answers only when it is over; from the first answer on, a refusal is believed after 5 s.
 */
int fcp_firecracker_insist(struct fcp_firecracker *firecracker,
			   int (*call)(struct fcp_firecracker *, struct fcp_error *),
			   uint64_t timeout_ms, struct fcp_error *err);

/* Whether a call failed because nobody listens at the socket any more, or its process is gone. */
bool fcp_firecracker_has_ended(const struct fcp_error *why);

#endif
