// SPDX-License-Identifier: Apache-2.0
/* Commands in the guest, through envd's process.Process/Start. */
#ifndef FCP_ENVD_PROCESS_H
#define FCP_ENVD_PROCESS_H

#include "base/deadline.h"
#include "base/error.h"
#include "envd/token.h"

struct fcp_guest_command {
	const char *envd;		    /* "http://IP:49983" */
	const struct fcp_envd_token *token; /* borrowed */
	const char *user;		    /* "root"; no colon, at most FCP_GUEST_USER_MAX bytes */
	const char *const *argv;	    /* NULL at the end */
	bool with_stdin;		    /* a pipe, see input.h; else /dev/null */
	/* Outside the cgroups that /freeze stops, where it would not even begin. */
	bool beside_workload;
	uint32_t timeout_ms;	 /* sent as Connect-Timeout-Ms, and our own deadline */
	size_t answer_max_bytes; /* of the whole stream, base64 and all */
	int cancel_fd;
	/* What the command writes, as it comes, decoded; the guest's bytes. -1 stops with *err. */
	int (*on_output)(enum fcp_guest_stream stream, const char *data, size_t length, void *arg,
			 struct fcp_error *err);
	/* envd has started it. -1 stops with *err. */
	int (*on_start)(uint32_t pid, void *arg, struct fcp_error *err);
	void *arg;
	const struct fcp_observer *observer; /* NULL: not told of the requests */
};

#define FCP_GUEST_USER_MAX 120

struct fcp_guest_exit {
	bool exited; /* else ended by a signal, see fcp_guest_signal_number() */
	int exit_code;
	char status[64]; /* envd's words: "exit status 3", "signal: killed" */
};

/*
 * Runs one command to its end. A success is an `end` event and a clean end-of-stream, nothing
 * less. FCP_ERR_TIMEOUT: at the deadline, ours or envd's (deadline_exceeded); envd kills the shell
 * then, but not the shell's child. FCP_ERR_SERVER: envd's error, "unauthenticated: invalid username
 * ...". FCP_ERR_PROTOCOL: the stream broke off, is not one, or is too long. After any error the
 * command may go on in the guest.
 */
int fcp_guest_run(const struct fcp_guest_command *command, struct fcp_guest_exit *exit_,
		  struct fcp_error *err);

#endif
