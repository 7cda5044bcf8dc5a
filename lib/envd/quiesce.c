// SPDX-License-Identifier: Apache-2.0
#include "envd/quiesce.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "envd/headers.h"
#include "net/http.h"
#include "net/json.h"
#include "net/url.h"

#include <string.h>

#define ANSWER_MAX_BYTES 65536
/* What a call takes beyond the wait in the guest. */
#define ROUND_TRIP_MS 200

struct call {
	const char *path; /* with its query */
	uint32_t timeout_ms;
	int cancel_fd;
};

/* The answer's status: 200 or 204; -1 with *err for others. *response_'s body is the caller's. */
static int send_call(const struct fcp_guest_command *guest, const struct call *call,
		     struct fcp_http_response *response_, struct fcp_error *err)
{
	FCP_CLEANUP(http) struct fcp_http *http = NULL;
	char trace[FCP_ENVD_TRACE_BYTES];
	/* No body, and so no type of one. */
	const char *headers[1 + FCP_ENVD_HEADERS_END] = {"Content-Type:"};
	const struct fcp_http_request request = {
		.method = "POST",
		.path = call->path,
		.headers = headers,
		.body = "",
		.max_bytes = ANSWER_MAX_BYTES,
		.deadline = fcp_deadline_in_ms(call->timeout_ms),
		.cancel_fd = call->cancel_fd,
	};
	int path_length = (int)strcspn(call->path, "?");
	char line[160];

	if (!guest->envd)
		return fcp_error_set(err, FCP_ERR_USAGE, 0, "no address of envd given");
	if (fcp_url_check(guest->envd, err) != 0)
		return fcp_error_wrap(err, "envd's address");
	if (fcp_http_open(NULL, guest->envd, &http, err) != 0)
		return -1;
	fcp_http_observe(http, "envd", guest->observer);
	fcp_envd_headers_end(headers + 1, guest->token, guest->observer, trace);
	if (fcp_http_send(http, &request, response_, err) != 0)
		return fcp_error_wrap(err, "envd");
	if (response_->status == 200 || response_->status == 204)
		return response_->status;
	if (response_->status == 404)
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0, "envd is too old: it has no %.*s",
				     path_length, call->path);
	fcp_text_first_line(response_->body ? response_->body : "", line, sizeof(line));
	fcp_error_set(err, FCP_ERR_SERVER, 0, "envd: POST %.*s: HTTP status %d%s%s", path_length,
		      call->path, response_->status, *line ? ": " : "", line);
	err->http_status = response_->status;
	return -1;
}

/* One that is absent, or no count, is 0: envd's answer may lack what it does not know. */
static uint64_t count_of(const struct fcp_json *answer, const char *key)
{
	uint64_t count = 0;

	fcp_json_u64(fcp_json_get(answer, key), &count);
	return count;
}

static void read_freeze(const struct fcp_json *answer, struct fcp_freeze_report *report_)
{
	const char *mode = fcp_json_string(fcp_json_get(answer, "mode"));

	fcp_text_filter(mode ? mode : "legacy", report_->mode, sizeof(report_->mode));
	fcp_json_bool(fcp_json_get(answer, "truncated"), &report_->truncated);
	report_->visited = count_of(answer, "visited");
	report_->allowlisted = count_of(answer, "allowlisted");
	report_->pre_frozen = count_of(answer, "preFrozen");
	report_->requested = count_of(answer, "requested");
	report_->frozen = count_of(answer, "frozen");
	report_->not_frozen = count_of(answer, "notFrozen");
	report_->failed = count_of(answer, "failed");
	report_->unobservable = count_of(answer, "unobservable");
	report_->sweep_ms = count_of(answer, "sweepMs");
	report_->wait_ms = count_of(answer, "waitMs");
}

static void read_collapse(const struct fcp_json *answer, struct fcp_collapse_report *report_)
{
	report_->regions = count_of(answer, "regions");
	report_->chunks = count_of(answer, "chunks");
	report_->collapsed = count_of(answer, "collapsed");
	report_->already_huge = count_of(answer, "alreadyHuge");
	report_->skipped = count_of(answer, "skipped");
	report_->elapsed_ms = count_of(answer, "elapsedMs");
}

/* *json_: what a 200 says, owned; NULL for a 204. */
static int ask(const struct fcp_guest_command *guest, const struct call *call,
	       struct fcp_json **json_, struct fcp_error *err)
{
	struct fcp_http_response response = {0};
	int status = send_call(guest, call, &response, err), result = status < 0 ? -1 : 0;

	*json_ = NULL;
	if (status == 200)
		result = fcp_json_parse(response.body, response.body_bytes, "envd's answer", json_,
					err);
	if (status == 200 && result == 0 && !fcp_json_is_object(*json_))
		result = fcp_error_set(err, FCP_ERR_PROTOCOL, 0,
				       "envd: POST %.*s: the answer is no object",
				       (int)strcspn(call->path, "?"), call->path);
	free(response.body);
	return result;
}

int fcp_envd_freeze(const struct fcp_guest_command *guest, const struct fcp_envd_freeze *freeze,
		    struct fcp_freeze_report *report_, struct fcp_error *err)
{
	FCP_CLEANUP(json) struct fcp_json *answer = NULL;
	char path[128];
	const struct call call = {path, freeze->timeout_ms, freeze->cancel_fd};
	uint32_t wait_ms =
		freeze->timeout_ms > ROUND_TRIP_MS ? freeze->timeout_ms - ROUND_TRIP_MS : 1;

	snprintf(path, sizeof(path), "/freeze?mode=%s&maxCgroups=%u&maxWaitMs=%u",
		 freeze->mode == FCP_FREEZE_HIERARCHY ? "hierarchy" : "legacy", freeze->max_cgroups,
		 wait_ms);
	if (ask(guest, &call, &answer, err) != 0)
		return -1;
	report_->reported = answer != NULL;
	if (answer)
		read_freeze(answer, report_);
	return 0;
}

int fcp_envd_collapse(const struct fcp_guest_command *guest, uint32_t timeout_ms, int cancel_fd,
		      struct fcp_collapse_report *report_, struct fcp_error *err)
{
	FCP_CLEANUP(json) struct fcp_json *answer = NULL;

	if (ask(guest, &(struct call){"/collapse", timeout_ms, cancel_fd}, &answer, err) != 0)
		return -1;
	report_->reported = answer != NULL;
	if (answer)
		read_collapse(answer, report_);
	return 0;
}

int fcp_envd_post(const struct fcp_guest_command *guest, const char *path, uint32_t timeout_ms,
		  int cancel_fd, struct fcp_error *err)
{
	struct fcp_http_response response = {0};
	int status = send_call(guest, &(struct call){path, timeout_ms, cancel_fd}, &response, err);

	free(response.body);
	return status < 0 ? -1 : 0;
}
