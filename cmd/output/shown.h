// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_CMD_OUTPUT_SHOWN_H
#define FCP_CMD_OUTPUT_SHOWN_H

#include <stdio.h>

/* Text as a terminal may get it (base/text.h): a path, an option's value, a message. Owned; NULL: no
 * memory. */
char *shown_text(const char *text);

/* Writes it so. */
void put_shown(FILE *out, const char *text);

/* A copy as it is shown where text holds a URL with a user or password (owned); else NULL. */
char *masked_url(const char *text);

#endif
