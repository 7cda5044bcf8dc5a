// SPDX-License-Identifier: Apache-2.0
#include "net/http_parts.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool fcp_http_keep_body(struct transfer *transfer, const void *data, size_t length)
{
	size_t needed = transfer->body_bytes + length + 1;

	if (needed > transfer->capacity) {
		size_t capacity = needed * 2;
		char *body = realloc(transfer->body, capacity);

		if (!body) {
			transfer->no_memory = true;
			return false;
		}
		transfer->body = body;
		transfer->capacity = capacity;
	}
	memcpy(transfer->body + transfer->body_bytes, data, length);
	transfer->body_bytes += length;
	transfer->body[transfer->body_bytes] = '\0';
	return true;
}

/* At the first bytes of the body, when the headers are known: does the sink get it? */
static void look_at_answer(struct transfer *transfer)
{
	const struct fcp_http_request *request = transfer->request;
	struct fcp_http *http = transfer->http;
	const char *type = NULL;
	long status = 0;

	http->curl->easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &status);
	http->curl->easy_getinfo(http->easy, CURLINFO_CONTENT_TYPE, &type);
	fcp_text_filter(type ? type : "", transfer->content_type, sizeof(transfer->content_type));
	transfer->for_sink =
		request->sink &&
		(!request->sink_type ||
		 (status == 200 && type &&
		  strncasecmp(type, request->sink_type, strlen(request->sink_type)) == 0));
}

/* Not for the sink: its beginning is kept to tell what it is. */
static bool keep_beginning(struct transfer *transfer, const void *data, size_t length)
{
	if (!fcp_http_keep_body(transfer, data, length))
		return false;
	transfer->refused = transfer->body_bytes >= FCP_HTTP_BEGINNING_BYTES;
	return !transfer->refused;
}

size_t fcp_http_on_data(char *data, size_t size, size_t count, void *arg)
{
	struct transfer *transfer = arg;
	size_t length = size * count;
	bool taken;

	if (transfer->received == 0)
		look_at_answer(transfer);
	transfer->received += length;
	if (transfer->received > transfer->request->max_bytes) {
		transfer->too_long = true;
		return 0;
	}
	if (transfer->for_sink) {
		taken = transfer->request->sink(data, length, transfer->request->sink_arg);
		transfer->refused = !taken;
	} else if (transfer->request->sink) {
		taken = keep_beginning(transfer, data, length);
	} else {
		taken = fcp_http_keep_body(transfer, data, length);
	}
	return taken ? length : 0;
}

/* libcurl has no bound of its own for all of them before 8.3, and keeps what it reads. */
size_t fcp_http_on_header(char *data, size_t size, size_t count, void *arg)
{
	struct transfer *transfer = arg;

	(void)data;
	transfer->header_bytes += size * count;
	transfer->headers_too_long = transfer->header_bytes > FCP_HTTP_HEADERS_MAX_BYTES;
	return transfer->headers_too_long ? 0 : size * count;
}
