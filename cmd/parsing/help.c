// SPDX-License-Identifier: Apache-2.0
#include "cmd/parsing/help.h"

#include "cmd/parsing/argp_table.h"

#include <stdlib.h>

#define ENVIRONMENT                                                        \
	"Each option can be set by the environment too: FCPAUSE_ and its " \
	"name in capitals (FCPAUSE_API_SOCK).\n"
#define EXIT_CODES                                                               \
	"Exit codes: 0 done, 1 failed, 2 usage, 3 not supported here, 4 partly " \
	"done, 5 the VM was left in another state than asked, 6 another fcpause is at work.\n"
#define EXIT_CODES_OF_COMMAND                                              \
	"Exit codes: the command's, 125 fcpause failed, 126 it cannot be " \
	"executed, 127 it is not there, 128 + N signal N ended it.\n"

/* The text below the options. */
static void write_end(const struct command *command, bool all, char *text, size_t bytes)
{
	int used =
		snprintf(text, bytes, "%s\vExample: fcpause %s\n", command->doc, command->example);

	if (all)
		snprintf(text + used, bytes - (size_t)used, ENVIRONMENT "%sManual: fcpause-%s(1)",
			 command->failure ? EXIT_CODES_OF_COMMAND : EXIT_CODES, command->name);
	else
		snprintf(text + used, bytes - (size_t)used,
			 "All options: --help=all   Manual: fcpause-%s(1)", command->name);
}

void print_help(const struct command *command, bool all, FILE *out)
{
	const char *operands = command->operands;
	char name[64], needs[128], text[1024];
	struct argp_table table;
	struct argp argp = {.options = table.rows, .args_doc = needs, .doc = text};

	/* One line for almost every option; a format set by the user takes precedence. */
	setenv("ARGP_HELP_FMT", "opt-doc-col=32,no-dup-args-note", 0);
	argp_table_make(command, all, &table);
	snprintf(name, sizeof(name), "fcpause %s", command->name);
	snprintf(needs, sizeof(needs), "%s%s%s", command->needs, operands ? " " : "",
		 operands ? operands : "");
	write_end(command, all, text, sizeof(text));
	argp_help(&argp, out,
		  ARGP_HELP_SHORT_USAGE | ARGP_HELP_PRE_DOC | ARGP_HELP_LONG | ARGP_HELP_POST_DOC,
		  name);
}
