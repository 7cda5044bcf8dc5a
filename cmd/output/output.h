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
/* exec ends with its command's code; this is none that a command ends with by custom. */
#define EXIT_EXEC_FAILED 125
#define EXIT_SIGNAL 128 /* and the number of the signal that ended it */

/* How a command came out. */
struct ending {
	const struct fcp_outcome *outcome;
	const struct fcp_error *err; /* NULL: none */
	int exit_code;
	bool told;	     /* the text would only say the error again */
	int code_of_command; /* exec: what the command in the guest ended with; 0: by exit_code */
	bool reason_is_code; /* the reason says no more than that code */
};

/* One place: the outcome, or what failed it, to the exit code. err is NULL where nothing failed. */
int exit_code_of(const struct fcp_outcome *outcome, const struct fcp_error *err);

#define OUTPUT_WARNINGS 8

/* What a command fills in: the JSON object and the text; one of the two is printed. */
struct output {
	const struct invocation *invocation;
	struct fcp_json *object; /* {"schema","command"} at first */
	int bad;		 /* not 0: something is missing for lack of memory */
	FILE *text;
	/* Of this run, borrowed; see output_warn(). */
	const char *warnings[OUTPUT_WARNINGS];
	size_t warning_count;
	bool kept;	    /* a snapshot was made: not 1, "failed", when it cannot be printed */
	bool text_is_asked; /* the text is what was asked for: --quiet does not keep it back */
	char *buffer;	    /* behind text */
	size_t buffer_bytes;
};

/* false for no memory (said on stderr). Then output_end() is not called. */
bool output_begin(struct output *output, const struct invocation *invocation);

/* Adds a warning, which must live until the end; "" is none. */
void output_warn(struct output *output, const char *warning);

/*
 * Prints the object (with settings, warnings and error added) when --json, else the text, on stdout;
 * warnings and errors on stderr. Frees the output. Returns the exit code: a failed write to stdout
 * is a failure, or partly done; --best-effort turns failures into warnings.
 */
int output_end(struct output *output, const struct ending *ending);

/* The same for a command that is one step: ran is what the library returned. */
int output_end_step(struct output *output, const struct fcp_outcome *outcome, int ran,
		    const struct fcp_error *err);

/* For an error before the command did anything: bad options. Returns the exit code. */
int output_error(const struct invocation *invocation, const struct fcp_error *err);

/* "1.2 GiB (1234567890 bytes)" */
const char *human_bytes(uint64_t bytes, char text[64]);

#endif
