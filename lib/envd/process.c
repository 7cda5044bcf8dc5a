// SPDX-License-Identifier: Apache-2.0
#include "envd/process.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "envd/connect.h"
#include "envd/headers.h"
#include "net/http.h"
#include "net/json.h"
#include "net/url.h"

#include <resolv.h>
#include <string.h>

#define PATH "/process.Process/Start"
#define CONTENT_TYPE "application/connect+json"
/* envd's: the command stays in envd's own cgroup. */
#define SYSTEM_TAG "_system"
#define MESSAGE_MAX_BYTES (1 << 18)
#define HEADER_MAX_BYTES 1024

/* A stream under way. */
struct stream {
	const struct fcp_guest_command *command;
	struct fcp_connect_reader reader;
	struct fcp_guest_exit exit;
	bool ended;  /* an end event came */
	bool closed; /* the end-of-stream came */
	bool failed; /* error is set */
	struct fcp_error error;
};

/* What is there at key, decoded, for the caller. */
static int pass_on(struct stream *stream, const struct fcp_json *data, const char *key,
		   enum fcp_guest_stream which, struct fcp_error *err)
{
	const char *encoded = fcp_json_string(fcp_json_get(data, key));
	FCP_CLEANUP(free) unsigned char *decoded = NULL;
	size_t room;
	int length;

	if (!encoded || !stream->command->on_output)
		return 0;
	room = strlen(encoded) / 4 * 3 + 4;
	decoded = malloc(room);
	if (!decoded)
		return fcp_error_nomem(err);
	length = b64_pton(encoded, decoded, room);
	if (length < 0)
		return fcp_error_set(err, FCP_ERR_PROTOCOL, 0, "envd: %s that is not base64", key);
	if (length == 0)
		return 0;
	return stream->command->on_output(which, (const char *)decoded, (size_t)length,
					  stream->command->arg, err);
}

static int on_start_event(const struct stream *stream, const struct fcp_json *start,
			  struct fcp_error *err)
{
	const struct fcp_guest_command *command = stream->command;
	uint64_t pid = 0;

	fcp_json_u64(fcp_json_get(start, "pid"), &pid);
	return command->on_start ? command->on_start((uint32_t)pid, command->arg, err) : 0;
}

static void on_end_event(struct stream *stream, const struct fcp_json *end)
{
	const char *status = fcp_json_string(fcp_json_get(end, "status"));
	int64_t code = 0; /* protobuf's JSON leaves out a 0 */

	fcp_json_bool(fcp_json_get(end, "exited"), &stream->exit.exited);
	fcp_json_i64(fcp_json_get(end, "exitCode"), &code);
	stream->exit.exit_code = (int)code;
	snprintf(stream->exit.status, sizeof(stream->exit.status), "%s", status ? status : "");
	stream->ended = true;
}

static int on_end_of_stream(struct stream *stream, const struct fcp_json *message,
			    struct fcp_error *err)
{
	const struct fcp_json *error = fcp_json_get(message, "error");
	const char *code = fcp_json_string(fcp_json_get(error, "code"));
	const char *why = fcp_json_string(fcp_json_get(error, "message"));

	stream->closed = true;
	if (!error)
		return 0;
	if (code && strcmp(code, "deadline_exceeded") == 0)
		return fcp_error_set(err, FCP_ERR_TIMEOUT, 0, "envd: the deadline came first");
	return fcp_error_set(err, FCP_ERR_SERVER, 0, "envd: %.60s: %.300s", code ? code : "error",
			     why ? why : "no message");
}

static int on_message(uint8_t flags, const char *text, size_t length, void *arg,
		      struct fcp_error *err)
{
	FCP_CLEANUP(json) struct fcp_json *message = NULL;
	struct stream *stream = arg;
	const struct fcp_json *event, *data;

	if (stream->closed)
		return fcp_error_set(err, FCP_ERR_PROTOCOL, 0,
				     "envd: a message after the end of the stream");
	if (fcp_json_parse(text, length, "envd's message", &message, err) != 0)
		return -1;
	if (flags & FCP_CONNECT_END_STREAM)
		return on_end_of_stream(stream, message, err);
	event = fcp_json_get(message, "event");
	data = fcp_json_get(event, "data");
	if (fcp_json_get(event, "start") &&
	    on_start_event(stream, fcp_json_get(event, "start"), err) != 0)
		return -1;
	if (pass_on(stream, data, "stdout", FCP_GUEST_STDOUT, err) != 0 ||
	    pass_on(stream, data, "stderr", FCP_GUEST_STDERR, err) != 0)
		return -1;
	if (fcp_json_get(event, "end"))
		on_end_event(stream, fcp_json_get(event, "end"));
	return 0; /* keepalive, and what later versions add, is passed over */
}

static bool on_bytes(const void *data, size_t length, void *arg)
{
	struct stream *stream = arg;

	stream->failed = fcp_connect_feed(&stream->reader, data, length, &stream->error) != 0;
	return !stream->failed;
}

/* {"process":{"cmd":"/bin/sh","args":["-c",SCRIPT]},"stdin":false} in an envelope; owned. */
static char *request_body(const struct fcp_guest_command *command, size_t *bytes_)
{
	const char *const *argv = command->argv;
	FCP_CLEANUP(json) struct fcp_json *request = fcp_json_object();
	FCP_CLEANUP(free) char *text = NULL;
	struct fcp_json *process = fcp_json_object();
	struct fcp_json *args = fcp_json_array();
	size_t length;
	char *body;
	int bad = 0;

	for (size_t i = 1; argv[i]; i++)
		bad |= fcp_json_append_string(args, argv[i]);
	bad |= fcp_json_set_string(process, "cmd", argv[0]);
	bad |= fcp_json_set(process, "args", args);
	bad |= fcp_json_set(request, "process", process);
	bad |= fcp_json_set_bool(request, "stdin", command->with_stdin);
	if (command->beside_workload)
		bad |= fcp_json_set_string(request, "tag", SYSTEM_TAG);
	text = bad ? NULL : fcp_json_text(request);
	if (!text)
		return NULL;
	length = strlen(text);
	body = malloc(FCP_CONNECT_PREFIX_BYTES + length);
	if (!body)
		return NULL;
	fcp_connect_prefix((uint8_t *)body, (uint32_t)length);
	memcpy(body + FCP_CONNECT_PREFIX_BYTES, text, length);
	*bytes_ = FCP_CONNECT_PREFIX_BYTES + length;
	return body;
}

/* "Authorization: Basic " + base64("USER:"): envd takes the user's name from there. */
static void write_authorization(const char *user, char header[HEADER_MAX_BYTES])
{
	char plain[FCP_GUEST_USER_MAX + 2];
	int length = snprintf(plain, sizeof(plain), "%.*s:", FCP_GUEST_USER_MAX, user);
	int at = snprintf(header, HEADER_MAX_BYTES, "Authorization: Basic ");

	b64_ntop((unsigned char *)plain, (size_t)length, header + at,
		 (size_t)(HEADER_MAX_BYTES - at));
}

/* envd says why as JSON; a proxy before it, on the first line of its body. */
static void reason_of(const struct fcp_http_response *response, char *reason, size_t bytes)
{
	FCP_CLEANUP(json) struct fcp_json *answer = NULL;
	const char *text = response->body ? response->body : "";
	struct fcp_error no_matter;

	if (fcp_json_parse(text, strlen(text), "", &answer, &no_matter) == 0 &&
	    fcp_json_string(fcp_json_get(answer, "message")))
		text = fcp_json_string(fcp_json_get(answer, "message"));
	fcp_text_first_line(text, reason, bytes);
}

static int status_error(const struct fcp_http_response *response, struct fcp_error *err)
{
	bool no_token = response->status == 401 || response->status == 403;
	char reason[200];

	reason_of(response, reason, sizeof(reason));
	fcp_error_set(err, FCP_ERR_SERVER, 0, "envd: POST " PATH ": HTTP status %d%s%s%s",
		      response->status, *reason ? ": " : "", reason,
		      no_token ? " (a token file is needed, or its token is wrong)" : "");
	err->http_status = response->status;
	return -1;
}

static int check_end(struct stream *stream, const struct fcp_http_response *response,
		     struct fcp_error *err)
{
	if (response->status != 200)
		return status_error(response, err);
	if (response->body)
		return fcp_error_set(err, FCP_ERR_PROTOCOL, 0,
				     "not a Connect stream (%s): is this envd?",
				     *response->content_type ? response->content_type
							     : "of no content type");
	if (stream->failed) {
		*err = stream->error;
		return -1;
	}
	if (!stream->closed || !fcp_connect_at_boundary(&stream->reader))
		return fcp_error_set(err, FCP_ERR_PROTOCOL, 0,
				     "envd: the stream broke off before its end");
	if (!stream->ended)
		return fcp_error_set(err, FCP_ERR_PROTOCOL, 0,
				     "envd: the stream ended without saying how the command ended");
	return 0;
}

static int send_error(const struct fcp_guest_command *command, struct fcp_error *err)
{
	if (err->error_class != FCP_ERR_CONNECT)
		return fcp_error_wrap(err, "envd at %.100s", command->envd);
	if (!fcp_url_has_port(command->envd))
		fcp_error_append(err, " (the URL names no port; envd's is 49983)");
	return fcp_error_wrap(err, "envd");
}

/* envd has the path and the method. */
static bool is_elsewhere(int status)
{
	return status == 404 || status == 405 || status == 501;
}

static int send_command(struct stream *stream, const char *const *headers, struct fcp_error *err)
{
	const struct fcp_guest_command *command = stream->command;
	FCP_CLEANUP(http) struct fcp_http *http = NULL;
	FCP_CLEANUP(free) char *body = NULL;
	struct fcp_http_response response = {0};
	struct fcp_http_request request = {
		.method = "POST",
		.path = PATH,
		.headers = headers,
		.max_bytes = command->answer_max_bytes,
		.sink = on_bytes,
		.sink_arg = stream,
		.sink_type = CONTENT_TYPE,
		.deadline = fcp_deadline_in_ms(command->timeout_ms),
		.cancel_fd = command->cancel_fd,
	};

	int result;

	if (fcp_http_open(NULL, command->envd, &http, err) != 0)
		return -1;
	fcp_http_observe(http, "envd", command->observer);
	request.body = body = request_body(command, &request.body_bytes);
	if (!body)
		return fcp_error_nomem(err);
	if (fcp_http_send(http, &request, &response, err) != 0)
		return send_error(command, err);
	result = check_end(stream, &response, err);
	if (result != 0 && is_elsewhere(response.status))
		fcp_error_append(err, " (is this envd?%s)",
				 fcp_url_has_port(command->envd)
					 ? ""
					 : " The URL names no port; envd's is 49983");
	free(response.body);
	return result;
}

int fcp_guest_run(const struct fcp_guest_command *command, struct fcp_guest_exit *exit_,
		  struct fcp_error *err)
{
	struct stream stream = {.command = command};
	char user[HEADER_MAX_BYTES], timeout[64];
	char trace[FCP_ENVD_TRACE_BYTES];
	const char *headers[4 + FCP_ENVD_HEADERS_END] = {
		("Content-Type: " CONTENT_TYPE),
		"Connect-Protocol-Version: 1",
		timeout,
		user,
	};
	int result;

	if (!command->envd)
		return fcp_error_set(err, FCP_ERR_USAGE, 0, "no address of envd given");
	if (fcp_url_check(command->envd, err) != 0)
		return fcp_error_wrap(err, "envd's address");
	write_authorization(command->user, user);
	fcp_envd_headers_end(headers + 4, command->token, command->observer, trace);
	snprintf(timeout, sizeof(timeout), "Connect-Timeout-Ms: %u", command->timeout_ms);
	stream.reader = (struct fcp_connect_reader){
		.handler = on_message,
		.arg = &stream,
		.message_max_bytes = MESSAGE_MAX_BYTES,
	};
	result = send_command(&stream, headers, err);
	fcp_connect_clear(&stream.reader);
	if (result == 0)
		*exit_ = stream.exit;
	return result;
}
