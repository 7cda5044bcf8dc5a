// SPDX-License-Identifier: Apache-2.0
#include "base/deadline.h"

#include "tap.h"

#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define MS UINT64_C(1000000)

static void instants(void)
{
	uint64_t before = fcp_now_ns();
	fcp_deadline soon = fcp_deadline_in_ms(60000);
	int64_t left = fcp_deadline_left_ms(soon);

	ok(fcp_now_ns() >= before, "time does not go back");
	ok(fcp_ms_since(before) >= 0, "... nor do milliseconds");
	ok(soon >= before + 60000 * MS, "in a minute is in a minute");
	ok(left > 50000 && left <= 60000, "... less what has passed, rounded up");
	ok(!fcp_deadline_passed(soon), "... which has not passed");
	ok(fcp_deadline_passed(fcp_deadline_in_ms(0)), "in 0 ms is now");
	is_u64((uint64_t)fcp_deadline_left_ms(before), 0, "nothing is left of what has passed");
}

static void never(void)
{
	ok(fcp_deadline_in_ms(UINT64_MAX) == FCP_DEADLINE_NEVER, "too far to count is never");
	ok(fcp_deadline_in_ms(UINT64_MAX / MS) == FCP_DEADLINE_NEVER,
	   "... also where it would wrap");
	ok(fcp_deadline_left_ms(FCP_DEADLINE_NEVER) == INT64_MAX, "never leaves all the time");
	ok(!fcp_deadline_passed(FCP_DEADLINE_NEVER), "never does not pass");
	is_u64(fcp_deadline_min(FCP_DEADLINE_NEVER, 5), 5, "the earlier of never and 5");
	is_u64(fcp_deadline_min(4, 5), 4, "the earlier of 4 and 5");
}

static void waiting(void)
{
	uint64_t start = fcp_now_ns();
	int fd = eventfd(0, EFD_CLOEXEC);

	ok(!fcp_wait_ns(20 * MS, -1), "a wait without anything to cancel it ends by time");
	ok(fcp_now_ns() - start >= 20 * MS, "... not before its time");
	ok(!fcp_wait_ns(1 * MS, fd), "a wait that nobody cancels");
	ok(!fcp_cancelled(fd) && !fcp_cancelled(-1), "... and nothing is cancelled");
	eventfd_write(fd, 1);
	start = fcp_now_ns();
	ok(fcp_wait_ns(60000 * MS, fd), "a wait that is cancelled says so");
	ok(fcp_now_ns() - start < 30000 * MS, "... at once");
	ok(fcp_cancelled(fd), "it is cancelled");
	ok(fcp_cancelled(fd), "... still: it is polled, never read");
	close(fd);
}

static void on_signal(int number)
{
	(void)number;
}

/* A signal of somebody else's, again and again, must not end the wait early. */
static void *disturb(void *arg)
{
	pthread_t waiter = *(pthread_t *)arg;

	for (int i = 0; i < 5; i++) {
		fcp_wait_ns(3 * MS, -1);
		pthread_kill(waiter, SIGUSR1);
	}
	return NULL;
}

static void interrupted(void)
{
	struct sigaction action = {.sa_handler = on_signal};
	pthread_t self = pthread_self(), thread;
	uint64_t start;

	sigaction(SIGUSR1, &action, NULL);
	pthread_create(&thread, NULL, disturb, &self);
	start = fcp_now_ns();
	ok(!fcp_wait_ns(50 * MS, -1), "a wait among signals is not cancelled");
	ok(fcp_now_ns() - start >= 50 * MS, "... and lasts its time");
	pthread_join(thread, NULL);
}

int main(void)
{
	instants();
	never();
	waiting();
	interrupted();
	return done();
}
