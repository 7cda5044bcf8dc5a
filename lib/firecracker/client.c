// SPDX-License-Identifier: Apache-2.0
#include "firecracker/client.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <string.h>

/* Firecracker's largest answer, GET /vm/config, has a few kilobytes. */
#define ANSWER_MAX_BYTES (1 << 20)

int fcp_firecracker_open(const char *api_sock, uint32_t timeout_ms, int cancel_fd,
			 struct fcp_firecracker *firecracker_, struct fcp_error *err)
{
	struct fcp_http *http;

	if (!api_sock)
		return fcp_error_set(err, FCP_ERR_USAGE, 0, "no API socket given");
	if (fcp_http_open(api_sock, NULL, &http, err) != 0)
		return -1;
	*firecracker_ = (struct fcp_firecracker){
		.http = http,
		.timeout_ms = timeout_ms ? timeout_ms : FCP_FIRECRACKER_TIMEOUT_MS,
		.deadline = FCP_DEADLINE_NEVER,
		.cancel_fd = cancel_fd,
	};
	return 0;
}

void fcp_firecracker_observe(struct fcp_firecracker *firecracker,
			     const struct fcp_observer *observer)
{
	firecracker->observer = observer;
	fcp_http_observe(firecracker->http, "firecracker", observer);
}

void fcp_firecracker_close(struct fcp_firecracker *firecracker)
{
	fcp_http_close(firecracker->http);
	firecracker->http = NULL;
}

void fcp_firecracker_shield(struct fcp_firecracker *firecracker)
{
	firecracker->cancel_fd = -1;
	firecracker->deadline = FCP_DEADLINE_NEVER;
}

/* Not an answer of Firecracker's. */
static int not_firecracker(const struct fcp_firecracker *firecracker, struct fcp_error *err)
{
	fcp_error_append(err, " (is %.200s Firecracker's API socket?)",
			 fcp_http_name(firecracker->http));
	return -1;
}

static int fault_error(const struct fcp_firecracker *firecracker, const char *method,
		       const char *path, const struct fcp_http_response *response,
		       struct fcp_error *err)
{
	FCP_CLEANUP(json) struct fcp_json *reply = NULL;
	const char *why = NULL;
	struct fcp_error ignored;
	char line[256];

	if (fcp_json_parse(response->body, response->body_bytes, path, &reply, &ignored) == 0) {
		why = fcp_json_string(fcp_json_get(reply, "fault_message"));
		if (!why)
			why = fcp_json_string(fcp_json_get(reply, "error"));
	}
	fcp_text_first_line(response->body, line, sizeof(line));
	if (why)
		fcp_error_set(err, FCP_ERR_SERVER, 0, "%s %s: %.300s", method, path, why);
	else
		fcp_error_set(err, FCP_ERR_SERVER, 0, "%s %s: HTTP status %d%s%s", method, path,
			      response->status, *line ? ": " : "", line);
	err->http_status = response->status;
	return why ? -1 : not_firecracker(firecracker, err);
}

static int read_reply(const struct fcp_firecracker *firecracker,
		      const struct fcp_http_request *request,
		      const struct fcp_http_response *response, struct fcp_json **reply_,
		      struct fcp_error *err)
{
	char what[128];

	snprintf(what, sizeof(what), "%s %s", request->method, request->path);
	if (fcp_json_parse(response->body, response->body_bytes, what, reply_, err) != 0)
		return not_firecracker(firecracker, err);
	return 0;
}

int fcp_firecracker_call(struct fcp_firecracker *firecracker, const char *method, const char *path,
			 const char *body, struct fcp_json **reply_, struct fcp_error *err)
{
	static const char *const headers[] = {
		"Content-Type: application/json",
		"Accept: application/json",
		NULL,
	};
	struct fcp_http_request request = {
		.method = method,
		.path = path,
		.body = body,
		.body_bytes = body ? strlen(body) : 0,
		.headers = headers,
		.max_bytes = ANSWER_MAX_BYTES,
		.deadline = fcp_deadline_min(firecracker->deadline,
					     fcp_deadline_in_ms(firecracker->timeout_ms)),
		.cancel_fd = firecracker->cancel_fd,
	};
	struct fcp_http_response response = {0};
	int result = 0;

	if (fcp_http_send(firecracker->http, &request, &response, err) != 0)
		return err->error_class == FCP_ERR_PROTOCOL &&
				       !fcp_http_has_answered(firecracker->http)
			       ? not_firecracker(firecracker, err)
			       : -1;
	if (response.status < 200 || response.status > 299)
		result = fault_error(firecracker, method, path, &response, err);
	else if (reply_)
		result = read_reply(firecracker, &request, &response, reply_, err);
	free(response.body);
	return result;
}

pid_t fcp_firecracker_pid(const struct fcp_firecracker *firecracker)
{
	return fcp_http_peer_pid(firecracker->http);
}

int fcp_firecracker_pidfd(const struct fcp_firecracker *firecracker)
{
	return fcp_http_peer_pidfd(firecracker->http);
}
