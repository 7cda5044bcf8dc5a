// SPDX-License-Identifier: Apache-2.0
/* Checks the words of a command line before argp, which accepts abbreviations and reports
 * little. */
#ifndef FCP_CMD_PARSING_WORDS_H
#define FCP_CMD_PARSING_WORDS_H

#include "cmd/parsing/invocation.h"

/*
 * Each word must be an option of the command, spelt out, and have a value if it needs one.
 * Otherwise FCP_ERR_USAGE names it and what was probably meant, and *good_ words before it are
 * right. argv[0] is the command's name.
 */
int words_check(int argc, char **argv, const struct invocation *invocation, int *good_,
		struct fcp_error *err);

/* The index of the first operand; operands may look like options. argc if there are none. */
int words_before_operands(int argc, char **argv, const struct invocation *invocation);

#endif
