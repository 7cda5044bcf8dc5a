// SPDX-License-Identifier: Apache-2.0
#include "services/ask.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "net/url.h"

#include <string.h>

/* Where the URL's own path begins: at its end where there is none. */
static size_t path_at(const char *url)
{
	const char *authority = strstr(url, "://");

	authority = authority ? authority + 3 : url;
	return (size_t)(authority - url) + strcspn(authority, "/");
}

int fcp_service_ask(const struct fcp_service_request *request, struct fcp_http_response *response_,
		    struct fcp_error *err)
{
	FCP_CLEANUP(http) struct fcp_http *http = NULL;
	FCP_CLEANUP(free) char *server = NULL, *path = NULL;
	struct fcp_http_request sent = {
		.method = request->method,
		.headers = request->headers,
		.body = request->body,
		.body_bytes = request->body ? strlen(request->body) : 0,
		.max_bytes = request->max_bytes,
		.deadline = fcp_deadline_in_ms(request->timeout_ms),
		.cancel_fd = request->cancel_fd,
	};
	size_t at, end;

	if (fcp_service_url_check(request->url, err) != 0)
		return -1;
	at = path_at(request->url);
	end = strlen(request->url);
	/* "http://host/" and "/path" make one slash. */
	while (request->path && end > at && request->url[end - 1] == '/')
		end--;
	server = strndup(request->url, at);
	if (!server || asprintf(&path, "%.*s%s", (int)(end - at), request->url + at,
				request->path ? request->path
				: end == at   ? "/"
					      : "") < 0) {
		path = NULL;
		return fcp_error_nomem(err);
	}
	sent.path = path;
	if (fcp_http_open(NULL, server, &http, err) != 0)
		return -1;
	fcp_http_observe(http, request->server, request->observer);
	return fcp_http_send(http, &sent, response_, err);
}

int fcp_service_refused(const struct fcp_service_request *request,
			const struct fcp_http_response *response, struct fcp_error *err)
{
	char line[200] = "";

	if (response->body)
		fcp_text_first_line(response->body, line, sizeof(line));
	fcp_error_set(err, FCP_ERR_SERVER, 0, "%s %.200s%s: HTTP status %d%s%s", request->method,
		      request->url, request->path ? " ..." : "", response->status,
		      *line ? ": " : "", line);
	err->http_status = response->status;
	return -1;
}
