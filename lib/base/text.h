// SPDX-License-Identifier: Apache-2.0
/*
 * Makes text from the guest, envd, Firecracker or a file name safe to show. Whatever could control
 * a terminal, or hide or reorder other text, is escaped: control characters (C0, C1), invisible
 * characters (Unicode's Cf, Zl, Zp and Default_Ignorable: bidirectional overrides and isolates,
 * zero-width characters, tags), noncharacters, and bytes that are not UTF-8. A URL's user and
 * password become three asterisks.
 */
#ifndef FCP_BASE_TEXT_H
#define FCP_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool fcp_is_printable(uint32_t character);

/* Length in bytes of the printable character at the beginning of text; 0 if it is not printable. */
size_t fcp_text_printable(const char *text, size_t length);

/* Is there nothing to escape in text? */
bool fcp_text_is_printable(const char *text);

/*
 * Writes text with escapes (`\n`, `\r`, `\t`, `\x1b` for a byte, `\u202e`, `\U000e0041`) into
 * shown, NUL-terminated, truncated between two characters if it does not fit. A backslash stays as
 * it is, so that filtering twice changes nothing. shown must not overlap text.
 */
void fcp_text_filter(const char *text, char *shown, size_t shown_bytes);

/* Appends text, filtered, to the items in list, separated by "; "; truncated if it does not fit. */
void fcp_text_append(const char *text, char *list, size_t list_bytes);

/* The first line that is not blank, trimmed and filtered; "" if there is none. */
void fcp_text_first_line(const char *text, char *line, size_t line_bytes);

#endif
