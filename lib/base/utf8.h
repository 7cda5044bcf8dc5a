// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_BASE_UTF8_H
#define FCP_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* The bytes of the character at the beginning of text (RFC 3629); 0 when there is none. */
size_t fcp_utf8_character(const char *text, size_t length);

bool fcp_utf8_is_valid(const char *text);

#endif
