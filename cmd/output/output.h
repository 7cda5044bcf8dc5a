// SPDX-License-Identifier: Apache-2.0
/* What a command prints, and the exit code it ends with. */
#ifndef FCP_CMD_OUTPUT_OUTPUT_H
#define FCP_CMD_OUTPUT_OUTPUT_H

#include "cmd/parsing/invocation.h"
#include "net/json.h"

#include <stdio.h>

#define EXIT_DONE 0
#define EXIT_FAILED 1
#define EXIT_USAGE 2
#define EXIT_UNSUPPORTED 3
#define EXIT_PARTLY 4
#define EXIT_LEFT 5
#define EXIT_LOCKED 6
/* For failures of exec itself; commands do not normally use this code. */
#define EXIT_EXEC_FAILED 125
#define EXIT_SIGNAL 128 /* plus the number of the signal */

/* How a command ended. */
struct ending {
	const struct fcp_outcome *outcome;
	const struct fcp_error *err; /* NULL: none */
	int exit_code;
	bool told;	     /* the text would only repeat the error */
	int code_of_command; /* exec: the exit code of the command in the guest; 0: use exit_code */
	bool reason_is_code; /* the reason only repeats that code */
};

/* The exit code for an outcome or error. err is NULL if nothing failed. */
int exit_code_of(const struct fcp_outcome *outcome, const struct fcp_error *err);

#define OUTPUT_WARNINGS 8

/* A command fills in the JSON object and the text; one of the two is printed. */
struct output {
	const struct invocation *invocation;
	struct fcp_json *object; /* {"schema","command"} at first */
	int bad;		 /* not 0: out of memory, something is missing */
	FILE *text;
	/* Borrowed; see output_warn(). */
	const char *warnings[OUTPUT_WARNINGS];
	size_t warning_count;
	bool kept;	    /* a snapshot exists: exit code 1 ("failed") would be wrong */
	bool text_is_asked; /* the text is the result itself: --quiet does not suppress it */
	char *buffer;	    /* of text */
	size_t buffer_bytes;
};

/* Returns false if out of memory, which it reports; then do not call output_end(). */
bool output_begin(struct output *output, const struct invocation *invocation);

/* Adds a warning, which must stay valid until output_end(); "" is ignored. */
void output_warn(struct output *output, const char *warning);

/*
 * Prints the object (with settings, warnings and error added) with --json, otherwise the text, to
 * stdout, and warnings and errors to stderr. Frees the output. Returns the exit code: a failed
 * write to stdout counts as failed, or as partly done; --best-effort turns failures into warnings.
 */
int output_end(struct output *output, const struct ending *ending);

/* The same for a command that is one step; ran is what the library call returned. */
int output_end_step(struct output *output, const struct fcp_outcome *outcome, int ran,
		    const struct fcp_error *err);

/* Reports an error that occurred before the command did anything. Returns the exit code. */
int output_error(const struct invocation *invocation, const struct fcp_error *err);

/* "1.2 GiB (1234567890 bytes)" */
const char *human_bytes(uint64_t bytes, char text[64]);

#endif
