// SPDX-License-Identifier: Apache-2.0
#include "firecracker/client.h"

#include "base/cleanup.h"

#include <string.h>

/* Firecracker's largest answer, GET /vm/config, is some kilobytes. */
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

static int fault(const char *method, const char *path, const struct fcp_http_response *response,
		 struct fcp_error *err)
{
	FCP_CLEANUP(json) struct fcp_json *reply = NULL;
	const char *why = NULL;
	struct fcp_error ignored;

	if (fcp_json_parse(response->body, response->body_bytes, path, &reply, &ignored) == 0) {
		why = fcp_json_string(fcp_json_get(reply, "fault_message"));
		if (!why)
			why = fcp_json_string(fcp_json_get(reply, "error"));
	}
	/* A body that is no JSON (a proxy's, say) is quoted as far as it is short. */
	if (why || response->body_bytes > 0)
		fcp_error_set(err, FCP_ERR_SERVER, 0, "%s %s: %.300s", method, path,
			      why ? why : response->body);
	else
		fcp_error_set(err, FCP_ERR_SERVER, 0, "%s %s: HTTP status %d", method, path,
			      response->status);
	err->http_status = response->status;
	return -1;
}

static int read_reply(const char *method, const char *path, const struct fcp_http_response *response,
		      struct fcp_json **reply_, struct fcp_error *err)
{
	char what[128];

	snprintf(what, sizeof(what), "%s %s", method, path);
	return fcp_json_parse(response->body, response->body_bytes, what, reply_, err);
}

int fcp_firecracker_call(struct fcp_firecracker *firecracker, const char *method, const char *path,
			 const char *body, struct fcp_json **reply_, struct fcp_error *err)
{
	static const char *const headers[] = {
		"Content-Type: application/json", "Accept: application/json", NULL,
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
		return -1;
	if (response.status < 200 || response.status > 299)
		result = fault(method, path, &response, err);
	else if (reply_)
		result = read_reply(method, path, &response, reply_, err);
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
