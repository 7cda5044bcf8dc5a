// SPDX-License-Identifier: Apache-2.0
#include "cmd/telemetry/pairs.h"

#include "base/cleanup.h"

#include <ctype.h>
#include <string.h>

static char *trim(char *text)
{
	char *end;

	text += strspn(text, " \t");
	end = text + strlen(text);
	while (end > text && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	return text;
}

static int digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* In place. %00, and a percent sign that two digits do not follow, are not decoded. */
static void decode(char *text)
{
	char *to = text;

	for (; *text; text++) {
		int value = 0;

		if (*text == '%' && isxdigit((unsigned char)text[1]) &&
		    isxdigit((unsigned char)text[2]))
			value = digit(text[1]) * 16 + digit(text[2]);
		*to++ = value ? (char)value : *text;
		text += value ? 2 : 0;
	}
	*to = '\0';
}

void pairs_each(const char *list, void (*visit)(const char *key, const char *value, void *arg),
		void *arg)
{
	FCP_CLEANUP(free) char *copy = list ? strdup(list) : NULL;
	char *rest = copy;

	for (char *word; rest && (word = strsep(&rest, ",")) != NULL;) {
		char *value = strchr(word, '=');

		if (!value)
			continue;
		*value++ = '\0';
		word = trim(word);
		value = trim(value);
		decode(value);
		if (*word)
			visit(word, value, arg);
	}
}
