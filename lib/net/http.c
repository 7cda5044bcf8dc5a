// SPDX-License-Identifier: Apache-2.0
#include "net/http.h"

#include "base/cleanup.h"
#include "net/curl.h"
#include "net/peer.h"

#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

struct fcp_http {
	const struct fcp_curl *curl;
	CURL *easy;
	CURLM *multi;
	char *unix_socket; /* NULL: TCP */
	char *url;	   /* without a slash at its end */
	struct fcp_peer peer;
	bool answered; /* once, at least */
};

/* What one request needs while it is under way. */
struct transfer {
	const struct fcp_http_request *request;
	char *body;
	size_t body_bytes;
	size_t capacity;
	size_t received;
	bool too_long;
	bool no_memory;
	bool refused; /* by the sink */
};

int fcp_http_open(const char *unix_socket, const char *url, struct fcp_http **http_,
		  struct fcp_error *err)
{
	const struct fcp_curl *curl = fcp_curl_load(err);
	struct fcp_http *http;

	if (!curl)
		return -1;
	http = calloc(1, sizeof(*http));
	if (!http)
		return fcp_error_nomem(err);
	http->curl = curl;
	http->peer = (struct fcp_peer)FCP_PEER_UNKNOWN;
	http->easy = curl->easy_init();
	http->multi = curl->multi_init();
	http->unix_socket = unix_socket ? strdup(unix_socket) : NULL;
	http->url = strdup(unix_socket ? "http://localhost" : url);
	if (!http->easy || !http->multi || !http->url || (unix_socket && !http->unix_socket)) {
		fcp_http_close(http);
		return fcp_error_nomem(err);
	}
	for (size_t end = strlen(http->url); end > 0 && http->url[end - 1] == '/'; end--)
		http->url[end - 1] = '\0';
	*http_ = http;
	return 0;
}

void fcp_http_close(struct fcp_http *http)
{
	if (!http)
		return;
	if (http->easy)
		http->curl->easy_cleanup(http->easy);
	if (http->multi)
		http->curl->multi_cleanup(http->multi);
	fcp_peer_clear(&http->peer);
	free(http->unix_socket);
	free(http->url);
	free(http);
}

static bool keep_body(struct transfer *transfer, const void *data, size_t length)
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

static size_t on_data(char *data, size_t size, size_t count, void *arg)
{
	struct transfer *transfer = arg;
	size_t length = size * count;
	bool taken;

	transfer->received += length;
	if (transfer->received > transfer->request->max_bytes) {
		transfer->too_long = true;
		return 0;
	}
	if (transfer->request->sink) {
		taken = transfer->request->sink(data, length, transfer->request->sink_arg);
		transfer->refused = !taken;
	} else {
		taken = keep_body(transfer, data, length);
	}
	return taken ? length : 0;
}

static struct curl_slist *header_list(const struct fcp_curl *curl, const char *const *headers)
{
	/* Without this curl waits up to a second for a "100 Continue" before it sends a body. */
	struct curl_slist *list = curl->slist_append(NULL, "Expect:");

	for (; list && headers && *headers; headers++) {
		struct curl_slist *longer = curl->slist_append(list, *headers);

		if (!longer) {
			curl->slist_free_all(list);
			return NULL;
		}
		list = longer;
	}
	return list;
}

static void set_options(struct fcp_http *http, struct transfer *transfer, const char *url,
			struct curl_slist *headers)
{
	const struct fcp_http_request *request = transfer->request;
	__typeof__(http->curl->easy_setopt) set = http->curl->easy_setopt;
	CURL *easy = http->easy;

	http->curl->easy_reset(easy); /* keeps the connection */
	set(easy, CURLOPT_URL, url);
	set(easy, CURLOPT_UNIX_SOCKET_PATH, http->unix_socket);
	set(easy, CURLOPT_PROXY, ""); /* not even of the environment */
	set(easy, CURLOPT_PROTOCOLS_STR, "http");
	set(easy, CURLOPT_NOSIGNAL, 1L);
	set(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	set(easy, CURLOPT_CUSTOMREQUEST, request->method);
	/* On a connection that was used before curl sends a request again when it ends without an
	 * answer. What changes something must be sent once, so it gets a connection of its own. */
	if (strcmp(request->method, "GET") != 0) {
		set(easy, CURLOPT_FRESH_CONNECT, 1L);
		set(easy, CURLOPT_FORBID_REUSE, 1L);
	}
	set(easy, CURLOPT_HTTPHEADER, headers);
	set(easy, CURLOPT_WRITEFUNCTION, on_data);
	set(easy, CURLOPT_WRITEDATA, transfer);
	if (request->body) {
		set(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_bytes);
		set(easy, CURLOPT_POSTFIELDS, request->body);
	}
}

static int server_ended(const struct fcp_http *http, const struct fcp_http_request *request,
			struct fcp_error *err)
{
	fcp_error_set(err, FCP_ERR_CONNECT, 0, "%s %s: the server behind %s has ended",
		      request->method, request->path, http->unix_socket);
	err->errnum = ESRCH;
	return -1;
}

/* The socket is gone from under a server that had answered before. */
static int socket_removed(const struct fcp_http *http, const struct fcp_http_request *request,
			  struct fcp_error *err)
{
	if (http->peer.pidfd < 0 || fcp_peer_has_ended(&http->peer))
		return server_ended(http, request, err);
	return fcp_error_set(err, FCP_ERR_CONNECT, ENOENT,
			     "%s %s: %s was removed, and the process behind it (%ld) lives on",
			     request->method, request->path, http->unix_socket, (long)http->peer.pid);
}

static int connect_error(struct fcp_http *http, const struct fcp_http_request *request,
			 CURLcode code, struct fcp_error *err)
{
	long os_error = 0;

	http->curl->easy_getinfo(http->easy, CURLINFO_OS_ERRNO, &os_error);
	if (!http->unix_socket)
		return fcp_error_set(err, FCP_ERR_CONNECT, (int)os_error, "cannot connect to %s%s%s",
				     http->url, os_error ? "" : ": ",
				     os_error ? "" : http->curl->easy_strerror(code));
	if (os_error == ECONNREFUSED)
		return fcp_error_set(err, FCP_ERR_CONNECT, ECONNREFUSED,
				     "%s: nobody listens at this socket any more",
				     http->unix_socket);
	if (os_error == 0 && strlen(http->unix_socket) >= 108)
		os_error = ENAMETOOLONG;
	if (os_error == 0 && access(http->unix_socket, F_OK) != 0)
		os_error = errno;
	if (os_error == ENOENT && http->answered)
		return socket_removed(http, request, err);
	return fcp_error_set(err, FCP_ERR_CONNECT, (int)os_error, "cannot connect to the socket %s",
			     http->unix_socket);
}

static int transfer_error(struct fcp_http *http, const struct transfer *transfer, CURLcode code,
			  struct fcp_error *err)
{
	const struct fcp_http_request *request = transfer->request;

	if (transfer->no_memory || code == CURLE_OUT_OF_MEMORY)
		return fcp_error_nomem(err);
	if (transfer->too_long)
		return fcp_error_set(err, FCP_ERR_PROTOCOL, 0, "%s %s: the answer is longer than %zu bytes",
				     request->method, request->path, request->max_bytes);
	switch (code) {
	case CURLE_COULDNT_CONNECT:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
		return connect_error(http, request, code, err);
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		return fcp_error_set(err, FCP_ERR_PROTOCOL, 0,
				     "%s %s: the connection ended before the answer did",
				     request->method, request->path);
	default:
		return fcp_error_set(err, FCP_ERR_PROTOCOL, 0, "%s %s: %s", request->method,
				     request->path, http->curl->easy_strerror(code));
	}
}

/* Waits for traffic, for the deadline, for cancel_fd, or for the end of the server's process. */
static int wait_for_traffic(struct fcp_http *http, const struct fcp_http_request *request,
			    struct fcp_error *err)
{
	struct curl_waitfd others[2];
	unsigned count = 0;
	int64_t left_ms = fcp_deadline_left_ms(request->deadline);

	if (left_ms == 0)
		return fcp_error_set(err, FCP_ERR_TIMEOUT, 0, "%s %s: no answer in time",
				     request->method, request->path);
	if (request->cancel_fd >= 0)
		others[count++] = (struct curl_waitfd){request->cancel_fd, CURL_WAIT_POLLIN, 0};
	if (http->peer.pidfd >= 0)
		others[count++] = (struct curl_waitfd){http->peer.pidfd, CURL_WAIT_POLLIN, 0};
	http->curl->multi_poll(http->multi, others, count, left_ms > INT_MAX ? INT_MAX : (int)left_ms,
			       NULL);
	if (fcp_cancelled(request->cancel_fd))
		return fcp_error_set(err, FCP_ERR_INTERRUPTED, 0, "%s %s: interrupted",
				     request->method, request->path);
	return 0;
}

static int run(struct fcp_http *http, const struct transfer *transfer, struct fcp_error *err)
{
	const struct fcp_curl *curl = http->curl;
	int running = 1;
	int queued;

	for (;;) {
		/* Asked first: what it wrote before it ended is read below. */
		bool ended = fcp_peer_has_ended(&http->peer);
		CURLMsg *done;

		curl->multi_perform(http->multi, &running);
		done = curl->multi_info_read(http->multi, &queued);
		if (done)
			return done->data.result == CURLE_OK || transfer->refused
				       ? 0
				       : transfer_error(http, transfer, done->data.result, err);
		if (ended)
			return server_ended(http, transfer->request, err);
		if (wait_for_traffic(http, transfer->request, err) != 0)
			return -1;
	}
}

/* While the multi handle still knows the connection. */
static void find_peer(struct fcp_http *http)
{
	curl_socket_t fd = CURL_SOCKET_BAD;

	if (http->unix_socket &&
	    http->curl->easy_getinfo(http->easy, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK &&
	    fd != CURL_SOCKET_BAD)
		fcp_peer_find(fd, &http->peer);
}

static int perform(struct fcp_http *http, struct transfer *transfer, const char *url,
		   struct curl_slist *headers, struct fcp_error *err)
{
	long status = 0;
	int result;

	set_options(http, transfer, url, headers);
	if (http->curl->multi_add_handle(http->multi, http->easy) != CURLM_OK)
		return fcp_error_nomem(err);
	result = run(http, transfer, err);
	http->curl->easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &status);
	if (result == 0 && !http->answered)
		find_peer(http);
	http->answered |= result == 0;
	http->curl->multi_remove_handle(http->multi, http->easy);
	return result == 0 ? (int)status : -1;
}

int fcp_http_send(struct fcp_http *http, const struct fcp_http_request *request,
		  struct fcp_http_response *response_, struct fcp_error *err)
{
	struct transfer transfer = {.request = request};
	FCP_CLEANUP(free) char *url = malloc(strlen(http->url) + strlen(request->path) + 1);
	struct curl_slist *headers;
	int status = -1;

	if (fcp_cancelled(request->cancel_fd))
		return fcp_error_set(err, FCP_ERR_INTERRUPTED, 0, "%s %s: interrupted before it was sent",
				     request->method, request->path);
	/* Not to another one that serves the same socket by now. */
	if (fcp_peer_has_ended(&http->peer))
		return server_ended(http, request, err);
	headers = header_list(http->curl, request->headers);
	if (!headers || !url || (!request->sink && !keep_body(&transfer, "", 0))) {
		fcp_error_nomem(err);
	} else {
		stpcpy(stpcpy(url, http->url), request->path);
		status = perform(http, &transfer, url, headers, err);
	}
	http->curl->slist_free_all(headers);
	if (status < 0) {
		free(transfer.body);
		return -1;
	}
	*response_ = (struct fcp_http_response){status, transfer.body, transfer.body_bytes};
	return 0;
}

pid_t fcp_http_peer_pid(const struct fcp_http *http)
{
	return http->peer.pid;
}

int fcp_http_peer_pidfd(const struct fcp_http *http)
{
	return http->peer.pidfd;
}
