// SPDX-License-Identifier: Apache-2.0
#include "net/http.h"

#include "base/cleanup.h"
#include "base/fd_link.h"
#include "base/observer.h"
#include "net/http_parts.h"
#include "net/url.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

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

void fcp_http_observe(struct fcp_http *http, const char *server,
		      const struct fcp_observer *observer)
{
	http->server = server;
	http->observer = observer;
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

static struct curl_slist *header_list(const struct fcp_curl *curl, const char *const *headers)
{
	/* Without it curl waits up to a second for a "100 Continue" before it sends a body. */
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

static void set_options(struct fcp_http *http, struct transfer *transfer, const char *socket_path,
			struct curl_slist *headers)
{
	const struct fcp_http_request *request = transfer->request;
	__typeof__(http->curl->easy_setopt) set = http->curl->easy_setopt;
	CURL *easy = http->easy;

	http->curl->easy_reset(easy); /* keeps the connection */
	set(easy, CURLOPT_URL, transfer->url);
	set(easy, CURLOPT_DEFAULT_PROTOCOL, "http");
	set(easy, CURLOPT_UNIX_SOCKET_PATH, socket_path);
	set(easy, CURLOPT_PROXY, ""); /* not the environment's either */
	set(easy, CURLOPT_PROTOCOLS_STR, fcp_url_is_tls(transfer->url) ? "https" : "http");
	/* curl's defaults, which requests with tokens rest on. */
	set(easy, CURLOPT_FOLLOWLOCATION, 0L);
	set(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	set(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	/* A thread that still waits for a name server is not waited for at the end. */
	set(easy, CURLOPT_QUICK_EXIT, 1L);
	set(easy, CURLOPT_NOSIGNAL, 1L);
	set(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	set(easy, CURLOPT_CUSTOMREQUEST, request->method);
	/*
	 * On a reused connection, curl repeats a request when the connection ends without an
	 * answer. A request that changes something must be sent once, so it gets a new connection.
	 */
	if (strcmp(request->method, "GET") != 0) {
		set(easy, CURLOPT_FRESH_CONNECT, 1L);
		set(easy, CURLOPT_FORBID_REUSE, 1L);
	}
	set(easy, CURLOPT_HTTPHEADER, headers);
	set(easy, CURLOPT_WRITEFUNCTION, fcp_http_on_data);
	set(easy, CURLOPT_WRITEDATA, transfer);
	set(easy, CURLOPT_HEADERFUNCTION, fcp_http_on_header);
	set(easy, CURLOPT_HEADERDATA, transfer);
	if (request->body) {
		set(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_bytes);
		set(easy, CURLOPT_POSTFIELDS, request->body);
	}
}

/* Waits for traffic, the deadline, cancel_fd, or the end of the server's process. */
static int wait_for_traffic(struct fcp_http *http, const struct transfer *transfer,
			    struct fcp_error *err)
{
	const struct fcp_http_request *request = transfer->request;
	struct curl_waitfd others[2];
	unsigned count = 0;
	int64_t left_ms = fcp_deadline_left_ms(request->deadline);

	if (left_ms == 0)
		return fcp_http_timeout_error(http, transfer, err);
	if (request->cancel_fd >= 0)
		others[count++] = (struct curl_waitfd){request->cancel_fd, CURL_WAIT_POLLIN, 0};
	if (http->peer.pidfd >= 0)
		others[count++] = (struct curl_waitfd){http->peer.pidfd, CURL_WAIT_POLLIN, 0};
	http->curl->multi_poll(http->multi, others, count,
			       left_ms > INT_MAX ? INT_MAX : (int)left_ms, NULL);
	if (fcp_cancelled(request->cancel_fd))
		return fcp_error_set(err, FCP_ERR_INTERRUPTED, 0, "%s %s: interrupted",
				     request->method, request->path);
	return 0;
}

static int run_transfer(struct fcp_http *http, const struct transfer *transfer,
			struct fcp_error *err)
{
	const struct fcp_curl *curl = http->curl;
	int running = 1;
	int queued;

	for (;;) {
		/* Checked first: what the server wrote before it ended is read below. */
		bool ended = fcp_peer_has_ended(&http->peer);
		CURLMsg *done;

		curl->multi_perform(http->multi, &running);
		done = curl->multi_info_read(http->multi, &queued);
		if (done)
			return done->data.result == CURLE_OK || transfer->refused
				       ? 0
				       : fcp_http_transfer_error(http, transfer, done->data.result,
								 err);
		if (ended)
			return fcp_http_server_ended(http, transfer->request, err);
		if (wait_for_traffic(http, transfer, err) != 0)
			return -1;
	}
}

/* Must be called while the multi handle still has the connection. */
static void find_peer(struct fcp_http *http)
{
	curl_socket_t fd = CURL_SOCKET_BAD;

	if (http->unix_socket &&
	    http->curl->easy_getinfo(http->easy, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK &&
	    fd != CURL_SOCKET_BAD)
		fcp_peer_find(fd, &http->peer);
}

/*
 * *path_ is a path short enough for a socket address: the socket's own, or link, which leads to
 * *fd_ (opened, owned). Returns -1 with errno if there is no such socket.
 */
static int short_path(const struct fcp_http *http, char link[FCP_FD_LINK_BYTES], const char **path_,
		      int *fd_)
{
	struct sockaddr_un address;

	*path_ = http->unix_socket;
	if (!http->unix_socket || strlen(http->unix_socket) < sizeof(address.sun_path))
		return 0;
	*fd_ = open(http->unix_socket, O_PATH | O_CLOEXEC);
	*path_ = fcp_fd_link(*fd_, link);
	return *fd_ < 0 ? -1 : 0;
}

static int perform_request(struct fcp_http *http, struct transfer *transfer,
			   struct curl_slist *headers, struct fcp_error *err)
{
	FCP_CLEANUP(fd) int fd = -1;
	const char *socket_path;
	char link[FCP_FD_LINK_BYTES];
	long status = 0;
	int result;

	if (short_path(http, link, &socket_path, &fd) != 0)
		return fcp_http_socket_error(http, transfer->request, errno, err);
	set_options(http, transfer, socket_path, headers);
	if (http->curl->multi_add_handle(http->multi, http->easy) != CURLM_OK)
		return fcp_error_nomem(err);
	result = run_transfer(http, transfer, err);
	http->curl->easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &status);
	if (result == 0 && !http->answered)
		find_peer(http);
	http->answered |= result == 0;
	http->curl->multi_remove_handle(http->multi, http->easy);
	return result == 0 ? (int)status : -1;
}

static int send_once(struct fcp_http *http, const struct fcp_http_request *request,
		     size_t *received_, struct fcp_http_response *response_, struct fcp_error *err)
{
	FCP_CLEANUP(free) char *url = NULL;
	struct transfer transfer = {
		.http = http,
		.request = request,
		.limit_ms = fcp_deadline_left_ms(request->deadline),
	};
	struct curl_slist *headers;
	int status = -1;

	if (fcp_cancelled(request->cancel_fd))
		return fcp_error_set(err, FCP_ERR_INTERRUPTED, 0,
				     "%s %s: interrupted before it was sent", request->method,
				     request->path);
	/* Another server may have the socket by now. */
	if (fcp_peer_has_ended(&http->peer))
		return fcp_http_server_ended(http, request, err);
	headers = header_list(http->curl, request->headers);
	if (!headers || asprintf(&url, "%s%s", http->url, request->path) < 0 ||
	    (!request->sink && !fcp_http_keep_body(&transfer, "", 0))) {
		fcp_error_nomem(err);
	} else {
		transfer.url = url;
		status = perform_request(http, &transfer, headers, err);
	}
	http->curl->slist_free_all(headers);
	*received_ = transfer.received;
	if (status < 0) {
		free(transfer.body);
		return -1;
	}
	*response_ = (struct fcp_http_response){status, transfer.body, transfer.body_bytes, {0}};
	memcpy(response_->content_type, transfer.content_type, sizeof(transfer.content_type));
	return 0;
}

int fcp_http_send(struct fcp_http *http, const struct fcp_http_request *request,
		  struct fcp_http_response *response_, struct fcp_error *err)
{
	const struct fcp_observer *observer = http->observer;
	uint64_t start_ns = fcp_now_ns();
	size_t received = 0;
	int sent = send_once(http, request, &received, response_, err);

	if (!FCP_OBSERVES(observer, on_exchange))
		return sent;
	observer->on_exchange(
		&(struct fcp_exchange){
			.server = http->server,
			.method = request->method,
			.path = request->path,
			.body = http->unix_socket ? request->body : NULL,
			.status = sent == 0 ? response_->status : 0,
			.err = sent == 0 ? NULL : err,
			.ms = fcp_ms_since(start_ns),
			.sent_bytes = request->body_bytes,
			.received_bytes = received,
		},
		observer->arg);
	return sent;
}

pid_t fcp_http_peer_pid(const struct fcp_http *http)
{
	return http->peer.pid;
}

int fcp_http_peer_pidfd(const struct fcp_http *http)
{
	return http->peer.pidfd;
}

bool fcp_http_has_answered(const struct fcp_http *http)
{
	return http->answered;
}

const char *fcp_http_name(const struct fcp_http *http)
{
	return http->unix_socket ? http->unix_socket : http->url;
}
