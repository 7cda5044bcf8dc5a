// SPDX-License-Identifier: Apache-2.0
#include "envd/wait_status.h"

#include "tap.h"

#include <signal.h>

int main(void)
{
	static const struct {
		const char *status;
		int number;
	} cases[] = {
		{"signal: killed", SIGKILL},
		{"signal: terminated", SIGTERM},
		{"signal: hangup", SIGHUP},
		{"signal: aborted (core dumped)", SIGABRT},
		{"signal: stopped (signal)", SIGSTOP},
		{"signal: stopped", SIGTSTP},
		{"signal: signal 40", 40},
		{"signal: signal 64 (core dumped)", 64},
		{"", 0},
		{"exit status 9", 0},
		{"signal: ", 0},
		{"signal: kill", 0},
		{"signal: killedx", 0},
		{"signal:  (core dumped)", 0},
		{"killed", 0},
		{"signal: signal -3", 0},
		{"signal: signal x", 0},
		{"signal: signal 128", 0},
		{"signal: signal 4000000000", 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		is_u64((uint64_t)fcp_guest_signal_number(cases[i].status),
		       (uint64_t)cases[i].number, cases[i].status);
	return done();
}
