// SPDX-License-Identifier: Apache-2.0
/* HTTP/1.1 to one server, over a Unix socket or TCP: the one user of libcurl. */
#ifndef FCP_NET_HTTP_H
#define FCP_NET_HTTP_H

#include "base/deadline.h"
#include "base/error.h"

struct fcp_http;

/*
 * A connection that is opened at the first request and kept. unix_socket NULL: TCP to url
 * ("http://HOST:PORT", see fcp_url_check()); else url is ignored. A
 * socket's path can be of any length. Proxies of the environment are not used.
 * *http_ is owned: fcp_http_close().
 */
int fcp_http_open(const char *unix_socket, const char *url, struct fcp_http **http_,
		  struct fcp_error *err);

/*
 * Each request from here on is told to the observer (borrowed, NULL: none); server, "firecracker" or
 * "envd", is for it. The request's body is passed on for Firecracker only.
 */
void fcp_http_observe(struct fcp_http *http, const char *server,
		      const struct fcp_observer *observer);

/* NULL-safe. */
void fcp_http_close(struct fcp_http *http);

/* A piece of the answer's body; false stops the transfer (the sink keeps its own reason). */
typedef bool (*fcp_http_sink)(const void *data, size_t length, void *arg);

struct fcp_http_request {
	const char *method;
	const char *path;
	const void *body; /* NULL: none */
	size_t body_bytes;
	const char *const *headers; /* "Name: value", NULL at the end; or NULL */
	size_t max_bytes;	    /* a longer answer is FCP_ERR_PROTOCOL */
	fcp_http_sink sink;	    /* NULL: the body is kept in the response */
	void *sink_arg;
	const char
		*sink_type; /* the sink gets an answer 200 of this content type only; NULL: any */
	fcp_deadline deadline;
	int cancel_fd; /* or -1 */
};

/* How much is kept of an answer that is not for the sink. */
#define FCP_HTTP_BEGINNING_BYTES 4096

struct fcp_http_response {
	int status;
	/* NUL-terminated, owned by the caller. With a sink: the beginning of what was not for it, or
	 * NULL. */
	char *body;
	size_t body_bytes;
	char content_type[64]; /* filtered; "" where there is none, or no body */
};

/*
 * Sends one request, once (a GET may be sent again when a kept connection had ended), and receives
 * its answer; any status is a success. FCP_ERR_CONNECT when nobody answers at the address, with
 * ESRCH when the process that answered before has ended (noticed at once), FCP_ERR_TIMEOUT, FCP_ERR_INTERRUPTED, FCP_ERR_PROTOCOL when the answer is
 * no HTTP, ends too early, or is too long. After any but FCP_ERR_CONNECT the server may have done
 * what was asked.
 */
int fcp_http_send(struct fcp_http *http, const struct fcp_http_request *request,
		  struct fcp_http_response *response_, struct fcp_error *err);

/*
 * The process that listens at the Unix socket of the last request (SO_PEERCRED, unix(7)); 0 when
 * it is not known: no request yet, TCP, or a process outside of our pid namespace.
 */
pid_t fcp_http_peer_pid(const struct fcp_http *http);

/* A pidfd of that process, borrowed; -1 when it is not known. */
int fcp_http_peer_pidfd(const struct fcp_http *http);

/* Did a request get an answer? */
bool fcp_http_has_answered(const struct fcp_http *http);

/* The socket or the URL, borrowed; for messages. */
const char *fcp_http_name(const struct fcp_http *http);

static inline void fcp_cleanup_http(struct fcp_http **http)
{
	fcp_http_close(*http);
}

#endif
