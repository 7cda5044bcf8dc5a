// SPDX-License-Identifier: Apache-2.0
#include "cmd/map/xml_text.h"

#include "base/text.h"

void xml_text(FILE *out, const char *text, size_t length)
{
	while (length > 0) {
		size_t bytes = fcp_text_printable(text, length);

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
