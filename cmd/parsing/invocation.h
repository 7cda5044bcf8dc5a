// SPDX-License-Identifier: Apache-2.0
/* One run of one command: the values of its options and their origins. */
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
	enum origin origin; /* ORIGIN_DEFAULT: not given */
	const char *text;   /* KIND_TEXT, KIND_LIST; KIND_CHOICE: the word */
	uint64_t number;    /* KIND_MS, _MIB, _PID, _COUNT, _BYTES; KIND_CHOICE: its index */
	bool on;	    /* KIND_SWITCH, KIND_TOGGLE */
	unsigned times;	    /* how often a switch was given */
};

#define FILES_MAX 256

/* KIND_FILES, KIND_PAIRS: all values, in order; borrowed from argv or the environment. */
struct file_list {
	const char *files[FILES_MAX];
	size_t count;
	char *owned; /* the copy of a variable that the pairs point into */
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
	bool hinting;			 /* a hinting run was requested: warn about its race */
	struct file_list layers;	 /* OPT_LAYERS */
	struct file_list shares;	 /* OPT_SHARE */
	struct file_list metrics_labels; /* OPT_METRICS_LABEL */
	struct file_list flags_context;	 /* OPT_FLAGS_CONTEXT */
	/* The operands, terminated by NULL; borrowed from argv. NULL: none. */
	char **operands;
	/* run_each() is running the command for several operands. */
	bool several;
	struct signals *signals;     /* NULL: not handled */
	struct telemetry *telemetry; /* NULL: nothing is reported to monitoring */
	int cancel_fd;
	char start_time[TIMESTAMP_BYTES]; /* of the program; "": unknown */
	bool help, help_all, version;
};

/* Does the command of the invocation have the option? */
bool takes_option(const struct invocation *invocation, enum option_id id);

/* Where the value was given: "--steps", "FCPAUSE_STEPS". Returns name. */
const char *said_by(const struct invocation *invocation, enum option_id id, char name[64]);

/* NULL if the option was not given. */
const char *text_of(const struct invocation *invocation, enum option_id id);

/* The values of an option of KIND_FILES or KIND_PAIRS. */
const struct file_list *files_of(const struct invocation *invocation, enum option_id id);

/* The log for the command's messages, in the format of --log-format. */
struct log invocation_log(const struct invocation *invocation);

/* Frees everything that it owns. */
void invocation_clear(struct invocation *invocation);

/* FCP_ERR_USAGE, naming the option, if it was not given. */
int need_text(const struct invocation *invocation, enum option_id id, struct fcp_error *err);

#endif
