// SPDX-License-Identifier: Apache-2.0
#include "firecracker/retry.h"

#include "base/deadline.h"

#include <errno.h>

#define REFUSED_MS 5000
#define WAIT_BEFORE_RETRY_NS UINT64_C(20000000)

bool fcp_firecracker_has_ended(const struct fcp_error *why)
{
	return why->error_class == FCP_ERR_CONNECT &&
	       (why->errnum == ECONNREFUSED || why->errnum == ESRCH);
}

/* An answer, or a socket that was removed while its process lives: retrying does not help. */
static bool is_refusal(const struct fcp_error *why)
{
	return why->error_class == FCP_ERR_SERVER ||
	       (why->error_class == FCP_ERR_CONNECT && why->errnum == ENOENT);
}

int fcp_firecracker_retry(struct fcp_firecracker *firecracker,
			  int (*call)(struct fcp_firecracker *, struct fcp_error *),
			  uint64_t timeout_ms, struct fcp_error *err)
{
	uint32_t each_ms = firecracker->timeout_ms;
	struct fcp_error refusal = {.error_class = FCP_ERR_NONE};

	fcp_firecracker_shield(firecracker);
	firecracker->deadline = fcp_deadline_in_ms(timeout_ms);
	/* A lost answer must not take up all the time. */
	if (firecracker->timeout_ms > timeout_ms / 3)
		firecracker->timeout_ms = (uint32_t)(timeout_ms / 3);
	while (call(firecracker, err) != 0) {
		if (fcp_firecracker_has_ended(err))
			return fcp_error_wrap(err, "Firecracker has ended, and the VM with it");
		if (is_refusal(err)) {
			if (refusal.error_class == FCP_ERR_NONE)
				firecracker->deadline =
					fcp_deadline_min(firecracker->deadline,
							 fcp_deadline_in_ms(REFUSED_MS));
			refusal = *err;
		}
		if (fcp_deadline_passed(firecracker->deadline)) {
			/* A call that was refused each time did not time out. */
			if (refusal.error_class != FCP_ERR_NONE)
				*err = refusal;
			return -1;
		}
		if (err->error_class == FCP_ERR_TIMEOUT && firecracker->timeout_ms < INT32_MAX)
			firecracker->timeout_ms *= 2;
		fcp_wait_ns(WAIT_BEFORE_RETRY_NS, -1);
	}
	firecracker->timeout_ms = each_ms;
	firecracker->deadline = FCP_DEADLINE_NEVER;
	return 0;
}
