// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_CMD_OUTPUT_SHOWN_H
#define FCP_CMD_OUTPUT_SHOWN_H

#include <stdio.h>

/* A path, option value or message, filtered for terminals (base/text.h). Owned by the caller; NULL:
 * out of memory. */
char *shown_text(const char *text);

/* Writes text filtered in that way. */
void put_shown(FILE *out, const char *text);

/* If text is a URL with a user or password, a masked copy, owned by the caller; else NULL. */
char *masked_url(const char *text);

#endif
