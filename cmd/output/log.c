// SPDX-License-Identifier: Apache-2.0
#include "cmd/output/log.h"

#include "base/cleanup.h"
#include "cmd/output/shown.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

const char *timestamp(char text[TIMESTAMP_BYTES])
{
	struct timespec now;
	struct tm parts;
	size_t used;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &parts);
	used = strftime(text, TIMESTAMP_BYTES, "%Y-%m-%dT%H:%M:%S", &parts);
	snprintf(text + used, TIMESTAMP_BYTES - used, ".%03uZ",
		 (unsigned)(now.tv_nsec / 1000000) % 1000);
	return text;
}

/* JOURNAL_STREAM is "DEVICE:INODE" of the stream, because fd may have been redirected since. */
static bool is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat status;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       fstat(fd, &status) == 0 && status.st_dev == device && status.st_ino == inode;
}

struct log log_open(const char *command, bool json)
{
	return (struct log){stderr, command, json, is_journal(STDERR_FILENO)};
}

static const char *level_name(enum log_level level)
{
	switch (level) {
	case LEVEL_ERROR:
		return "error";
	case LEVEL_WARNING:
		return "warning";
	case LEVEL_INFO:
		return "info";
	case LEVEL_DEBUG:
		break;
	}
	return "debug";
}

/* One write, so that lines of several threads or programs do not mix. */
static void put(const struct log *log, enum log_level level, const char *text)
{
	if (log->journal)
		fprintf(log->out, "<%d>%s\n", (int)level, text);
	else
		fprintf(log->out, "%s\n", text);
	fflush(log->out);
}

struct fcp_json *log_object(const struct log *log, enum log_level level)
{
	struct fcp_json *object = fcp_json_object();
	char now[TIMESTAMP_BYTES];
	int bad = fcp_json_set_string(object, "time", timestamp(now));

	bad |= fcp_json_set_string(object, "level", level_name(level));
	bad |= log->command ? fcp_json_set_string(object, "command", log->command)
			    : fcp_json_set_null(object, "command");
	if (bad == 0)
		return object;
	fcp_json_free(object);
	return NULL;
}

void log_print_object(const struct log *log, enum log_level level, struct fcp_json *object, int bad)
{
	FCP_CLEANUP(free) char *text = object && !bad ? fcp_json_text(object) : NULL;

	put(log, level, text ? text : "{\"level\":\"error\",\"message\":\"no memory\"}");
	fcp_json_free(object);
}

static void print_message(const struct log *log, enum log_level level, const char *text)
{
	struct fcp_json *object = log_object(log, level);

	log_print_object(log, level, object,
			 object ? fcp_json_set_string(object, "message", text) : -1);
}

void log_plain(const struct log *log, enum log_level level, const char *text)
{
	if (log->json)
		print_message(log, level, text);
	else
		put(log, level, text);
}

void log_line(const struct log *log, enum log_level level, const char *kind, const char *text)
{
	FCP_CLEANUP(free) char *shown = log->json ? NULL : shown_text(text);
	FCP_CLEANUP(free) char *line = NULL;

	if (log->json) {
		print_message(log, level, text);
		return;
	}
	if (asprintf(&line, "fcpause%s%s: %s%s", log->command ? " " : "",
		     log->command ? log->command : "", kind, shown ? shown : "(no memory)") < 0)
		line = NULL;
	put(log, level, line ? line : "fcpause: no memory");
}
