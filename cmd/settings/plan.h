// SPDX-License-Identifier: Apache-2.0
/* --dry-run and --verbose: what would be done, with which settings, and who said so. */
#ifndef FCP_CMD_SETTINGS_PLAN_H
#define FCP_CMD_SETTINGS_PLAN_H

#include "cmd/parsing/invocation.h"

#include <stdio.h>

/* One step of the plan: skipped when off_reason is there. */
struct planned {
	const char *step;
	const char *off_reason; /* NULL: it would run */
};

/* The plan as text. */
void plan_write(const struct invocation *invocation, const struct planned *steps, size_t count,
		FILE *out);

/* Prints the plan, on stdout, as text or JSON. Returns the exit code. */
int plan_print(const struct invocation *invocation, const struct planned *steps, size_t count);

/* With --verbose: the plan as text on stderr, before the work. */
void plan_tell(const struct invocation *invocation, const struct planned *steps, size_t count);

#endif
