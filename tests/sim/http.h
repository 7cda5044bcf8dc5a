// SPDX-License-Identifier: Apache-2.0
/* What both servers share: a request, an answer, and the faults around them. */
#ifndef SIM_HTTP_H
#define SIM_HTTP_H

#include <microhttpd.h>

#include "vm.h"

#define HTTP_MAX_HEADERS 6

struct http_header {
	const char *name;
	const char *value;
};

struct http_reply {
	unsigned int status;
	char *body; /* from malloc, or NULL */
	size_t len;
	struct http_header headers[HTTP_MAX_HEADERS];
	size_t header_count;
};

struct http_call {
	struct vm *vm;
	struct MHD_Connection *connection;
	const char *method;
	const char *path; /* without the query */
	const char *uri;  /* as sent */
	const char *body;
	size_t len;
	int fd; /* the client's connection */
	struct fault fault;
};

struct http_server {
	struct vm *vm;
	struct MHD_Daemon *daemon;
	enum MHD_Result (*serve)(struct http_call *call);
	int port;
};

/* Serves a listening socket, one thread a connection. */
int http_start(struct http_server *server, int listen_fd, bool with_date);
void http_stop(struct http_server *server);

const char *http_request_header(const struct http_call *call, const char *name);

void http_reply_text(struct http_reply *reply, unsigned int status, const char *type,
		     const char *text);
void http_reply_header(struct http_reply *reply, const char *name, const char *value);

/* Sends the answer and frees its body. */
enum MHD_Result http_send(struct http_call *call, struct http_reply *reply);

/* Faults that answer in the request's place: true, and what the handler returns. */
bool http_fault_before(struct http_call *call, const char *type, enum MHD_Result *ret);
/* Sends the answer to a request that was done, the way the fault wants it. */
enum MHD_Result http_send_after(struct http_call *call, struct http_reply *reply);

/* Closes the connection without an answer (TCP: a reset). */
enum MHD_Result http_drop(struct http_call *call);

#endif
