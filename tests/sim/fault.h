// SPDX-License-Identifier: Apache-2.0
/* Faults that a test asks for: "METHOD PATH KIND[=ARG][@N[+]]". */
#ifndef SIM_FAULT_H
#define SIM_FAULT_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

enum fault_kind {
	FAULT_NONE,
	FAULT_STATUS,
	FAULT_HANG,
	FAULT_RESET,
	FAULT_TRUNCATE,
	FAULT_SLOW,
	FAULT_DIE,
	FAULT_DIE_AFTER,
	FAULT_LOST,
	FAULT_ANSWER, /* it is done, and answered otherwise */
	FAULT_GARBAGE,
	FAULT_HUGE,
	/* of envd's stream */
	FAULT_NO_END,
	FAULT_NO_EOS,
	FAULT_CUT,
	FAULT_FLOOD,
	FAULT_ERROR,
	FAULT_HANG_AFTER_START,
};

struct fault {
	enum fault_kind kind;
	long number; /* status, ms or bytes */
	char *text;  /* body or error code, or NULL */
	char *method;
	char *path;
	long nth;    /* 0: all */
	bool and_on; /* all from the nth on */
	long seen;
};

struct fault_list {
	struct fault *items;
	size_t count;
};

/* Returns 0, or -1 when the text is no fault. */
int fault_add(struct fault_list *list, const char *spec);
void fault_clear(struct fault_list *list);
/* Counts the request, and returns a copy of the first fault that is for it (kind FAULT_NONE:
 * none); free its text, which is the caller's. */
struct fault fault_match(struct fault_list *list, const char *method, const char *path);

#endif
