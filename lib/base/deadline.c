// SPDX-License-Identifier: Apache-2.0
#include "base/deadline.h"

#include <poll.h>
#include <stddef.h>
#include <time.h>

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)

uint64_t fcp_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

double fcp_ms_since(uint64_t start_ns)
{
	return (double)(fcp_now_ns() - start_ns) / (double)NS_PER_MS;
}

fcp_deadline fcp_deadline_in_ms(uint64_t timeout_ms)
{
	uint64_t now = fcp_now_ns();

	return timeout_ms >= (FCP_DEADLINE_NEVER - now) / NS_PER_MS ? FCP_DEADLINE_NEVER
								    : now + timeout_ms * NS_PER_MS;
}

fcp_deadline fcp_deadline_min(fcp_deadline a, fcp_deadline b)
{
	return a < b ? a : b;
}

int64_t fcp_deadline_left_ms(fcp_deadline deadline)
{
	uint64_t now;

	if (deadline == FCP_DEADLINE_NEVER)
		return INT64_MAX;
	now = fcp_now_ns();
	return now >= deadline ? 0 : (int64_t)((deadline - now + NS_PER_MS - 1) / NS_PER_MS);
}

bool fcp_deadline_passed(fcp_deadline deadline)
{
	return fcp_deadline_left_ms(deadline) == 0;
}

bool fcp_cancelled(int cancel_fd)
{
	return cancel_fd >= 0 && fcp_wait_ns(0, cancel_fd);
}

bool fcp_wait_ns(uint64_t ns, int cancel_fd)
{
	struct pollfd fd = {.fd = cancel_fd, .events = POLLIN};
	uint64_t until = fcp_now_ns() + ns;

	/* poll() skips a negative descriptor. A signal must not end the wait early. */
	for (;;) {
		struct timespec wait = {(time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S)};
		int ready = ppoll(&fd, 1, &wait, NULL);
		uint64_t now;

		if (ready >= 0)
			return ready > 0;
		now = fcp_now_ns();
		ns = now >= until ? 0 : until - now;
	}
}
