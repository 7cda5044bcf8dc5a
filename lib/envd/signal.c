// SPDX-License-Identifier: Apache-2.0
#include "envd/signal.h"

#include "envd/call.h"

#include <stdio.h>
#include <string.h>

#define TIMEOUT_MS 2000 /* a run that is ending must not hang on this */

/*
 * Has the process ended? envd answers not_found or, between reaping a process and forgetting it,
 * internal with Go's os.ErrProcessDone, which happens when a deadline kills it on both sides.
 */
static bool says_it_has_ended(const struct fcp_envd_answer *answer)
{
	return strcmp(answer->code, "not_found") == 0 ||
	       (strcmp(answer->code, "internal") == 0 &&
		strstr(answer->message, "process already finished"));
}

int fcp_guest_kill(const struct fcp_guest_command *command, uint32_t pid, struct fcp_error *err)
{
	struct fcp_envd_answer answer;
	char body[96];
	const struct fcp_envd_call call = {
		.path = "/process.Process/SendSignal",
		.body = body,
		.deadline = fcp_deadline_in_ms(TIMEOUT_MS),
		.cancel_fd = -1,
	};

	snprintf(body, sizeof(body), "{\"process\":{\"pid\":%u},\"signal\":\"SIGNAL_SIGKILL\"}",
		 pid);
	if (fcp_envd_call(command, &call, &answer, err) != 0)
		return -1;
	if (answer.status == 200 || says_it_has_ended(&answer))
		return 0;
	return fcp_envd_call_error(&call, &answer, err);
}
