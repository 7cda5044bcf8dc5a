// SPDX-License-Identifier: Apache-2.0
/* argp's table of a command's options, made from the one table (options.h). */
#ifndef FCP_CMD_PARSING_ARGP_TABLE_H
#define FCP_CMD_PARSING_ARGP_TABLE_H

#include "cmd/parsing/options.h"

#include <argp.h>

/* Two rows an option at the most, a heading for each group, and the end. */
#define ARGP_TABLE_ROWS (2 * OPTIONS + GROUPS + 1)

struct argp_table {
	struct argp_option rows[ARGP_TABLE_ROWS];
	size_t count;
	/* argp keeps pointers to these. */
	char negations[OPTIONS][40];
	char docs[OPTIONS][160];
};

/* Options that are not used often are hidden from help, unless all are wanted. */
void argp_table_make(const struct command *command, bool all, struct argp_table *table);

/* The option of a key that argp found, and whether it was its no- form; OPTIONS: argp's own. */
enum option_id argp_table_option(int key, bool *on_);

#endif
