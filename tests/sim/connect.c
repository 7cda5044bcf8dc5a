// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "connect.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void frames_add(struct frames *f, uint8_t flags, json_t *message)
{
	char *text = json_dumps(message, JSON_COMPACT);
	size_t len = strlen(text);
	uint32_t be = htonl((uint32_t)len);
	char *data = realloc(f->data, f->len + CONNECT_PREFIX + len);

	json_decref(message);
	if (data) {
		f->data = data;
		data[f->len] = (char)flags;
		memcpy(data + f->len + 1, &be, sizeof(be));
		memcpy(data + f->len + CONNECT_PREFIX, text, len);
		f->len += CONNECT_PREFIX + len;
	}
	free(text);
}

void frames_add_error(struct frames *f, const char *code, const char *message)
{
	frames_add(f, CONNECT_END_OF_STREAM,
		   json_pack("{s:{s:s, s:s}}", "error", "code", code, "message", message));
}

static char *base64(const char *data, size_t len)
{
	const unsigned char *in = (const unsigned char *)data;
	char *out = malloc(len / 3 * 4 + 5), *p = out;

	for (size_t i = 0; out && i < len; i += 3) {
		uint32_t n = (uint32_t)in[i] << 16;

		n |= i + 1 < len ? (uint32_t)in[i + 1] << 8 : 0;
		n |= i + 2 < len ? in[i + 2] : 0;
		*p++ = alphabet[n >> 18];
		*p++ = alphabet[n >> 12 & 63];
		*p++ = i + 1 < len ? alphabet[n >> 6 & 63] : '=';
		*p++ = i + 2 < len ? alphabet[n & 63] : '=';
	}
	if (out)
		*p = '\0';
	return out;
}

json_t *event_start(int pid)
{
	return json_pack("{s:{s:{s:i}}}", "event", "start", "pid", pid);
}

json_t *event_data(int stream, const char *data, size_t len)
{
	char *text = base64(data, len);
	json_t *event = json_pack("{s:{s:{s:s}}}", "event", "data",
				  stream == 1 ? "stdout" : "stderr", text);

	free(text);
	return event;
}

json_t *event_keepalive(void)
{
	return json_pack("{s:{s:{}}}", "event", "keepalive");
}

/* Go's names of the signals. */
static void name_signal(int signal, char *ret, size_t size)
{
	static const char *const names[] = {
		"",
		"hangup",
		"interrupt",
		"quit",
		"illegal instruction",
		"trace/breakpoint trap",
		"aborted",
		"bus error",
		"floating point exception",
		"killed",
		"user defined signal 1",
		"segmentation fault",
		"user defined signal 2",
		"broken pipe",
		"alarm clock",
		"terminated",
		"stack fault",
		"child exited",
		"continued",
		"stopped (signal)",
		"stopped",
		"stopped (tty input)",
		"stopped (tty output)",
		"urgent I/O condition",
		"CPU time limit exceeded",
		"file size limit exceeded",
		"virtual timer expired",
		"profiling timer expired",
		"window changed",
		"I/O possible",
		"power failure",
		"bad system call",
	};

	if ((size_t)signal < sizeof(names) / sizeof(names[0]))
		snprintf(ret, size, "%s", names[signal]);
	else
		snprintf(ret, size, "signal %d", signal);
}

/* Fields that are zero or false are left out, as in envd's encoding. */
json_t *event_end(int wait_status)
{
	json_t *end = json_object();
	int code = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1;
	char status[64], name[32];

	name_signal(WTERMSIG(wait_status), name, sizeof(name));
	if (WIFEXITED(wait_status))
		snprintf(status, sizeof(status), "exit status %d", code);
	else
		snprintf(status, sizeof(status), "signal: %s%s", name,
			 WCOREDUMP(wait_status) ? " (core dumped)" : "");
	if (code)
		json_object_set_new(end, "exitCode", json_integer(code));
	if (WIFEXITED(wait_status))
		json_object_set_new(end, "exited", json_true());
	json_object_set_new(end, "status", json_string(status));
	if (code)
		json_object_set_new(end, "error", json_string(status));
	return json_pack("{s:{s:o}}", "event", "end", end);
}

/* protojson names the word that is no value, and its place. */
static void describe_syntax(const char *text, size_t len, const json_error_t *error, char *ret,
			    size_t size)
{
	static const char what[] =
		"unmarshal message: unmarshal into *process.StartRequest: proto:";
	size_t at = strspn(text, " \t\r\n"), n;

	if (at < len && text[at] == '{') {
		at++;
		at += strspn(text + at, " \t\r\n");
	}
	n = strcspn(text + at, " \t\r\n{}[]:,\"");
	if (at >= len || error->position >= (int)len)
		snprintf(ret, size, "%s unexpected EOF", what);
	if (n)
		snprintf(ret, size, "%s syntax error (line 1:%zu): invalid value %.*s", what,
			 at + 1, (int)n, text + at);
	else if (at < len)
		snprintf(ret, size, "%s syntax error (line 1:%zu): unexpected token %.1s", what,
			 at + 1, text + at);
}

json_t *connect_decode(const char *body, size_t len, char *ret_message, size_t size)
{
	json_error_t error = {0};
	json_t *message;
	uint32_t be;

	if (len < CONNECT_PREFIX) {
		snprintf(ret_message, size, "protocol error: incomplete envelope: unexpected EOF");
		return NULL;
	}
	memcpy(&be, body + 1, sizeof(be));
	if (ntohl(be) != len - CONNECT_PREFIX) {
		snprintf(ret_message, size,
			 "protocol error: promised %u bytes in enveloped "
			 "message, got %zu bytes",
			 ntohl(be), len - CONNECT_PREFIX);
		return NULL;
	}
	message = json_loadb(body + CONNECT_PREFIX, len - CONNECT_PREFIX, 0, &error);
	if (!json_is_object(message)) {
		json_decref(message);
		describe_syntax(body + CONNECT_PREFIX, len - CONNECT_PREFIX, &error, ret_message,
				size);
		return NULL;
	}
	return message;
}

int connect_user(const char *authorization, char *ret, size_t size)
{
	uint32_t bits = 0;
	size_t n = 0, count = 0;

	if (!authorization || strncasecmp(authorization, "Basic ", 6))
		return -1;
	for (const char *p = authorization + 6; *p && *p != '=' && n + 1 < size; p++) {
		const char *at = strchr(alphabet, *p);

		if (!at)
			return -1;
		bits = bits << 6 | (uint32_t)(at - alphabet);
		if (++count % 4 != 1)
			ret[n++] = (char)(bits >> (count % 4 == 2 ? 4 : count % 4 == 3 ? 2 : 0));
	}
	ret[n] = '\0';
	if (!strchr(ret, ':'))
		return -1;
	*strchr(ret, ':') = '\0';
	return 0;
}
