// SPDX-License-Identifier: Apache-2.0
#include "envd/call.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "envd/headers.h"
#include "net/http.h"
#include "net/json.h"

#include <string.h>

#define ANSWER_MAX_BYTES 65536

static void read_call_answer(const struct fcp_http_response *response,
			     struct fcp_envd_answer *answer_)
{
	FCP_CLEANUP(json) struct fcp_json *json = NULL;
	const char *code = NULL, *message = NULL;
	struct fcp_error unused;

	if (fcp_json_parse(response->body, response->body_bytes, "envd's answer", &json, &unused) ==
	    0) {
		code = fcp_json_string(fcp_json_get(json, "code"));
		message = fcp_json_string(fcp_json_get(json, "message"));
	}
	answer_->status = response->status;
	fcp_text_filter(code ? code : "", answer_->code, sizeof(answer_->code));
	fcp_text_filter(message ? message : "", answer_->message, sizeof(answer_->message));
}

int fcp_envd_call(const struct fcp_guest_command *command, const struct fcp_envd_call *call,
		  struct fcp_envd_answer *answer_, struct fcp_error *err)
{
	FCP_CLEANUP(http) struct fcp_http *http = NULL;
	struct fcp_http_response response = {0};
	char trace[FCP_ENVD_TRACE_BYTES];
	const char *headers[2 + FCP_ENVD_HEADERS_END] = {
		"Content-Type: application/json",
		"Connect-Protocol-Version: 1",
	};
	const struct fcp_http_request request = {
		.method = "POST",
		.path = call->path,
		.headers = headers,
		.body = call->body,
		.body_bytes = strlen(call->body),
		.max_bytes = ANSWER_MAX_BYTES,
		.deadline = call->deadline,
		.cancel_fd = call->cancel_fd,
	};

	if (fcp_http_open(NULL, command->envd, &http, err) != 0)
		return -1;
	fcp_http_observe(http, "envd", command->observer);
	fcp_envd_headers_end(headers + 2, command->token, command->observer, trace);
	if (fcp_http_send(http, &request, &response, err) != 0)
		return -1;
	read_call_answer(&response, answer_);
	free(response.body);
	return 0;
}

int fcp_envd_call_error(const struct fcp_envd_call *call, const struct fcp_envd_answer *answer,
			struct fcp_error *err)
{
	fcp_error_set(err, FCP_ERR_SERVER, 0, "envd: POST %s: HTTP status %d%s%s%s%s", call->path,
		      answer->status, *answer->code ? " " : "", answer->code,
		      *answer->message ? ": " : "", answer->message);
	err->http_status = answer->status;
	return -1;
}
