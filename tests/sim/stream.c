// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connect.h"
#include "process.h"
#include "stream.h"

#define CHUNK (32 * 1024)
#define KEEPALIVE_S 90

enum phase {
	PHASE_STARTED, /* the start event comes next */
	PHASE_FLOOD,
	PHASE_DATA,
	PHASE_END,   /* all was made */
	PHASE_ABORT, /* the connection is to be closed after what was made */
	PHASE_HANG,
};

struct stream {
	struct vm *vm;
	int client_fd;
	struct process process;
	bool alive; /* process is there to be ended */
	enum phase phase;
	struct fault fault;
	long flood;
	struct frames frames;
	size_t sent;
};

/* The end of the process: its end event and the end of the stream, or what a fault makes of it. */
static void add_end(struct stream *s)
{
	int status = process_end(&s->process);

	s->alive = false;
	s->phase = PHASE_END;
	if (s->fault.kind == FAULT_ERROR) {
		frames_add_error(&s->frames, s->fault.text, "simulated fault");
		return;
	}
	if (s->fault.kind != FAULT_NO_END)
		frames_add(&s->frames, 0, event_end(status));
	if (s->fault.kind == FAULT_NO_EOS)
		s->phase = PHASE_ABORT;
	else
		frames_add(&s->frames, CONNECT_END_OF_STREAM, json_object());
	if (s->fault.kind == FAULT_CUT || s->fault.kind == FAULT_TRUNCATE) {
		s->frames.len /= 2;
		s->phase = PHASE_ABORT;
	}
}

static void add_deadline(struct stream *s)
{
	process_kill(&s->process);
	process_end(&s->process);
	s->alive = false;
	frames_add_error(&s->frames, "deadline_exceeded", "context deadline exceeded");
	s->phase = PHASE_END;
}

static void client_gone(struct stream *s)
{
	/* As in envd, the command goes on. */
	process_leave(&s->process, s->vm);
	s->alive = false;
	s->phase = PHASE_ABORT;
}

static void add_data(struct stream *s)
{
	char buf[CHUNK];
	int from;
	ssize_t n = process_read(&s->process, s->vm, s->client_fd, buf, sizeof(buf), &from);

	if (n > 0)
		frames_add(&s->frames, 0, event_data(from, buf, (size_t)n));
	else if (n == PROCESS_QUIET)
		frames_add(&s->frames, 0, event_keepalive());
	else if (n == PROCESS_ENDED)
		add_end(s);
	else if (n == PROCESS_DEADLINE)
		add_deadline(s);
	else
		client_gone(s);
}

static void add_flood(struct stream *s)
{
	char buf[CHUNK];
	size_t n = s->flood < CHUNK ? (size_t)s->flood : CHUNK;

	memset(buf, 'x', n);
	frames_add(&s->frames, 0, event_data(1, buf, n));
	s->flood -= (long)n;
	if (!s->flood)
		s->phase = PHASE_DATA;
}

static void add_next(struct stream *s)
{
	switch (s->phase) {
	case PHASE_STARTED:
		frames_add(&s->frames, 0, event_start(s->process.guest_pid));
		s->phase = s->fault.kind == FAULT_HANG_AFTER_START ? PHASE_HANG
			   : s->flood				   ? PHASE_FLOOD
								   : PHASE_DATA;
		break;
	case PHASE_FLOOD:
		add_flood(s);
		break;
	case PHASE_DATA:
		add_data(s);
		break;
	case PHASE_HANG:
		vm_wait_ms(s->vm, s->client_fd, -1);
		client_gone(s);
		break;
	case PHASE_END:
	case PHASE_ABORT:
		break;
	}
}

static ssize_t read_stream(void *cls, uint64_t pos, char *buf, size_t max)
{
	struct stream *s = cls;
	size_t n;

	(void)pos;
	while (s->sent == s->frames.len) {
		s->sent = s->frames.len = 0;
		if (s->phase == PHASE_END)
			return MHD_CONTENT_READER_END_OF_STREAM;
		if (s->phase == PHASE_ABORT)
			return MHD_CONTENT_READER_END_WITH_ERROR;
		add_next(s);
	}
	n = s->frames.len - s->sent < max ? s->frames.len - s->sent : max;
	memcpy(buf, s->frames.data + s->sent, n);
	s->sent += n;
	return (ssize_t)n;
}

static void free_stream(void *cls)
{
	struct stream *s = cls;

	if (s->alive)
		client_gone(s);
	free(s->frames.data);
	free(s->fault.text);
	free(s);
}

static enum MHD_Result send_stream(struct http_call *call, struct stream *s)
{
	struct MHD_Response *response =
		MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 64 * 1024, read_stream, s,
						  free_stream);
	enum MHD_Result ret;

	if (!response) {
		free_stream(s);
		return MHD_NO;
	}
	MHD_add_response_header(response, "Connect-Accept-Encoding", "gzip");
	MHD_add_response_header(response, "Content-Type", "application/connect+json");
	MHD_add_response_header(response, "Vary", "Origin");
	ret = MHD_queue_response(call->connection, 200, response);
	MHD_destroy_response(response);
	return ret;
}

/* Runs it to its end, unseen. */
static void run_unseen(struct stream *s)
{
	while (s->phase != PHASE_END && s->phase != PHASE_ABORT) {
		s->frames.len = 0;
		add_next(s);
	}
}

static enum MHD_Result send_with_fault(struct http_call *call, struct stream *s)
{
	enum fault_kind kind = s->fault.kind;

	if (s->alive && kind == FAULT_SLOW && vm_wait_ms(call->vm, call->fd, s->fault.number)) {
		free_stream(s);
		return MHD_NO;
	}
	if (kind != FAULT_LOST && kind != FAULT_DIE_AFTER)
		return send_stream(call, s);
	run_unseen(s);
	if (kind == FAULT_DIE_AFTER)
		kill(getpid(), SIGKILL);
	free_stream(s);
	return http_drop(call);
}

/* Connect's own reading of the header: digits, at most ten. Returns 0, or -1 with its words. */
static int read_timeout(const char *text, int64_t *ret_ns, char *ret_message, size_t size)
{
	char *end;
	long long ms;

	*ret_ns = INT64_MAX;
	if (!text || !*text)
		return 0;
	if (strlen(text) > 10) {
		snprintf(ret_message, size, "parse timeout: \"%s\" has >10 digits", text);
		return -1;
	}
	ms = strtoll(text, &end, 10);
	if (*end || end == text || strchr(" \t", *text)) {
		snprintf(ret_message, size,
			 "parse timeout: strconv.ParseInt: parsing \"%s\": "
			 "invalid syntax",
			 text);
		return -1;
	}
	*ret_ns = now_ns() + (int64_t)ms * 1000000;
	return 0;
}

/* How long a stream is quiet before envd says that it is still there. */
static int64_t read_keepalive(const char *text)
{
	long s = text ? atol(text) : 0;

	return (s > 0 ? s : KEEPALIVE_S) * INT64_C(1000000000);
}

/* Starts the process, or puts the error that ends the stream into it. */
static void begin(struct http_call *call, struct stream *s, const struct guest *guest,
		  const char *user)
{
	const char *timeout = http_request_header(call, "Connect-Timeout-Ms");
	int64_t deadline;
	char message[1024] = "";
	json_t *request;

	s->phase = PHASE_END;
	if (read_timeout(timeout, &deadline, message, sizeof(message))) {
		frames_add_error(&s->frames, "invalid_argument", message);
		return;
	}
	request = connect_decode(call->body, call->len, message, sizeof(message));
	if (!request) {
		frames_add_error(&s->frames, "invalid_argument", message);
		return;
	}
	s->process.deadline_ns = deadline;
	s->process.keepalive_ns =
		read_keepalive(http_request_header(call, "Keepalive-Ping-Interval"));
	s->process.quiet_ns = now_ns() + s->process.keepalive_ns;
	if (now_ns() >= deadline)
		frames_add_error(&s->frames, "deadline_exceeded", "context deadline exceeded");
	else if (process_start(&s->process, guest, request, user, message, sizeof(message)))
		frames_add_error(&s->frames, "invalid_argument", message);
	else
		s->alive = true;
	json_decref(request);
	if (s->alive)
		s->phase = PHASE_STARTED;
}

enum MHD_Result stream_start(struct http_call *call, const struct guest *guest, const char *user)
{
	struct stream *s = calloc(1, sizeof(*s));

	if (!s)
		return MHD_NO;
	s->vm = call->vm;
	s->client_fd = call->fd;
	s->fault = call->fault;
	call->fault.text = NULL;
	if (s->fault.kind == FAULT_FLOOD)
		s->flood = s->fault.number;
	begin(call, s, guest, user);
	return send_with_fault(call, s);
}
