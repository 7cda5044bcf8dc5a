// SPDX-License-Identifier: Apache-2.0
/* Where the reason of a failure is written. */
#ifndef SIM_MESSAGE_H
#define SIM_MESSAGE_H

#include <stddef.h>

struct message {
	char *text;
	size_t size;
};

/* Returns -1. */
__attribute__((format(printf, 2, 3))) int fail(struct message *msg, const char *format, ...);

#endif
