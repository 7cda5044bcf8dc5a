// SPDX-License-Identifier: Apache-2.0
#include "cmd/output/trace.h"

#include "base/cleanup.h"
#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>

/* Paths and settings are shorter; a longer body is truncated. */
#define BODY_BYTES 1000

int trace_open(const struct log *log, bool on_stderr, const char *path, struct trace *trace_,
	       struct fcp_error *err)
{
	struct trace trace = {.count = 0};
	FILE *file;
	int fd;

	if (on_stderr)
		trace.logs[trace.count++] = *log;
	if (path) {
		fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
		file = fd < 0 ? NULL : fdopen(fd, "a");
		if (!file) {
			fcp_error_set(err, FCP_ERR_IO, errno, "--trace %s", path);
			if (fd >= 0)
				close(fd);
			return -1;
		}
		trace.logs[trace.count++] = (struct log){file, log->command, log->json, false};
	}
	*trace_ = trace;
	return 0;
}

/* "2026-11-25T10:30:18.123Z firecracker PUT /balloon {...}: 204, 1.2 ms, 0 bytes" */
static void put_text(const struct log *log, const struct fcp_exchange *exchange)
{
	FCP_CLEANUP(free) char *text = NULL;
	char now[TIMESTAMP_BYTES], status[16];

	snprintf(status, sizeof(status), "%d", exchange->status);
	if (asprintf(&text,
		     "%s %s %s %s%s%.*s: %s, %.1f ms, %" PRIu64 " bytes sent, %" PRIu64
		     " received%s%s",
		     timestamp(now), exchange->server, exchange->method, exchange->path,
		     exchange->body ? " " : "", BODY_BYTES, exchange->body ? exchange->body : "",
		     exchange->err ? "no answer" : status, exchange->ms, exchange->sent_bytes,
		     exchange->received_bytes, exchange->err ? ": " : "",
		     exchange->err ? exchange->err->message : "") < 0)
		text = NULL;
	log_line(log, LEVEL_DEBUG, "", text ? text : "no memory");
}

static int set_text(struct fcp_json *object, const char *key, const char *text)
{
	return text ? fcp_json_set_string(object, key, text) : fcp_json_set_null(object, key);
}

static void put_json(const struct log *log, const struct fcp_exchange *exchange)
{
	struct fcp_json *object = log_object(log, LEVEL_DEBUG);
	char body[BODY_BYTES + 1];
	int bad = 0;

	snprintf(body, sizeof(body), "%s", exchange->body ? exchange->body : "");
	bad |= fcp_json_set_string(object, "server", exchange->server);
	bad |= fcp_json_set_string(object, "method", exchange->method);
	bad |= fcp_json_set_string(object, "path", exchange->path);
	bad |= set_text(object, "body", exchange->body ? body : NULL);
	bad |= exchange->err ? fcp_json_set_null(object, "http_status")
			     : fcp_json_set_i64(object, "http_status", exchange->status);
	bad |= set_text(object, "message", exchange->err ? exchange->err->message : NULL);
	bad |= fcp_json_set_ms(object, "ms", exchange->ms);
	bad |= fcp_json_set_u64(object, "sent_bytes", exchange->sent_bytes);
	bad |= fcp_json_set_u64(object, "received_bytes", exchange->received_bytes);
	log_print_object(log, LEVEL_DEBUG, object, bad);
}

void trace_exchange(const struct trace *trace, const struct fcp_exchange *exchange)
{
	for (size_t i = 0; i < trace->count; i++) {
		if (trace->logs[i].json)
			put_json(&trace->logs[i], exchange);
		else
			put_text(&trace->logs[i], exchange);
	}
}

static void put_line_text(const struct log *log, const struct fcp_log_line *line)
{
	char text[1200], now[TIMESTAMP_BYTES];

	snprintf(text, sizeof(text), "%s %s: %s", timestamp(now), line->step, line->text);
	log_line(log, LEVEL_DEBUG, "", text);
}

static void put_line_json(const struct log *log, const struct fcp_log_line *line)
{
	struct fcp_json *object = log_object(log, LEVEL_DEBUG);
	int bad = fcp_json_set_string(object, "step", line->step);

	bad |= fcp_json_set_string(object, "message", line->text);
	log_print_object(log, LEVEL_DEBUG, object, bad);
}

void trace_line(const struct trace *trace, const struct fcp_log_line *line)
{
	for (size_t i = 0; i < trace->count; i++) {
		if (trace->logs[i].out != stderr)
			continue;
		if (trace->logs[i].json)
			put_line_json(&trace->logs[i], line);
		else
			put_line_text(&trace->logs[i], line);
	}
}

void trace_close(struct trace *trace)
{
	for (size_t i = 0; i < trace->count; i++)
		if (trace->logs[i].out != stderr)
			fclose(trace->logs[i].out);
	trace->count = 0;
}
