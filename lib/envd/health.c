// SPDX-License-Identifier: Apache-2.0
#include "envd/health.h"

#include "base/cleanup.h"
#include "envd/headers.h"
#include "net/http.h"

#include <stdlib.h>

/* A restored guest may lose the first packets: they are sent again soon. */
#define ATTEMPT_MS 500
#define BETWEEN_NS UINT64_C(20000000)
#define ANSWER_MAX_BYTES 65536

/* 0, or -1 with the reason. */
static int ask_health(const char *url, fcp_deadline deadline, int cancel_fd,
		      const struct fcp_observer *observer, struct fcp_error *err)
{
	char trace[FCP_ENVD_TRACE_BYTES];
	const char *headers[FCP_ENVD_HEADERS_END];
	const struct fcp_http_request request = {
		.method = "GET",
		.path = "/health",
		.headers = headers,
		.max_bytes = ANSWER_MAX_BYTES,
		.deadline = fcp_deadline_min(deadline, fcp_deadline_in_ms(ATTEMPT_MS)),
		.cancel_fd = cancel_fd,
	};
	FCP_CLEANUP(http) struct fcp_http *http = NULL;
	struct fcp_http_response response = {0};

	if (fcp_http_open(NULL, url, &http, err) != 0)
		return -1;
	fcp_http_observe(http, "envd", observer);
	fcp_envd_headers_end(headers, NULL, observer, trace);
	if (fcp_http_send(http, &request, &response, err) != 0)
		return -1;
	free(response.body);
	if (response.status >= 200 && response.status < 300)
		return 0;
	return fcp_error_set(err, FCP_ERR_SERVER, 0, "%s: GET /health answered %d", url,
			     response.status);
}

int fcp_envd_wait(const char *url, fcp_deadline deadline, int cancel_fd,
		  const struct fcp_observer *observer, struct fcp_error *err)
{
	while (ask_health(url, deadline, cancel_fd, observer, err) != 0) {
		if (err->error_class == FCP_ERR_INTERRUPTED || err->error_class == FCP_ERR_USAGE ||
		    err->error_class == FCP_ERR_MEMORY)
			return -1;
		if (fcp_deadline_passed(deadline)) {
			err->error_class = FCP_ERR_TIMEOUT;
			return -1;
		}
		if (fcp_wait_ns(BETWEEN_NS, cancel_fd))
			return fcp_error_set(err, FCP_ERR_INTERRUPTED, 0, "interrupted");
	}
	return 0;
}
