// SPDX-License-Identifier: Apache-2.0
#include "envd/wait_status.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "signal: "

/* Go's syscall package, zerrors_linux_*.go; the numbers are the same on x86-64 and arm64. */
static const char *const names[] = {
	[SIGHUP] = "hangup",
	[SIGINT] = "interrupt",
	[SIGQUIT] = "quit",
	[SIGILL] = "illegal instruction",
	[SIGTRAP] = "trace/breakpoint trap",
	[SIGABRT] = "aborted",
	[SIGBUS] = "bus error",
	[SIGFPE] = "floating point exception",
	[SIGKILL] = "killed",
	[SIGUSR1] = "user defined signal 1",
	[SIGSEGV] = "segmentation fault",
	[SIGUSR2] = "user defined signal 2",
	[SIGPIPE] = "broken pipe",
	[SIGALRM] = "alarm clock",
	[SIGTERM] = "terminated",
	[SIGSTKFLT] = "stack fault",
	[SIGCHLD] = "child exited",
	[SIGCONT] = "continued",
	[SIGSTOP] = "stopped (signal)",
	[SIGTSTP] = "stopped",
	[SIGTTIN] = "stopped (tty input)",
	[SIGTTOU] = "stopped (tty output)",
	[SIGURG] = "urgent I/O condition",
	[SIGXCPU] = "CPU time limit exceeded",
	[SIGXFSZ] = "file size limit exceeded",
	[SIGVTALRM] = "virtual timer expired",
	[SIGPROF] = "profiling timer expired",
	[SIGWINCH] = "window changed",
	[SIGIO] = "I/O possible",
	[SIGPWR] = "power failure",
	[SIGSYS] = "bad system call",
};

int fcp_guest_signal_number(const char *status)
{
	static const char dumped[] = " (core dumped)";
	size_t length = strlen(status), end = length - strlen(dumped);
	int number = 0;

	if (strncmp(status, PREFIX, strlen(PREFIX)) != 0)
		return 0;
	if (length > strlen(dumped) && strcmp(status + end, dumped) == 0)
		length = end;
	status += strlen(PREFIX);
	length -= strlen(PREFIX);
	for (int i = 1; i < (int)(sizeof(names) / sizeof(names[0])); i++)
		if (names[i] && strlen(names[i]) == length &&
		    strncmp(names[i], status, length) == 0)
			return i;
	/* It has at most 64 of them, and an exit code has room for 127. */
	return sscanf(status, "signal %4d", &number) == 1 && number > 0 && number < 128 ? number
											: 0;
}
