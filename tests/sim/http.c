// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http.h"

#define MAX_BODY (16UL * 1024 * 1024)

struct pending {
	char *uri;
	char *body;
	size_t len;
	bool begun;
};

static void *new_pending(void *cls, const char *uri, struct MHD_Connection *connection)
{
	struct pending *p = calloc(1, sizeof(*p));

	(void)cls;
	(void)connection;
	if (p)
		p->uri = strdup(uri);
	return p;
}

static void completed(void *cls, struct MHD_Connection *connection, void **context,
		      enum MHD_RequestTerminationCode why)
{
	const struct http_server *server = cls;
	struct pending *p = *context;

	(void)connection;
	(void)why;
	if (server->vm->broken)
		kill(getpid(), SIGTERM);
	if (!p)
		return;
	free(p->uri);
	free(p->body);
	free(p);
	*context = NULL;
}

static enum MHD_Result collect(struct pending *p, const char *data, size_t *size)
{
	char *body;

	if (*size > MAX_BODY || p->len > MAX_BODY - *size)
		return MHD_NO;
	body = realloc(p->body, p->len + *size + 1);
	if (!body)
		return MHD_NO;
	memcpy(body + p->len, data, *size);
	p->body = body;
	p->len += *size;
	body[p->len] = '\0';
	*size = 0;
	return MHD_YES;
}

static int connection_fd(struct MHD_Connection *connection)
{
	return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

static enum MHD_Result access_handler(void *cls, struct MHD_Connection *connection, const char *url,
				      const char *method, const char *version, const char *data,
				      size_t *size, void **context)
{
	struct http_server *server = cls;
	struct pending *p = *context;
	struct http_call call;
	enum MHD_Result ret;

	(void)version;
	if (!p)
		return MHD_NO;
	if (!p->begun) {
		p->begun = true;
		return MHD_YES;
	}
	if (*size)
		return collect(p, data, size);
	call = (struct http_call){
		.vm = server->vm,
		.connection = connection,
		.method = method,
		.path = url,
		.uri = p->uri,
		.body = p->body ? p->body : "",
		.len = p->len,
		.fd = connection_fd(connection),
	};
	ret = server->serve(&call);
	free(call.fault.text);
	return ret;
}

int http_start(struct http_server *server, int listen_fd, bool with_date)
{
	unsigned int flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION |
			     MHD_USE_POLL | MHD_USE_ITC;

	if (!with_date)
		flags |= MHD_USE_SUPPRESS_DATE_NO_CLOCK;
	server->daemon =
		MHD_start_daemon(flags, 0, NULL, NULL, access_handler, server,
				 MHD_OPTION_LISTEN_SOCKET, listen_fd, MHD_OPTION_URI_LOG_CALLBACK,
				 new_pending, NULL, MHD_OPTION_NOTIFY_COMPLETED, completed, server,
				 MHD_OPTION_END);
	return server->daemon ? 0 : -1;
}

void http_stop(struct http_server *server)
{
	if (server->daemon)
		MHD_stop_daemon(server->daemon);
}

const char *http_request_header(const struct http_call *call, const char *name)
{
	return MHD_lookup_connection_value(call->connection, MHD_HEADER_KIND, name);
}

void http_reply_header(struct http_reply *reply, const char *name, const char *value)
{
	if (reply->header_count < HTTP_MAX_HEADERS)
		reply->headers[reply->header_count++] = (struct http_header){name, value};
}

void http_reply_text(struct http_reply *reply, unsigned int status, const char *type,
		     const char *text)
{
	reply->status = status;
	reply->body = text ? strdup(text) : NULL;
	reply->len = text ? strlen(text) : 0;
	if (type)
		http_reply_header(reply, "Content-Type", type);
}

enum MHD_Result http_send(struct http_call *call, struct http_reply *reply)
{
	struct MHD_Response *response;
	enum MHD_Result ret;

	response =
		MHD_create_response_from_buffer(reply->len, reply->body ? reply->body : (char *)"",
						reply->body ? MHD_RESPMEM_MUST_FREE
							    : MHD_RESPMEM_PERSISTENT);
	if (!response)
		return MHD_NO;
	reply->body = NULL;
	for (size_t i = 0; i < reply->header_count; i++)
		MHD_add_response_header(response, reply->headers[i].name, reply->headers[i].value);
	MHD_set_response_options(response, MHD_RF_SEND_KEEP_ALIVE_HEADER, MHD_RO_END);
	ret = MHD_queue_response(call->connection, reply->status, response);
	MHD_destroy_response(response);
	return ret;
}

enum MHD_Result http_drop(struct http_call *call)
{
	const struct sockaddr none = {.sa_family = AF_UNSPEC};

	/* TCP: taking the connection back resets it; a Unix socket knows no such thing (EINVAL). */
	connect(call->fd, &none, sizeof(none));
	return MHD_NO;
}

static enum MHD_Result send_status(struct http_call *call, const char *type)
{
	struct http_reply reply = {0};
	const char *text = call->fault.text;

	if (!text && call->fault.number >= 400)
		text = "{\"fault_message\":\"simulated fault\"}";
	http_reply_text(&reply, (unsigned int)call->fault.number, text ? type : NULL, text);
	return http_send(call, &reply);
}

static enum MHD_Result send_huge(struct http_call *call, const char *type)
{
	struct http_reply reply = {.status = 200, .len = (size_t)call->fault.number};

	reply.body = malloc(reply.len + 1);
	if (!reply.body)
		return MHD_NO;
	memset(reply.body, 'x', reply.len);
	http_reply_header(&reply, "Content-Type", type);
	return http_send(call, &reply);
}

static enum MHD_Result send_garbage(struct http_call *call, const char *type)
{
	struct http_reply reply = {0};

	http_reply_text(&reply, 200, type, "<html>this is no JSON</html>");
	return http_send(call, &reply);
}

bool http_fault_before(struct http_call *call, const char *type, enum MHD_Result *ret)
{
	*ret = MHD_NO;
	switch (call->fault.kind) {
	case FAULT_STATUS:
		*ret = send_status(call, type);
		return true;
	case FAULT_HANG:
		vm_wait_ms(call->vm, call->fd, -1);
		return true;
	case FAULT_RESET:
		*ret = http_drop(call);
		return true;
	case FAULT_DIE:
		kill(getpid(), SIGKILL);
		return true;
	case FAULT_GARBAGE:
		*ret = send_garbage(call, type);
		return true;
	case FAULT_HUGE:
		*ret = send_huge(call, type);
		return true;
	default:
		return false;
	}
}

static void send_raw(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		data += n;
		len -= (size_t)n;
	}
}

/* The right headers and half of the body; half of the headers where there is no body. */
static enum MHD_Result send_half(struct http_call *call, struct http_reply *reply)
{
	char head[1024];
	size_t n = (size_t)snprintf(head, sizeof(head), "HTTP/1.1 %u \r\n", reply->status);

	for (size_t i = 0; i < reply->header_count && n < sizeof(head); i++)
		n += (size_t)snprintf(head + n, sizeof(head) - n, "%s: %s\r\n",
				      reply->headers[i].name, reply->headers[i].value);
	if (reply->len && n < sizeof(head))
		n += (size_t)snprintf(head + n, sizeof(head) - n, "Content-Length: %zu\r\n\r\n",
				      reply->len);
	if (n >= sizeof(head))
		n = sizeof(head) - 1;
	send_raw(call->fd, head, reply->len ? n : n / 2);
	send_raw(call->fd, reply->body, reply->len / 2);
	shutdown(call->fd, SHUT_RDWR);
	free(reply->body);
	return MHD_NO;
}

enum MHD_Result http_send_after(struct http_call *call, struct http_reply *reply)
{
	switch (call->fault.kind) {
	case FAULT_DIE_AFTER:
		kill(getpid(), SIGKILL);
		return MHD_NO;
	case FAULT_LOST:
		free(reply->body);
		return http_drop(call);
	case FAULT_ANSWER:
		free(reply->body);
		return send_status(call, "application/json");
	case FAULT_TRUNCATE:
		return send_half(call, reply);
	case FAULT_SLOW:
		if (vm_wait_ms(call->vm, call->fd, call->fault.number)) {
			free(reply->body);
			return MHD_NO;
		}
		break;
	default:
		break;
	}
	return http_send(call, reply);
}
