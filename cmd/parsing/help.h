// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_CMD_PARSING_HELP_H
#define FCP_CMD_PARSING_HELP_H

#include "cmd/parsing/options.h"

#include <stdio.h>

/* Prints the --help of a command, which fits a screen of 80 by 24, or --help=all, with all
 * options. */
void print_help(const struct command *command, bool all, FILE *out);

#endif
