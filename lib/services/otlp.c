// SPDX-License-Identifier: Apache-2.0
#include "services/otlp.h"

#include "base/cleanup.h"
#include "net/json.h"
#include "services/ask.h"

#include <stdlib.h>

#define ANSWER_MAX_BYTES 65536

/* {"partialSuccess": {"rejectedSpans": "N", "errorMessage": "..."}}, with nothing in it where
 * all is well. */
static int check_answer(const struct fcp_http_response *response, struct fcp_error *err)
{
	FCP_CLEANUP(json) struct fcp_json *answer = NULL;
	const struct fcp_json *partial, *rejected;
	const char *text, *why;
	struct fcp_error no_json;
	uint64_t count = 0;

	if (fcp_json_parse(response->body, response->body_bytes, "", &answer, &no_json) != 0)
		return 0; /* a collector may answer with nothing */
	partial = fcp_json_get(answer, "partialSuccess");
	rejected = fcp_json_get(partial, "rejectedSpans");
	text = fcp_json_string(rejected);
	if (text)
		count = strtoull(text, NULL, 10);
	else
		fcp_json_u64(rejected, &count);
	why = fcp_json_string(fcp_json_get(partial, "errorMessage"));
	if (count == 0)
		return 0;
	return fcp_error_set(err, FCP_ERR_SERVER, 0,
			     "the collector took all but %llu spans: %.200s",
			     (unsigned long long)count, why ? why : "no reason");
}

int fcp_otlp_send(const struct fcp_otlp *otlp, const char *json, struct fcp_error *err)
{
	const char *headers[FCP_OTLP_HEADERS_MAX + 2] = {"Content-Type: application/json"};
	const struct fcp_service_request request = {
		.method = "POST",
		.url = otlp->url,
		.headers = headers,
		.body = json,
		.timeout_ms = otlp->timeout_ms,
		.max_bytes = ANSWER_MAX_BYTES,
		.cancel_fd = otlp->cancel_fd,
	};
	struct fcp_http_response response = {0};
	int result;

	for (size_t i = 0; otlp->headers && otlp->headers[i] && i < FCP_OTLP_HEADERS_MAX; i++)
		headers[i + 1] = otlp->headers[i];
	if (fcp_service_ask(&request, &response, err) != 0)
		return -1;
	result = response.status >= 200 && response.status < 300
			 ? check_answer(&response, err)
			 : fcp_service_refused(&request, &response, err);
	free(response.body);
	return result;
}
