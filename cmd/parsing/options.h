// SPDX-License-Identifier: Apache-2.0
/*
 * The tables of options and commands. Parsing, the environment, --help, completion and the test
 * that compares them with the manual all use these tables.
 */
#ifndef FCP_CMD_PARSING_OPTIONS_H
#define FCP_CMD_PARSING_OPTIONS_H

#include "fcpause.h"

struct invocation;

enum command_id {
	COMMAND_RECLAIM,
	COMMAND_BALLOON_INSTALL,
	COMMAND_BALLOON_DRAIN,
	COMMAND_MADVISE_RANGES,
	COMMAND_INSPECT,
	COMMAND_SNAPSHOT,
	COMMAND_PAUSE,
	COMMAND_MERGE,
	COMMAND_SHARE,
	COMMAND_DOCTOR,
	COMMAND_STATUS,
	COMMAND_RESUME,
	COMMAND_EXEC,
	COMMANDS,
};

struct command {
	const char *name;
	const char *summary; /* one line */
	const char *doc;     /* the paragraph above the options in --help */
	const char *needs;   /* required options, as in the first line of --help */
	const char *example; /* a command line, without the program name */
	int (*run)(struct invocation *invocation); /* returns the exit code */
	const char *operands; /* their name in --help; NULL: there are only options */
	bool verbatim;	      /* after the first operand, options are operands too */
	int failure;	      /* exit code for all of fcpause's own failures; 0: by error class */
};

extern const struct command commands[COMMANDS];

/* The command of that name, or NULL. */
const struct command *command_find(const char *name);

enum option_id {
	OPT_API_SOCK,
	OPT_ENVD,
	OPT_ENVD_TOKEN_FILE,
	OPT_FLAGS,
	OPT_FLAGS_KEY_FILE,
	OPT_FLAGS_CONTEXT,
	OPT_FLAGS_CACHE,
	OPT_FLAGS_TIMEOUT_MS,
	OPT_STRICT_FLAGS,
	OPT_USE,
	OPT_TIMEOUT_MS,
	OPT_WAIT_LOCK_MS,
	OPT_BEST_EFFORT,
	OPT_DRY_RUN,
	OPT_JSON,
	OPT_QUIET,
	OPT_VERBOSE,
	OPT_SANDBOX,
	OPT_TRACE,
	OPT_LOG_FORMAT,
	OPT_SETTINGS,
	OPT_FREEZE,
	OPT_FREEZE_MODE,
	OPT_FREEZE_MAX_CGROUPS,
	OPT_FREEZE_TIMEOUT_MS,
	OPT_COLLAPSE,
	OPT_COLLAPSE_TIMEOUT_MS,
	OPT_FS_FREEZE,
	OPT_FS_FREEZE_TIMEOUT_MS,
	OPT_RECLAIM,
	OPT_STEPS,
	OPT_STEP_TIMEOUT_MS,
	OPT_RECLAIM_TIMEOUT_MS,
	OPT_AMOUNT_MIB,
	OPT_FREE_PAGE_HINTING,
	OPT_FREE_PAGE_REPORTING,
	OPT_DEFLATE_ON_OOM,
	OPT_DRAIN,
	OPT_FPH_TIMEOUT_MS,
	OPT_STOP,
	OPT_METRICS_PATH,
	OPT_METRICS_TEXTFILE,
	OPT_METRICS_LABEL,
	OPT_SNAPSHOT_PATH,
	OPT_MEM_FILE_PATH,
	OPT_TYPE,
	OPT_WRITER,
	OPT_BASE,
	OPT_BUFFER_MIB,
	OPT_LAYER,
	OPT_LAYERS,
	OPT_SHARE,
	OPT_OUT,
	OPT_ANY_BASE,
	OPT_VERIFY,
	OPT_RESUME,
	OPT_FORCE,
	OPT_CHROOT_BASE,
	OPT_SNAPSHOT_TIMEOUT_MS,
	OPT_TRACK_DIRTY_PAGES,
	OPT_LOAD_TIMEOUT_MS,
	OPT_ENVD_TIMEOUT_MS,
	OPT_THAW,
	OPT_PID,
	OPT_FIND,
	OPT_RANGES,
	OPT_HOLES,
	OPT_MIN_RUN,
	OPT_ALIGN,
	OPT_LIST,
	OPT_TRIM,
	OPT_STRICT,
	OPT_STDIN,
	OPT_SCRIPT,
	OPT_USER,
	OPT_EXEC_TIMEOUT_MS,
	OPT_BEFORE,
	OPT_AFTER,
	OPT_SVG,
	OPT_COLOR,
	OPT_HELP,
	OPT_VERSION,
	OPTIONS,
};

enum option_kind {
	KIND_TEXT,     /* a path */
	KIND_URL,      /* http://HOST[:PORT][/PATH] */
	KIND_LIST,     /* words separated by commas */
	KIND_CHOICE,   /* one of option.choices */
	KIND_MS,       /* a duration, 0 to 24 h; in ms if it has no unit */
	KIND_WAIT_MS,  /* the same, 1 ms or more */
	KIND_MIB,      /* a size; in MiB if it has no unit */
	KIND_MIB_AUTO, /* MiB, or "auto": UINT64_MAX */
	KIND_PID,      /* a process id */
	KIND_COUNT,    /* 1 to 2147483647 */
	KIND_BYTES,    /* bytes, with K, M, G, KiB, ... */
	KIND_FILES,    /* paths, in order; may be repeated; one in the environment */
	KIND_PAIRS,    /* KEY=VALUE; may be repeated; separated by commas in the environment */
	KIND_STEP_MS,  /* STEP=TIME; may be repeated */
	KIND_SWITCH,   /* given or not */
	KIND_TOGGLE,   /* --NAME and --no-NAME: on, off, or not given */
	KIND_ACTION,   /* does something else instead of the command; its argument is optional */
};

/* Groups in --help. */
enum option_group {
	GROUP_OTHER,
	GROUP_FILES,
	GROUP_GUEST,
	GROUP_SNAPSHOT,
	GROUP_PAGES,
	GROUP_LOAD,
	GROUP_COMMAND,
	GROUP_MAP,
	GROUP_COMMON, /* options of all commands */
	GROUPS,
};

extern const char *const option_group_names[GROUPS];

struct option_def {
	const char *name; /* without "--"; the variable is FCPAUSE_ and this in capitals */
	char letter;	  /* 0: none */
	enum option_kind kind;
	const char *arg;	 /* name of its argument in --help */
	unsigned commands;	 /* 1 << command_id, of those that have it */
	const char *otherwise;	 /* the default, as a user would write it; NULL: none */
	const char *choices[5];	 /* of KIND_CHOICE; ends with NULL */
	const char *doc;	 /* at most 47 columns with the default, to fit a line of --help */
	enum option_group group; /* of options that only some commands have */
	unsigned often; /* 1 << command_id, of those that show it in --help; --help=all shows all */
};

extern const struct option_def options[OPTIONS];

enum option_group option_group_of(enum option_id id);

/* Does the option require a value? */
bool option_needs_value(enum option_id id);

#endif
