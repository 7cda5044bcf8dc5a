// SPDX-License-Identifier: Apache-2.0
/* Lines on the standard error: for people, as JSON, and with a priority where the journal reads them. */
#ifndef FCP_CMD_OUTPUT_LOG_H
#define FCP_CMD_OUTPUT_LOG_H

#include "net/json.h"

#include <stdbool.h>
#include <stdio.h>

/* The numbers are syslog's (sd-daemon(3)). */
enum log_level {
	LEVEL_ERROR = 3,
	LEVEL_WARNING = 4,
	LEVEL_INFO = 6,
	LEVEL_DEBUG = 7,
};

struct log {
	FILE *out;
	const char *command; /* NULL: no command yet */
	bool json;	     /* an object a line */
	bool journal;	     /* out is the journal's: `<N>` first */
};

/* The standard error, which is the journal's where JOURNAL_STREAM says so (systemd.exec(5)). */
struct log log_open(const char *command, bool json);

/* A line: kind ("warning: ", or "") is for people, JSON has the level. The text is filtered for terminals. */
void log_line(const struct log *log, enum log_level level, const char *kind, const char *text);

/* A line of a longer text: without the program's name. */
void log_plain(const struct log *log, enum log_level level, const char *text);

/* {"time", "level", "command"} for the caller to add to; owned; NULL: no memory. */
struct fcp_json *log_object(const struct log *log, enum log_level level);

/* Prints the object as a line and frees it; NULL, or bad, is "no memory". */
void log_print_object(const struct log *log, enum log_level level, struct fcp_json *object,
		      int bad);

/* Now, "2026-11-25T10:30:18.123Z". */
#define TIMESTAMP_BYTES 32
const char *timestamp(char text[TIMESTAMP_BYTES]);

#endif
