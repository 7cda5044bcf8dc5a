// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_CMD_PARSING_PARSE_H
#define FCP_CMD_PARSING_PARSE_H

#include "cmd/parsing/invocation.h"

/*
 * Reads the options from the command line (argv[0] is the command's name) and those that it does
 * not have from the environment. FCP_ERR_USAGE names the option or variable and what is wrong with
 * its value. Values read before an error are kept, so that --json applies to the error too.
 */
int parse(int argc, char **argv, struct invocation *invocation, struct fcp_error *err);

/* Sets OPT_JSON if --json is among the words or FCPAUSE_JSON is set, for errors found before
 * parsing. */
void find_json(int argc, char **argv, struct invocation *invocation);

#endif
