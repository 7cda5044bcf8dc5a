// SPDX-License-Identifier: Apache-2.0
/* HTTP/1.1 to one server, over a Unix socket or TCP. The only user of libcurl. */
#ifndef FCP_NET_HTTP_H
#define FCP_NET_HTTP_H

#include "base/deadline.h"
#include "base/error.h"

struct fcp_http;

/*
 * A connection, opened at the first request and kept open. unix_socket NULL: TCP to url
 * ("http://HOST:PORT", see fcp_url_check()); else url is ignored. A socket's path may have any
 * length. Proxies set in the environment are not used. *http_ is owned: fcp_http_close().
 */
int fcp_http_open(const char *unix_socket, const char *url, struct fcp_http **http_,
		  struct fcp_error *err);

/*
 * Reports each request from now on to the observer (borrowed; NULL: none), with server,
 * "firecracker" or "envd". The request's body is reported for Firecracker only.
 */
void fcp_http_observe(struct fcp_http *http, const char *server,
		      const struct fcp_observer *observer);

/* NULL-safe. */
void fcp_http_close(struct fcp_http *http);

/* A piece of the answer's body; returning false stops the transfer (the sink keeps its reason). */
typedef bool (*fcp_http_sink)(const void *data, size_t length, void *arg);

struct fcp_http_request {
	const char *method;
	const char *path;
	const void *body; /* NULL: none */
	size_t body_bytes;
	const char *const *headers; /* "Name: value", NULL-terminated; or NULL */
	size_t max_bytes;	    /* a longer answer is FCP_ERR_PROTOCOL */
	fcp_http_sink sink;	    /* NULL: the body is kept in the response */
	void *sink_arg;
	const char *sink_type; /* the sink gets a 200 answer of this type only; NULL: any */
	fcp_deadline deadline;
	int cancel_fd; /* or -1 */
};

/* How much is kept of an answer that the sink does not get. */
#define FCP_HTTP_BEGINNING_BYTES 4096

/* Of all header lines of an answer, and of those before it (1xx) and behind it (trailers). */
#define FCP_HTTP_HEADERS_MAX_BYTES 65536

struct fcp_http_response {
	int status;
	/*
	 * NUL-terminated, owned by the caller. With a sink: the beginning of an answer that the
	 * sink does not get, or NULL.
	 */
	char *body;
	size_t body_bytes;
	char content_type[64]; /* filtered; "" if there is none, or no body */
};

/*
 * Sends one request, once (a GET may be repeated if a kept connection had ended), and receives the
 * answer; any status is a success. FCP_ERR_CONNECT: nobody answers at the address; with errnum
 * ESRCH, the process that answered before has ended (noticed at once). FCP_ERR_TIMEOUT,
 * FCP_ERR_INTERRUPTED. FCP_ERR_PROTOCOL: the answer is not HTTP, incomplete, or too long. After any
 * error but FCP_ERR_CONNECT the server may have carried out the request.
 */
int fcp_http_send(struct fcp_http *http, const struct fcp_http_request *request,
		  struct fcp_http_response *response_, struct fcp_error *err);

/*
 * The process that listens on the Unix socket (SO_PEERCRED, unix(7)); 0 if unknown: before the
 * first request, over TCP, or in another PID namespace.
 */
pid_t fcp_http_peer_pid(const struct fcp_http *http);

/* A pidfd of that process, borrowed; -1 if unknown. */
int fcp_http_peer_pidfd(const struct fcp_http *http);

/* Has a request been answered? */
bool fcp_http_has_answered(const struct fcp_http *http);

/* The socket's path or the URL, borrowed; for messages. */
const char *fcp_http_name(const struct fcp_http *http);

static inline void fcp_cleanup_http(struct fcp_http **http)
{
	fcp_http_close(*http);
}

#endif
