// SPDX-License-Identifier: Apache-2.0
/* Which of some names was meant by a word that is not one of them. */
#ifndef FCP_BASE_NEAREST_H
#define FCP_BASE_NEAREST_H

#include <stddef.h>

#define FCP_NEAREST_MAX_BYTES 64

struct fcp_nearest {
	const char *word; /* of length bytes; borrowed */
	size_t length;
	size_t distance; /* of the best; at first FCP_NEAREST_NONE */
	char name[FCP_NEAREST_MAX_BYTES];
};

/* A typing error: two letters exchanged, one too many, two left out. Case does not count. */
#define FCP_NEAREST_NONE 3

/* Takes the name if it is nearer than those before it. Longer words and names are ignored. */
void fcp_nearest_try(struct fcp_nearest *nearest, const char *name);

#define FCP_NEAREST_HINT_BYTES (FCP_NEAREST_MAX_BYTES + 24)

/* "; did you mean NAME?", or "" where no name was near. */
const char *fcp_nearest_hint(const struct fcp_nearest *nearest, char hint[FCP_NEAREST_HINT_BYTES]);

#endif
