// SPDX-License-Identifier: Apache-2.0
#include "http.h"

#include "net/http.h"

#include <stdlib.h>
#include <string.h>

static struct bytes served;
static size_t served_piece;

void http_serve(struct bytes answers, size_t piece)
{
	served = answers;
	served_piece = piece;
}

int __wrap_fcp_http_open(const char *unix_socket, const char *url, struct fcp_http **http_,
			 struct fcp_error *err);
void __wrap_fcp_http_close(struct fcp_http *http);
void __wrap_fcp_http_observe(struct fcp_http *http, const char *server,
			     const struct fcp_observer *observer);
const char *__wrap_fcp_http_name(const struct fcp_http *http);
bool __wrap_fcp_http_has_answered(const struct fcp_http *http);
int __wrap_fcp_http_send(struct fcp_http *http, const struct fcp_http_request *request,
			 struct fcp_http_response *response_, struct fcp_error *err);

int __wrap_fcp_http_open(const char *unix_socket, const char *url, struct fcp_http **http_,
			 struct fcp_error *err)
{
	static char nothing;

	(void)unix_socket, (void)url, (void)err;
	*http_ = (struct fcp_http *)&nothing;
	return 0;
}

void __wrap_fcp_http_close(struct fcp_http *http)
{
	(void)http;
}

void __wrap_fcp_http_observe(struct fcp_http *http, const char *server,
			     const struct fcp_observer *observer)
{
	(void)http, (void)server, (void)observer;
}

const char *__wrap_fcp_http_name(const struct fcp_http *http)
{
	(void)http;
	return "/run/api.sock";
}

bool __wrap_fcp_http_has_answered(const struct fcp_http *http)
{
	(void)http;
	return true;
}

/* As fcp_http_on_data() does: in pieces, until the sink has had enough. */
static void fill_sink(const struct fcp_http_request *request, struct bytes body)
{
	while (body.left > 0) {
		size_t length = served_piece && served_piece < body.left ? served_piece : body.left;

		if (!request->sink(body.at, length, request->sink_arg))
			return;
		body.at += length;
		body.left -= length;
	}
}

int __wrap_fcp_http_send(struct fcp_http *http, const struct fcp_http_request *request,
			 struct fcp_http_response *response_, struct fcp_error *err)
{
	static const int statuses[] = {200, 204, 400, 401, 404, 500, 301, 0};
	struct fcp_http_response response = {0};
	struct bytes body;

	(void)http;
	if (served.left == 0)
		return fcp_error_set(err, FCP_ERR_CONNECT, 0, "nobody answers");
	response.status = statuses[take_byte(&served) % 8];
	/* What is a stream may hold any byte. */
	body = request->sink ? served : take_until(&served, ANSWER_END);
	if (body.left > request->max_bytes)
		return fcp_error_set(err, FCP_ERR_PROTOCOL, 0, "too long");
	if (request->sink && response.status == 200) {
		fill_sink(request, body);
	} else {
		response.body = text_of_bytes(body);
		response.body_bytes = body.left;
	}
	*response_ = response;
	return 0;
}
