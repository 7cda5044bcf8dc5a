// SPDX-License-Identifier: Apache-2.0
#include "cmd/xml_text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* By the first byte (RFC 3629); 0 for one that begins no character. */
static size_t length_of(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first >> 5 == 6)
		return 2;
	if (first >> 4 == 14)
		return 3;
	return first >> 3 == 30 ? 4 : 0;
}

/* A character that XML 1.0 has (section 2.2), but for controls. */
static bool is_printable(uint32_t code)
{
	return code >= 0x20 && (code < 0x7f || code >= 0xa0) && (code < 0xd800 || code >= 0xe000) &&
	       code != 0xfffe && code != 0xffff && code <= 0x10ffff;
}

/* The bytes of the character that begins here; 0 when it is none that can be shown. */
static size_t character(const unsigned char *text, size_t length)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t bytes = length_of(text[0]);
	uint32_t code = bytes == 1 ? text[0] : text[0] & (0x7fu >> bytes);

	if (bytes == 0 || bytes > length)
		return 0;
	for (size_t i = 1; i < bytes; i++) {
		if (text[i] >> 6 != 2)
			return 0;
		code = code << 6 | (text[i] & 0x3f);
	}
	return code >= least[bytes] && is_printable(code) ? bytes : 0;
}

void xml_text(FILE *out, const char *text, size_t length)
{
	while (length > 0) {
		size_t bytes = character((const unsigned char *)text, length);

		if (bytes == 0)
			fputc('?', out);
		else if (*text == '&')
			fputs("&amp;", out);
		else if (*text == '<')
			fputs("&lt;", out);
		else if (*text == '>')
			fputs("&gt;", out);
		else
			fwrite(text, 1, bytes, out);
		text += bytes ? bytes : 1;
		length -= bytes ? bytes : 1;
	}
}
