// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_CMD_PARSING_PARSE_H
#define FCP_CMD_PARSING_PARSE_H

#include "cmd/parsing/invocation.h"

/*
 * The values of the command line (argv[0] is the command's name) and, where it says nothing, of the
 * environment. FCP_ERR_USAGE names the option or the variable and what is wrong with its value.
 * What was read until then is kept, so that the error can be told as --json or not.
 */
int parse(int argc, char **argv, struct invocation *invocation, struct fcp_error *err);

/* Sets OPT_JSON where --json is among the words, or FCPAUSE_JSON says so: for an error found so early. */
void find_json(int argc, char **argv, struct invocation *invocation);

#endif
