// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <poll.h>
#include <resolv.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "calls.h"
#include "started.h"

#define PREFIX "/process.Process/"
#define JSON "application/json"
#define ACCEPT_UNARY                                                                               \
	"application/grpc, application/grpc+json, application/grpc+json; charset=utf-8, "          \
	"application/grpc+proto, application/grpc-web, application/grpc-web+json, "                \
	"application/grpc-web+json; charset=utf-8, application/grpc-web+proto, application/json, " \
	"application/json; charset=utf-8, application/proto"

bool calls_has_type(const struct http_call *call, const char *type)
{
	const char *value = http_request_header(call, "Content-Type");

	return value && !strncmp(value, type, strlen(type));
}

void calls_refuse(struct http_reply *reply, unsigned int status, const char *code,
		  const char *message)
{
	json_t *error = json_pack("{s:s, s:s}", "code", code, "message", message);
	char *text = json_dumps(error, JSON_COMPACT);

	http_reply_text(reply, status, JSON, text);
	free(text);
	json_decref(error);
}

bool calls_refuse_type(const struct http_call *call, struct http_reply *reply, const char *type,
		       const char *accept)
{
	if (strcmp(call->method, "POST")) {
		reply->status = 405;
		http_reply_header(reply, "Allow", "POST");
		return true;
	}
	if (calls_has_type(call, type))
		return false;
	reply->status = 415;
	http_reply_header(reply, "Accept-Post", accept);
	return true;
}

/* The process that the request names. 0: refused. */
static pid_t find_process(struct http_reply *reply, const json_t *request)
{
	const json_t *pid = json_object_get(json_object_get(request, "process"), "pid");
	char message[64];

	snprintf(message, sizeof(message), "process with pid %lld not found",
		 (long long)json_integer_value(pid));
	if (!pid)
		calls_refuse(reply, 501, "unimplemented",
			     "invalid input type *process.ProcessSelector");
	else if (started_signal((pid_t)json_integer_value(pid), 0))
		calls_refuse(reply, 404, "not_found", message);
	else
		return (pid_t)json_integer_value(pid);
	return 0;
}

/* A name or a number; 0: none that envd sends. */
static int read_signal(const json_t *signal)
{
	const char *name = json_string_value(signal);

	if (json_integer_value(signal) == SIGKILL || (name && !strcmp(name, "SIGNAL_SIGKILL")))
		return SIGKILL;
	if (json_integer_value(signal) == SIGTERM || (name && !strcmp(name, "SIGNAL_SIGTERM")))
		return SIGTERM;
	return 0;
}

/* envd: signal.go. */
static void send_signal(const struct http_call *call, struct http_reply *reply, pid_t pid,
			const json_t *request)
{
	int signal = read_signal(json_object_get(request, "signal"));
	char message[64];

	(void)call;
	snprintf(message, sizeof(message), "process with pid %d not found", pid);
	if (!signal)
		calls_refuse(reply, 501, "unimplemented", "invalid signal: SIGNAL_UNSPECIFIED");
	else if (started_signal(pid, signal))
		calls_refuse(reply, 404, "not_found", message);
	else
		http_reply_text(reply, 200, JSON, "{}");
}

/* All of it, or until nobody reads it, or until the client or the simulator ends. An errno. */
static int write_all(const struct http_call *call, int fd, const unsigned char *data, size_t len)
{
	while (len > 0) {
		struct pollfd fds[] = {{.fd = fd, .events = POLLOUT},
				       {.fd = call->fd, .events = POLLRDHUP},
				       {.fd = call->vm->stop_fd, .events = POLLIN}};
		ssize_t n;

		if (poll(fds, 3, -1) < 0 && errno != EINTR)
			return errno;
		if (fds[1].revents || fds[2].revents)
			return ECANCELED;
		/* A pipe that is ready takes PIPE_BUF bytes. */
		n = write(fd, data, len < 4096 ? len : 4096);
		if (n < 0 && errno != EINTR)
			return errno;
		data += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static void write_stdin(const struct http_call *call, struct http_reply *reply, pid_t pid,
			const char *encoded)
{
	unsigned char *data = malloc(strlen(encoded) + 1);
	int len = data ? b64_pton(encoded, data, strlen(encoded) + 1) : 0;
	int fd = started_stdin(pid), error;
	char message[128];

	if (fd < 0) {
		calls_refuse(reply, 500, "internal",
			     "error writing to stdin: stdin not enabled or closed");
	} else {
		error = write_all(call, fd, data, len > 0 ? (size_t)len : 0);
		snprintf(message, sizeof(message),
			 "error writing to stdin: error writing to stdin of "
			 "process '%d': write |1: %s",
			 pid, error == EPIPE ? "broken pipe" : strerror(error));
		close(fd);
		if (error)
			calls_refuse(reply, 500, "internal", message);
		else
			http_reply_text(reply, 200, JSON, "{}");
	}
	free(data);
}

/* envd: input.go. */
static void send_input(const struct http_call *call, struct http_reply *reply, pid_t pid,
		       const json_t *request)
{
	const json_t *input = json_object_get(request, "input");
	const char *text = json_string_value(json_object_get(input, "stdin"));

	if (text)
		write_stdin(call, reply, pid, text);
	else if (json_object_get(input, "pty"))
		calls_refuse(reply, 500, "internal",
			     "error writing to tty: tty not assigned to process \xe2\x80\x94 input "
			     "should be "
			     "written to the stdin, not the tty");
	else
		http_reply_text(reply, 501, JSON,
				"{\"code\":\"unimplemented\","
				"\"message\":\"invalid input type \\u003cnil\\u003e\"}");
}

static void close_stdin(const struct http_call *call, struct http_reply *reply, pid_t pid,
			const json_t *request)
{
	(void)call;
	(void)request;
	started_close_stdin(pid);
	http_reply_text(reply, 200, JSON, "{}");
}

static const struct {
	const char *path;
	void (*answer)(const struct http_call *call, struct http_reply *reply, pid_t pid,
		       const json_t *request);
} calls[] = {
	{PREFIX "SendSignal", send_signal},
	{PREFIX "SendInput", send_input},
	{PREFIX "CloseStdin", close_stdin},
};

static void answer(size_t i, const struct http_call *call, struct http_reply *reply)
{
	json_t *request;
	pid_t pid;

	if (calls_refuse_type(call, reply, JSON, ACCEPT_UNARY))
		return;
	request = json_loadb(call->body, call->len, 0, NULL);
	http_reply_header(reply, "Accept-Encoding", "gzip");
	if (!call->len)
		calls_refuse(reply, 400, "invalid_argument",
			     "unmarshal message: zero-length payload is not a valid JSON object");
	else if (!json_is_object(request))
		calls_refuse(reply, 400, "invalid_argument", "unmarshal message: no JSON object");
	else if ((pid = find_process(reply, request)) != 0)
		calls[i].answer(call, reply, pid, request);
	json_decref(request);
}

bool calls_answer(const struct http_call *call, struct http_reply *reply)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (strcmp(call->path, calls[i].path))
			continue;
		answer(i, call, reply);
		return true;
	}
	return false;
}
