// SPDX-License-Identifier: Apache-2.0
/* Shared by http.c, http_body.c and http_error.c. */
#ifndef FCP_NET_HTTP_PARTS_H
#define FCP_NET_HTTP_PARTS_H

#include "net/curl.h"
#include "net/http.h"
#include "net/peer.h"

struct fcp_http {
	const struct fcp_curl *curl;
	CURL *easy;
	CURLM *multi;
	char *unix_socket; /* NULL: TCP */
	char *url;	   /* without a slash at its end */
	struct fcp_peer peer;
	bool answered;			     /* at least once */
	const char *server;		     /* for the observer */
	const struct fcp_observer *observer; /* or NULL */
};

/* One request in progress. */
struct transfer {
	struct fcp_http *http;
	const struct fcp_http_request *request;
	char *body;
	size_t body_bytes;
	size_t capacity;
	size_t received;
	int64_t limit_ms; /* until the deadline, when it began */
	const char *url;
	char content_type[64];
	bool for_sink;
	size_t header_bytes;
	bool too_long;
	bool headers_too_long;
	bool no_memory;
	bool refused; /* by the sink */
};

/* Appends to the transfer's body, which stays NUL-terminated; false: no memory. */
bool fcp_http_keep_body(struct transfer *transfer, const void *data, size_t length);

/* libcurl's CURLOPT_WRITEFUNCTION; arg is the transfer. */
size_t fcp_http_on_data(char *data, size_t size, size_t count, void *arg);

/* libcurl's CURLOPT_HEADERFUNCTION; arg is the transfer. */
size_t fcp_http_on_header(char *data, size_t size, size_t count, void *arg);

/* Each sets *err and returns -1. os_error: why the socket cannot be connected to; 0: unknown. */
int fcp_http_socket_error(const struct fcp_http *http, const struct fcp_http_request *request,
			  int os_error, struct fcp_error *err);
int fcp_http_server_ended(const struct fcp_http *http, const struct fcp_http_request *request,
			  struct fcp_error *err);
int fcp_http_timeout_error(const struct fcp_http *http, const struct transfer *transfer,
			   struct fcp_error *err);
int fcp_http_transfer_error(struct fcp_http *http, const struct transfer *transfer, CURLcode code,
			    struct fcp_error *err);

#endif
