// SPDX-License-Identifier: Apache-2.0
/* Which of some names was meant by a word that is none of them. */
#ifndef FCP_CMD_PARSING_NEAREST_H
#define FCP_CMD_PARSING_NEAREST_H

#include <stddef.h>

#define NEAREST_MAX_BYTES 64

struct nearest {
	const char *word; /* of so many bytes; borrowed */
	size_t length;
	size_t distance; /* of the best; at first NEAREST_NONE */
	char name[NEAREST_MAX_BYTES];
};

/* A slip of the pen: two letters exchanged, one too many, two left out. */
#define NEAREST_NONE 3

/* Takes the name if it is nearer than those before it. Longer words and names are not looked at. */
void nearest_try(struct nearest *nearest, const char *name);

/* "; did you mean NAME?", or "" where no name was near. */
const char *nearest_hint(const struct nearest *nearest, char hint[NEAREST_MAX_BYTES + 24]);

#endif
