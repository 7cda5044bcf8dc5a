// SPDX-License-Identifier: Apache-2.0
#include "base/nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static size_t least(size_t a, size_t b, size_t c)
{
	size_t least_of_two = a < b ? a : b;

	return least_of_two < c ? least_of_two : c;
}

static bool is_same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Levenshtein's; name is shorter than FCP_NEAREST_MAX_BYTES. */
static size_t distance(const char *word, size_t word_length, const char *name)
{
	size_t row[FCP_NEAREST_MAX_BYTES], length = strlen(name);

	for (size_t j = 0; j <= length; j++)
		row[j] = j;
	for (size_t i = 1; i <= word_length; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= length; j++) {
			size_t replaced = diagonal + !is_same(word[i - 1], name[j - 1]);

			diagonal = row[j];
			row[j] = least(row[j] + 1, row[j - 1] + 1, replaced);
		}
	}
	return row[length];
}

void fcp_nearest_try(struct fcp_nearest *nearest, const char *name)
{
	size_t length = strlen(name), away;

	if (length >= FCP_NEAREST_MAX_BYTES || nearest->length >= FCP_NEAREST_MAX_BYTES)
		return;
	away = distance(nearest->word, nearest->length, name);
	/* Half of a short word is not a typing error. */
	if (away >= nearest->distance || away * 2 > nearest->length)
		return;
	nearest->distance = away;
	memcpy(nearest->name, name, length + 1);
}

const char *fcp_nearest_hint(const struct fcp_nearest *nearest, char hint[FCP_NEAREST_HINT_BYTES])
{
	if (nearest->distance >= FCP_NEAREST_NONE)
		return "";
	snprintf(hint, FCP_NEAREST_HINT_BYTES, "; did you mean %s?", nearest->name);
	return hint;
}
