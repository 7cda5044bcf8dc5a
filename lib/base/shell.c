// SPDX-License-Identifier: Apache-2.0
#include "base/shell.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

enum quoting {
	BARE,
	SINGLE, /* 'it'\''s' */
	ESCAPES /* $'\033' */
};

static enum quoting quoting_of(const char *text)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+=:,@%-";

	if (*text != '\0' && text[strspn(text, plain)] == '\0')
		return BARE;
	return fcp_text_is_printable(text) ? SINGLE : ESCAPES;
}

/*
 * One byte within $'...'. Three octal digits, so that a digit after it is not taken for part of it.
 */
static void escape_byte(const char *text, char piece[5])
{
	unsigned char byte = (unsigned char)*text;

	if (byte == '\'' || byte == '\\')
		snprintf(piece, 5, "\\%c", byte);
	else if (byte < 0x20 || byte >= 0x7f)
		snprintf(piece, 5, "\\%03o", byte);
	else
		snprintf(piece, 5, "%c", byte);
}

static void quote_byte(enum quoting quoting, const char *text, char piece[5])
{
	if (quoting == ESCAPES)
		escape_byte(text, piece);
	else if (quoting == SINGLE && *text == '\'')
		snprintf(piece, 5, "'\\''");
	else
		snprintf(piece, 5, "%c", *text);
}

/* Appends piece to word; false if it does not fit. */
static bool append_piece(const char *piece, char *word, size_t word_bytes, size_t *used)
{
	size_t length = strlen(piece);

	if (*used + length >= word_bytes)
		return false;
	memcpy(word + *used, piece, length + 1);
	*used += length;
	return true;
}

int fcp_shell_quote(const char *text, char *word, size_t word_bytes)
{
	static const char *const before[] = {[BARE] = "", [SINGLE] = "'", [ESCAPES] = "$'"};
	enum quoting quoting = quoting_of(text);
	size_t used = 0;
	bool fits = append_piece(before[quoting], word, word_bytes, &used);
	char piece[5];

	for (; fits && *text; text++) {
		quote_byte(quoting, text, piece);
		fits = append_piece(piece, word, word_bytes, &used);
	}
	if (fits && append_piece(quoting == BARE ? "" : "'", word, word_bytes, &used))
		return 0;
	if (word_bytes > 0)
		*word = '\0';
	return -1;
}
