// SPDX-License-Identifier: Apache-2.0
#include "cmd/output/shown.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <string.h>

char *shown_text(const char *text)
{
	size_t bytes = 4 * strlen(text) + 16;
	char *shown = malloc(bytes);

	if (shown)
		fcp_text_filter(text, shown, bytes);
	return shown;
}

void put_shown(FILE *out, const char *text)
{
	FCP_CLEANUP(free) char *shown = shown_text(text);

	fputs(shown ? shown : "(no memory)", out);
}

char *masked_url(const char *text)
{
	const char *scheme_end = strstr(text, "://");

	return scheme_end && strchr(scheme_end, '@') ? shown_text(text) : NULL;
}
