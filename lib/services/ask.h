// SPDX-License-Identifier: Apache-2.0
/* One request to a service that is neither Firecracker nor envd: for flags, or for traces. */
#ifndef FCP_SERVICES_ASK_H
#define FCP_SERVICES_ASK_H

#include "net/http.h"

struct fcp_service_request {
	const char *method;
	const char *url;  /* http:// or https://, with the path: fcp_service_url_check() */
	const char *path; /* behind the URL's own; or NULL */
	const char *const *headers;	     /* "Name: value", NULL at the end */
	const char *body;		     /* JSON; NULL: none */
	uint32_t timeout_ms;		     /* for all of it */
	size_t max_bytes;		     /* of the answer */
	int cancel_fd;			     /* or -1 */
	const char *server;		     /* for the observer; static storage */
	const struct fcp_observer *observer; /* NULL: none */
};

/*
 * Any status is a success; errors are those of fcp_http_send(). Sent once. The answer's body is the
 * caller's to free.
 */
int fcp_service_ask(const struct fcp_service_request *request, struct fcp_http_response *response_,
		    struct fcp_error *err);

/* FCP_ERR_SERVER of an answer that is no success: its status, and the first line of its body. */
int fcp_service_refused(const struct fcp_service_request *request,
			const struct fcp_http_response *response, struct fcp_error *err);

#endif
