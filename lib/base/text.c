// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

#define ESCAPE_BYTES 11 /* "\U000e0041" and its NUL */

/* Unicode 14: Cc, Cf, Zl, Zp, Default_Ignorable_Code_Point; U+FDD0..FDEF. Sorted. */
static const struct {
	uint32_t first, last;
} hidden[] = {
	{0x0, 0x1f},	    {0x7f, 0x9f},	{0xad, 0xad},	    {0x34f, 0x34f},
	{0x600, 0x605},	    {0x61c, 0x61c},	{0x6dd, 0x6dd},	    {0x70f, 0x70f},
	{0x890, 0x891},	    {0x8e2, 0x8e2},	{0x115f, 0x1160},   {0x17b4, 0x17b5},
	{0x180b, 0x180f},   {0x200b, 0x200f},	{0x2028, 0x202e},   {0x2060, 0x206f},
	{0x3164, 0x3164},   {0xfdd0, 0xfdef},	{0xfe00, 0xfe0f},   {0xfeff, 0xfeff},
	{0xffa0, 0xffa0},   {0xfff0, 0xfffb},	{0x110bd, 0x110bd}, {0x110cd, 0x110cd},
	{0x13430, 0x1343f}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
};

bool fcp_is_printable(uint32_t character)
{
	if (character > 0x10ffff || (character & 0xfffe) == 0xfffe ||
	    (character >= 0xd800 && character <= 0xdfff))
		return false;
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (character <= hidden[i].last)
			return character < hidden[i].first;
	return true;
}

size_t fcp_text_printable(const char *text, size_t length)
{
	uint32_t character;
	size_t bytes = fcp_utf8_decode(text, length, &character);

	return bytes > 0 && fcp_is_printable(character) ? bytes : 0;
}

bool fcp_text_is_printable(const char *text)
{
	size_t left = strlen(text), bytes;

	for (; left > 0; text += bytes, left -= bytes) {
		bytes = fcp_text_printable(text, left);
		if (bytes == 0)
			return false;
	}
	return true;
}

/* Returns the number of bytes of text that the escape stands for. */
static size_t escape_character(const char *text, size_t length, char escaped[ESCAPE_BYTES])
{
	uint32_t character = 0;
	size_t bytes = fcp_utf8_decode(text, length, &character);

	if (*text == '\n' || *text == '\r' || *text == '\t')
		snprintf(escaped, ESCAPE_BYTES, "\\%c",
			 *text == '\n'	 ? 'n'
			 : *text == '\r' ? 'r'
					 : 't');
	else if (bytes <= 1)
		snprintf(escaped, ESCAPE_BYTES, "\\x%02x", (unsigned)(unsigned char)*text);
	else
		snprintf(escaped, ESCAPE_BYTES, character <= 0xffff ? "\\u%04x" : "\\U%08x",
			 character);
	return bytes ? bytes : 1;
}

/*
 * The length of what is between "://" and the @ of a URL at the beginning of text; 0 without an @.
 */
static size_t userinfo_length(const char *text, size_t length)
{
	static const char behind_url[] = " \t\r\n\"'<>`";
	size_t found = 0;

	if (length < 3 || strncmp(text, "://", 3) != 0)
		return 0;
	/* The last @: a password may contain one. */
	for (size_t i = 3; i < length && !strchr(behind_url, text[i]); i++)
		if (text[i] == '@')
			found = i - 3;
	return found;
}

static void filter_text(const char *text, size_t length, char *shown, size_t shown_bytes)
{
	char escaped[ESCAPE_BYTES];

	while (length > 0) {
		size_t taken = fcp_text_printable(text, length), put = taken;
		size_t secret = userinfo_length(text, length);
		const char *piece = text;

		if (secret > 0) {
			taken = 3 + secret;
			piece = "://***";
			put = strlen(piece);
		} else if (taken == 0) {
			taken = escape_character(text, length, escaped);
			piece = escaped;
			put = strlen(escaped);
		}
		if (put >= shown_bytes)
			break;
		memcpy(shown, piece, put);
		shown += put;
		shown_bytes -= put;
		text += taken;
		length -= taken;
	}
	if (shown_bytes > 0)
		*shown = '\0';
}

void fcp_text_filter(const char *text, char *shown, size_t shown_bytes)
{
	filter_text(text, strlen(text), shown, shown_bytes);
}

void fcp_text_append(const char *text, char *list, size_t list_bytes)
{
	size_t used = strlen(list);

	used += (size_t)snprintf(list + used, list_bytes - used, "%s", used > 0 ? "; " : "");
	if (used < list_bytes)
		fcp_text_filter(text, list + used, list_bytes - used);
}

void fcp_text_first_line(const char *text, char *line, size_t line_bytes)
{
	size_t length;

	text += strspn(text, " \t\r\n");
	length = strcspn(text, "\r\n");
	while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t'))
		length--;
	filter_text(text, length, line, line_bytes);
}
