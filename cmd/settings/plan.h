// SPDX-License-Identifier: Apache-2.0
/* --dry-run and --verbose: what would be done, with which settings, and their origins. */
#ifndef FCP_CMD_SETTINGS_PLAN_H
#define FCP_CMD_SETTINGS_PLAN_H

#include "cmd/parsing/invocation.h"

#include <stdio.h>

/* One step of the plan; it is skipped if off_reason is set. */
struct planned {
	const char *step;
	const char *off_reason; /* NULL: the step would run */
};

/* Writes the plan as text. */
void plan_write(const struct invocation *invocation, const struct planned *steps, size_t count,
		FILE *out);

/* Prints the plan to stdout as text or JSON. Returns the exit code. */
int plan_print(const struct invocation *invocation, const struct planned *steps, size_t count);

/* With --verbose, prints the plan to stderr as text, before the work. */
void plan_tell(const struct invocation *invocation, const struct planned *steps, size_t count);

#endif
