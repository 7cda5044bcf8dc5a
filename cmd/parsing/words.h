// SPDX-License-Identifier: Apache-2.0
/* The words of a command line, before argp reads them: it shortens names, and says little of errors. */
#ifndef FCP_CMD_PARSING_WORDS_H
#define FCP_CMD_PARSING_WORDS_H

#include "cmd/parsing/invocation.h"

/*
 * Each option must be one of the command's, by its whole name, and have a value where it needs one.
 * FCP_ERR_USAGE says which is not so, and what was probably meant. argv[0] is the command's name.
 */
int words_check(int argc, char **argv, const struct invocation *invocation, struct fcp_error *err);

/* Where the operands begin, which may look like options themselves; argc where there are none. */
int words_before_operands(int argc, char **argv, const struct invocation *invocation);

#endif
