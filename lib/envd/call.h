// SPDX-License-Identifier: Apache-2.0
/* envd's single calls about a process that was started (Connect's unary protocol, as JSON). */
#ifndef FCP_ENVD_CALL_H
#define FCP_ENVD_CALL_H

#include "envd/process.h"

struct fcp_envd_call {
	const char *path; /* "/process.Process/SendSignal" */
	const char *body; /* JSON */
	fcp_deadline deadline;
	int cancel_fd;
};

/* Connect's error is a status and {"code","message"}; both are "" where the answer is no such. */
struct fcp_envd_answer {
	int status;
	char code[32]; /* "not_found" */
	char message[200];
};

/* Sends the call with the command's address and token; any status is a success. */
int fcp_envd_call(const struct fcp_guest_command *command, const struct fcp_envd_call *call,
		  struct fcp_envd_answer *answer_, struct fcp_error *err);

/* Sets FCP_ERR_SERVER with the call's path, the status and the code; returns -1. */
int fcp_envd_call_error(const struct fcp_envd_call *call, const struct fcp_envd_answer *answer,
			struct fcp_error *err);

#endif
