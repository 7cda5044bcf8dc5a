// SPDX-License-Identifier: Apache-2.0
#include "envd/signal.h"

#include "base/cleanup.h"
#include "net/http.h"
#include "net/json.h"

#include <string.h>

#define PATH "/process.Process/SendSignal"
#define ANSWER_MAX_BYTES 65536
#define TIMEOUT_MS 2000 /* a run that is ending must not hang on this */

/*
 * Has the process ended? envd answers not_found or, between reaping a process and forgetting it,
 * internal with Go's os.ErrProcessDone, which happens when a deadline kills it on both sides.
 */
static bool says_it_has_ended(const char *code, const char *message)
{
	return (code && strcmp(code, "not_found") == 0) ||
	       (code && strcmp(code, "internal") == 0 && message &&
		strstr(message, "process already finished"));
}

/* An error of a unary Connect call is a status and {"code":"not_found","message":...}. */
static int check_signal_answer(const struct fcp_http_response *response, struct fcp_error *err)
{
	FCP_CLEANUP(json) struct fcp_json *answer = NULL;
	const char *code = NULL;
	struct fcp_error no_matter;

	if (response->status == 200)
		return 0;
	if (fcp_json_parse(response->body, response->body_bytes, "envd's answer", &answer,
			   &no_matter) == 0)
		code = fcp_json_string(fcp_json_get(answer, "code"));
	if (says_it_has_ended(code, fcp_json_string(fcp_json_get(answer, "message"))))
		return 0;
	fcp_error_set(err, FCP_ERR_SERVER, 0, "envd: POST " PATH ": HTTP status %d %.60s",
		      response->status, code ? code : "");
	err->http_status = response->status;
	return -1;
}

int fcp_guest_kill(const struct fcp_guest_command *command, uint32_t pid, struct fcp_error *err)
{
	FCP_CLEANUP(http) struct fcp_http *http = NULL;
	struct fcp_http_response response = {0};
	char body[96];
	int length = snprintf(body, sizeof(body),
			      "{\"process\":{\"pid\":%u},\"signal\":\"SIGNAL_SIGKILL\"}", pid);
	const char *headers[] = {
		"Content-Type: application/json",
		"Connect-Protocol-Version: 1",
		*command->token->header ? command->token->header : NULL,
		NULL,
	};
	const struct fcp_http_request request = {
		.method = "POST",
		.path = PATH,
		.headers = headers,
		.body = body,
		.body_bytes = (size_t)length,
		.max_bytes = ANSWER_MAX_BYTES,
		.deadline = fcp_deadline_in_ms(TIMEOUT_MS),
		.cancel_fd = -1,
	};
	int result;

	if (fcp_http_open(NULL, command->envd, &http, err) != 0)
		return -1;
	fcp_http_observe(http, "envd", command->observer);
	if (fcp_http_send(http, &request, &response, err) != 0)
		return -1;
	result = check_signal_answer(&response, err);
	free(response.body);
	return result;
}
