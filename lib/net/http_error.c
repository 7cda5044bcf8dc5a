// SPDX-License-Identifier: Apache-2.0
#include "net/http_parts.h"

#include "base/fd_link.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

int fcp_http_server_ended(const struct fcp_http *http, const struct fcp_http_request *request,
			  struct fcp_error *err)
{
	fcp_error_set(err, FCP_ERR_CONNECT, 0, "%s %s: the server behind %s has ended",
		      request->method, request->path, http->unix_socket);
	err->errnum = ESRCH;
	return -1;
}

/* The socket of a server that had answered before was removed. */
static int socket_removed(const struct fcp_http *http, const struct fcp_http_request *request,
			  struct fcp_error *err)
{
	if (http->peer.pidfd < 0 || fcp_peer_has_ended(&http->peer))
		return fcp_http_server_ended(http, request, err);
	return fcp_error_set(err, FCP_ERR_CONNECT, ENOENT,
			     "%s %s: %s was removed, but the process behind it (%ld) still runs",
			     request->method, request->path, http->unix_socket,
			     (long)http->peer.pid);
}

int fcp_http_socket_error(const struct fcp_http *http, const struct fcp_http_request *request,
			  int os_error, struct fcp_error *err)
{
	const char *path = http->unix_socket;
	struct stat status;

	if (stat(path, &status) != 0) {
		if (os_error == 0)
			os_error = errno;
		if (os_error == ENOENT && http->answered)
			return socket_removed(http, request, err);
	} else if (!S_ISSOCK(status.st_mode)) {
		fcp_error_set(err, FCP_ERR_CONNECT, 0, "%s is not a socket", path);
		err->errnum = ENOTSOCK;
		return -1;
	} else if (os_error == ECONNREFUSED) {
		return fcp_error_set(err, FCP_ERR_CONNECT, ECONNREFUSED,
				     "%s: nobody listens on this socket any more", path);
	} else if (os_error == ENOENT) {
		/* It exists, so it was opened through a descriptor, as long paths are. */
		return fcp_fd_link_error(err, FCP_ERR_CONNECT, ENOENT, path);
	}
	return fcp_error_set(err, FCP_ERR_CONNECT, os_error, "cannot connect to the socket %s%s",
			     path, os_error == 0 ? ": the connection is closed at once" : "");
}

static int connect_error(struct fcp_http *http, const struct fcp_http_request *request,
			 CURLcode code, struct fcp_error *err)
{
	long os_error = 0;

	http->curl->easy_getinfo(http->easy, CURLINFO_OS_ERRNO, &os_error);
	if (http->unix_socket)
		return fcp_http_socket_error(http, request, (int)os_error, err);
	return fcp_error_set(err, FCP_ERR_CONNECT, (int)os_error, "cannot connect to %s%s%s",
			     http->url, os_error ? "" : ": ",
			     os_error ? "" : http->curl->easy_strerror(code));
}

/*
 * curl takes an answer without a status line for HTTP/0.9, which it may not use. One that comes,
 * with the end of the connection, before the request was sent leaves no URL to blame on a socket.
 */
static bool is_no_http(const struct fcp_http *http, CURLcode code)
{
	long sent_bytes = 0;

	http->curl->easy_getinfo(http->easy, CURLINFO_REQUEST_SIZE, &sent_bytes);
	return code == CURLE_WEIRD_SERVER_REPLY ||
	       (code == CURLE_UNSUPPORTED_PROTOCOL && (http->unix_socket || sent_bytes > 0));
}

int fcp_http_timeout_error(const struct fcp_http *http, const struct transfer *transfer,
			   struct fcp_error *err)
{
	const struct fcp_http_request *request = transfer->request;

	return fcp_error_set(err, FCP_ERR_TIMEOUT, 0, "%s %s: no answer%s%.200s within %lld ms",
			     request->method, request->path, http->unix_socket ? " from " : "",
			     http->unix_socket ? http->unix_socket : "",
			     (long long)transfer->limit_ms);
}

int fcp_http_transfer_error(struct fcp_http *http, const struct transfer *transfer, CURLcode code,
			    struct fcp_error *err)
{
	const struct fcp_http_request *request = transfer->request;

	if (transfer->no_memory || code == CURLE_OUT_OF_MEMORY)
		return fcp_error_nomem(err);
	if (transfer->too_long)
		return fcp_error_set(err, FCP_ERR_PROTOCOL, 0,
				     "%s %s: the answer is longer than %zu bytes", request->method,
				     request->path, request->max_bytes);
	if (transfer->headers_too_long)
		return fcp_error_set(err, FCP_ERR_PROTOCOL, 0,
				     "%s %s: the answer's headers are longer than %d bytes",
				     request->method, request->path, FCP_HTTP_HEADERS_MAX_BYTES);
	if (is_no_http(http, code))
		return fcp_error_set(err, FCP_ERR_PROTOCOL, 0, "%s %s: the answer is not HTTP",
				     request->method, request->path);
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
