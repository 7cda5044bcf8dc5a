// SPDX-License-Identifier: Apache-2.0
/* Lines on the standard error, as text or JSON, with a priority if it is the journal. */
#ifndef FCP_CMD_OUTPUT_LOG_H
#define FCP_CMD_OUTPUT_LOG_H

#include "net/json.h"

#include <stdbool.h>
#include <stdio.h>

/* The numbers are those of syslog (sd-daemon(3)). */
enum log_level {
	LEVEL_ERROR = 3,
	LEVEL_WARNING = 4,
	LEVEL_INFO = 6,
	LEVEL_DEBUG = 7,
};

struct log {
	FILE *out;
	const char *command; /* NULL: no command yet */
	bool json;	     /* one object per line */
	bool journal;	     /* out is the journal: lines start with `<N>` */
};

/* Opens the standard error, which is the journal if JOURNAL_STREAM says so (systemd.exec(5)). */
struct log log_open(const char *command, bool json);

/* Prints a line. kind ("warning: ", or "") is for text; JSON has the level. Text is filtered for
 * terminals. */
void log_line(const struct log *log, enum log_level level, const char *kind, const char *text);

/* A line of a longer text, without the program's name. */
void log_plain(const struct log *log, enum log_level level, const char *text);

/* {"time", "level", "command"}, to which the caller adds members. Owned by the caller; NULL: out of
 * memory. */
struct fcp_json *log_object(const struct log *log, enum log_level level);

/* Prints the object as a line and frees it. If it is NULL or bad, prints "no memory". */
void log_print_object(const struct log *log, enum log_level level, struct fcp_json *object,
		      int bad);

/* The current time, "2026-11-25T10:30:18.123Z". */
#define TIMESTAMP_BYTES 32
const char *timestamp(char text[TIMESTAMP_BYTES]);

#endif
