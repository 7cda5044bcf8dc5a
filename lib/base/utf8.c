// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"

#include <string.h>

/*
 * The length of a sequence, from its first byte, and the smallest character that needs that length.
 */
static size_t length_of(unsigned char first, uint32_t *least_)
{
	*least_ = first < 0x80 ? 0 : first < 0xe0 ? 0x80 : first < 0xf0 ? 0x800 : 0x10000;
	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

size_t fcp_utf8_decode(const char *text, size_t length, uint32_t *character_)
{
	const unsigned char *bytes = (const unsigned char *)text;
	uint32_t character, least;
	size_t count;

	if (length == 0)
		return 0;
	count = length_of(bytes[0], &least);
	if (count == 0 || count > length)
		return 0;
	character = count == 1 ? bytes[0] : bytes[0] & (0x7fU >> count);
	for (size_t i = 1; i < count; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		character = character << 6 | (bytes[i] & 0x3f);
	}
	if (character < least || character > 0x10ffff ||
	    (character >= 0xd800 && character <= 0xdfff))
		return 0;
	if (character_)
		*character_ = character;
	return count;
}

bool fcp_utf8_is_valid(const char *text)
{
	size_t left = strlen(text), count;

	for (; left > 0; text += count, left -= count) {
		count = fcp_utf8_decode(text, left, NULL);
		if (count == 0)
			return false;
	}
	return true;
}
