// SPDX-License-Identifier: Apache-2.0
/* From what was written to a value, checked by the option's kind. */
#ifndef FCP_CMD_PARSING_VALUES_H
#define FCP_CMD_PARSING_VALUES_H

#include "cmd/parsing/invocation.h"

/*
 * Sets the option's value from text; where ("--use", "FCPAUSE_USE") is for messages. FCP_ERR_USAGE
 * says what the text is not. text is borrowed for the life of the invocation.
 */
int set_value(struct invocation *invocation, enum option_id id, enum origin origin,
	      const char *where, const char *text, struct fcp_error *err);

/* KIND_SWITCH and KIND_TOGGLE. */
void set_switch(struct invocation *invocation, enum option_id id, enum origin origin, bool on);

/* The default, where nothing was said. */
void set_default(struct invocation *invocation, enum option_id id);

/* FCP_ERR_USAGE with the words that there are, and the one that was meant; return -1. */
int unknown_step(const char *where, const char *text, struct fcp_error *err);
int unknown_find(const char *where, const char *text, struct fcp_error *err);

/* FCP_ERR_USAGE: "WHERE: 'TEXT' is not WANTED"; returns -1. */
int bad_value(const char *where, const char *text, const char *wanted, struct fcp_error *err);

#endif
