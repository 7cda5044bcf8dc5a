// SPDX-License-Identifier: Apache-2.0
/* Environment variables that begin with FCPAUSE_ and set no option of any command: a misspelt one
 * would otherwise be ignored silently. */
#ifndef FCP_CMD_PARSING_UNKNOWN_VARIABLES_H
#define FCP_CMD_PARSING_UNKNOWN_VARIABLES_H

#include <stddef.h>

#define UNKNOWN_VARIABLES_MAX 8

struct unknown_variables {
	char warnings[UNKNOWN_VARIABLES_MAX][200]; /* with the nearest name, if one is similar */
	size_t count;
};

void unknown_variables_find(struct unknown_variables *ret_unknown);

#endif
