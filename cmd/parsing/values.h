// SPDX-License-Identifier: Apache-2.0
/* Converts text to a value and checks it according to the option's kind. */
#ifndef FCP_CMD_PARSING_VALUES_H
#define FCP_CMD_PARSING_VALUES_H

#include "cmd/parsing/invocation.h"

/*
 * Sets the option's value from text; where ("--use", "FCPAUSE_USE") is for messages. FCP_ERR_USAGE
 * says what was expected. text must stay valid as long as the invocation.
 */
int set_value(struct invocation *invocation, enum option_id id, enum origin origin,
	      const char *where, const char *text, struct fcp_error *err);

/* For KIND_SWITCH and KIND_TOGGLE. */
void set_switch(struct invocation *invocation, enum option_id id, enum origin origin, bool on);

/* Sets the default if the option was not given. */
void set_default(struct invocation *invocation, enum option_id id);

/* FCP_ERR_USAGE with the known words and the one that was probably meant; these return -1. */
int unknown_step(const char *where, const char *text, struct fcp_error *err);
int unknown_find(const char *where, const char *text, struct fcp_error *err);

/* FCP_ERR_USAGE: "WHERE: 'TEXT' is not WANTED"; returns -1. */
int bad_value(const char *where, const char *text, const char *wanted, struct fcp_error *err);

#endif
