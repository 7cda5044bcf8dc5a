// SPDX-License-Identifier: Apache-2.0
/* Commands in the guest, through envd's process.Process/Start. */
#ifndef FCP_ENVD_PROCESS_H
#define FCP_ENVD_PROCESS_H

#include "base/deadline.h"
#include "base/error.h"

struct fcp_guest_command {
	const char *envd;	     /* "http://IP:49983" */
	const char *envd_token_file; /* NULL: none */
	const char *user;	     /* "root" */
	const char *script;	     /* run as /bin/sh -c SCRIPT */
	uint32_t timeout_ms;	     /* sent as Connect-Timeout-Ms, and our own deadline */
	int cancel_fd;
	/* What the command writes to stdout, as it comes, decoded; the guest's bytes. */
	void (*on_stdout)(const char *data, size_t length, void *arg);
	void (*on_start)(void *arg); /* envd has started it */
	void *arg;
};

struct fcp_guest_exit {
	bool exited; /* else ended by a signal */
	int exit_code;
};

/*
 * Runs one command to its end. A success is an `end` event and a clean end-of-stream, nothing less.
 * FCP_ERR_TIMEOUT: at the deadline, ours or envd's (deadline_exceeded); envd kills the shell then,
 * but not the shell's child. FCP_ERR_SERVER: envd's error, "unauthenticated: invalid username ...".
 * FCP_ERR_PROTOCOL: the stream broke off, or is none. More than 1 MiB in all is FCP_ERR_PROTOCOL.
 */
int fcp_guest_run(const struct fcp_guest_command *command, struct fcp_guest_exit *exit_,
		  struct fcp_error *err);

#endif
