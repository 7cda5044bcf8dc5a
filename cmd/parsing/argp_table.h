// SPDX-License-Identifier: Apache-2.0
/* The argp table of a command, generated from the table of options (options.h). */
#ifndef FCP_CMD_PARSING_ARGP_TABLE_H
#define FCP_CMD_PARSING_ARGP_TABLE_H

#include "cmd/parsing/options.h"

#include <argp.h>

/* At most two rows per option, a heading per group, and the end. */
#define ARGP_TABLE_ROWS (2 * OPTIONS + GROUPS + 1)

struct argp_table {
	struct argp_option rows[ARGP_TABLE_ROWS];
	size_t count;
	/* Referenced by argp's rows. */
	char negations[OPTIONS][40];
	char docs[OPTIONS][160];
};

/* Options that are not used often are hidden from help unless all is set. */
void argp_table_make(const struct command *command, bool all, struct argp_table *table);

/* The option for a key from argp; *on_ is false for its no- form. OPTIONS if the key is argp's
 * own. */
enum option_id argp_table_option(int key, bool *on_);

#endif
