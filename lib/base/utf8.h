// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_BASE_UTF8_H
#define FCP_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Decodes the character at the beginning of text (RFC 3629); returns its length in bytes, 0 if the
 * bytes are not UTF-8. character_ may be NULL.
 */
size_t fcp_utf8_decode(const char *text, size_t length, uint32_t *character_);

bool fcp_utf8_is_valid(const char *text);

#endif
