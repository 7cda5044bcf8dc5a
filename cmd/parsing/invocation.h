// SPDX-License-Identifier: Apache-2.0
/* One run of one command: its options' values, each with where it came from. */
#ifndef FCP_CMD_PARSING_INVOCATION_H
#define FCP_CMD_PARSING_INVOCATION_H

#include "base/enums.h"
#include "cmd/output/log.h"
#include "cmd/parsing/options.h"
#include "cmd/parsing/unknown_variables.h"

enum origin {
	ORIGIN_DEFAULT,
	ORIGIN_FLAGS,
	ORIGIN_ENVIRONMENT,
	ORIGIN_CLI,
};

/* "default", "flags", "env", "cli". */
const char *origin_name(enum origin origin);

struct value {
	enum origin origin; /* ORIGIN_DEFAULT: not said */
	const char *text;   /* KIND_TEXT, KIND_LIST; KIND_CHOICE: the word */
	uint64_t number;    /* KIND_MS, KIND_MIB, KIND_PID, KIND_BYTES; KIND_CHOICE: its place */
	bool on;	    /* KIND_SWITCH, KIND_TOGGLE */
	unsigned times;	    /* that a switch was given */
};

#define FILES_MAX 256

/* KIND_FILES, KIND_PAIRS: all that were given, in order; borrowed from argv or the environment. */
struct file_list {
	const char *files[FILES_MAX];
	size_t count;
	char *owned; /* what the pairs of an environment variable point into */
};

struct invocation {
	const struct command *command;
	enum command_id id;
	struct value values[OPTIONS];
	/* OPT_STEP_TIMEOUT_MS, by step. */
	struct {
		enum origin origin;
		uint32_t ms;
	} caps[FCP_RECLAIM_KINDS];
	struct fcp_reclaim_step steps[FCP_RECLAIM_KINDS]; /* OPT_STEPS, in its order */
	struct fcp_flags_result flags;			  /* of --flags; size 0: not taken */
	struct unknown_variables unknown;
	bool hinting;		 /* a hinting run is asked for: its race is told as a warning */
	struct file_list layers; /* OPT_LAYERS */
	struct file_list shares; /* OPT_SHARE */
	struct file_list metrics_labels; /* OPT_METRICS_LABEL */
	struct file_list flags_context;	 /* OPT_FLAGS_CONTEXT */
	/* A command's operands, NULL at the end; borrowed from argv. NULL: none. */
	char **operands;
	/* run_each(): the run is of one operand among several. */
	bool several;
	struct signals *signals;     /* NULL: not waited for */
	struct telemetry *telemetry; /* NULL: nothing is told to monitoring */
	int cancel_fd;
	char start_time[TIMESTAMP_BYTES]; /* when the program began; "": not known */
	bool help, help_all, version;
};

/* Does the invocation's command take the option? */
bool takes_option(const struct invocation *invocation, enum option_id id);

/* Where its value was said: "--steps", "FCPAUSE_STEPS"; returns name. */
const char *said_by(const struct invocation *invocation, enum option_id id, char name[64]);

/* A NULL when it was not said. */
const char *text_of(const struct invocation *invocation, enum option_id id);

/* The values of a KIND_FILES or KIND_PAIRS. */
const struct file_list *files_of(const struct invocation *invocation, enum option_id id);

/* For the command's messages, as --log-format says. */
struct log invocation_log(const struct invocation *invocation);

/* Frees what it owns. */
void invocation_clear(struct invocation *invocation);

/* FCP_ERR_USAGE naming the option when a text was not said. */
int need_text(const struct invocation *invocation, enum option_id id, struct fcp_error *err);

#endif
