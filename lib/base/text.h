// SPDX-License-Identifier: Apache-2.0
/*
 * Text from the guest, envd, Firecracker or a file's name, made safe to show. What could drive a
 * terminal, hide, or reorder other text is escaped: control characters (C0, C1), characters that
 * have no look of their own (Unicode's Cf, Zl, Zp and Default_Ignorable: bidirectional overrides
 * and isolates, zero-width ones, tags), noncharacters, and bytes that are not UTF-8. A URL's user
 * and password are shown as three asterisks.
 */
#ifndef FCP_BASE_TEXT_H
#define FCP_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool fcp_is_printable(uint32_t character);

/* Length in bytes of the printable character at the beginning of text, or 0. */
size_t fcp_text_printable(const char *text, size_t length);

/* Has text nothing to escape? */
bool fcp_text_is_printable(const char *text);

/*
 * Writes text with escapes (`\n`, `\r`, `\t`, `\x1b` for a byte, `\u202e`, `\U000e0041`) into shown,
 * NUL-terminated. What does not fit is cut between two characters. A backslash stays as it is, so
 * that filtered text passes unchanged. shown may not overlap text.
 */
void fcp_text_filter(const char *text, char *shown, size_t shown_bytes);

/* Puts text, filtered, behind what list holds, and "; " between the two; as much of it as fits. */
void fcp_text_append(const char *text, char *list, size_t list_bytes);

/* The first line that is not blank, without blanks around it, filtered; "" when there is none. */
void fcp_text_first_line(const char *text, char *line, size_t line_bytes);

#endif
