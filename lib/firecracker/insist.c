// SPDX-License-Identifier: Apache-2.0
#include "firecracker/insist.h"

#include "base/deadline.h"

#include <errno.h>
#include <signal.h>

#define REFUSED_MS 5000
#define WAIT_BEFORE_RETRY_NS UINT64_C(20000000)

bool fcp_firecracker_has_ended(const struct fcp_error *why)
{
	return why->error_class == FCP_ERR_CONNECT &&
	       (why->errnum == ECONNREFUSED || why->errnum == ESRCH);
}

/* The socket's file can be gone, too; then its process tells. */
static bool is_gone(const struct fcp_firecracker *firecracker, struct fcp_error *why)
{
	pid_t pid = fcp_firecracker_pid(firecracker);

	if (why->error_class == FCP_ERR_CONNECT && pid > 0 && kill(pid, 0) != 0 && errno == ESRCH)
		why->errnum = ESRCH;
	return fcp_firecracker_has_ended(why);
}

int fcp_firecracker_insist(struct fcp_firecracker *firecracker,
			   int (*call)(struct fcp_firecracker *, struct fcp_error *),
			   uint64_t timeout_ms, struct fcp_error *err)
{
	uint32_t patience_ms = firecracker->timeout_ms;
	bool refused = false;

	fcp_firecracker_shield(firecracker);
	firecracker->deadline = fcp_deadline_in_ms(timeout_ms);
	while (call(firecracker, err) != 0) {
		if (err->error_class == FCP_ERR_SERVER && !refused) {
			refused = true;
			firecracker->deadline = fcp_deadline_min(firecracker->deadline,
								 fcp_deadline_in_ms(REFUSED_MS));
		}
		if (is_gone(firecracker, err))
			return fcp_error_wrap(err, "Firecracker has ended, and the VM with it");
		if (fcp_deadline_passed(firecracker->deadline))
			return -1;
		if (err->error_class == FCP_ERR_TIMEOUT && firecracker->timeout_ms < INT32_MAX)
			firecracker->timeout_ms *= 2;
		fcp_wait_ns(WAIT_BEFORE_RETRY_NS, -1);
	}
	firecracker->timeout_ms = patience_ms;
	firecracker->deadline = FCP_DEADLINE_NEVER;
	return 0;
}
