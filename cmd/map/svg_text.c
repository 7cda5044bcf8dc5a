// SPDX-License-Identifier: Apache-2.0
/*
 * SVG does not break lines, and the width of text depends on the viewer's font. It is measured for
 * DejaVu Sans, the widest of the common ones.
 */
#include "cmd/map/svg.h"

#include "base/text.h"
#include "cmd/map/xml_text.h"

#include <string.h>

#define FONT_PIXELS 13

static void put(struct svg *svg, unsigned x, const char *style, const char *text, size_t length)
{
	fprintf(svg->out, "<text x=\"%u\" y=\"%u\" class=\"%s\">", x, svg->y, style);
	xml_text(svg->out, text, length);
	fputs("</text>\n", svg->out);
}

void svg_text(struct svg *svg, unsigned x, const char *style, const char *text)
{
	put(svg, x, style, text, strlen(text));
}

/* The width of the bold character of that many bytes, in hundredths of the font size. */
static unsigned width_of(const char *text, size_t bytes)
{
	if (bytes > 2)
		return 110;
	if (bytes == 1 && strchr("ijl.,:;'|!/\\ ()[]ftr-I", *text))
		return 50;
	if (bytes == 1 && strchr("mwMW@%", *text))
		return 110;
	return 78;
}

/* How many bytes of the text fit on one line. */
static size_t line_length(const char *text)
{
	const unsigned room = (SVG_WIDE - 2 * SVG_MARGIN) * 100 / FONT_PIXELS;
	size_t length = strlen(text), at = 0, good = 0;
	unsigned used = 0;

	while (at < length) {
		size_t bytes = fcp_text_printable(text + at, length - at);

		bytes += bytes == 0;
		used += width_of(text + at, bytes);
		if (used > room)
			return good ? good : at;
		at += bytes;
		if (at < length && (text[at] == ' ' || text[at - 1] == '/'))
			good = at;
	}
	return length;
}

void svg_paragraph(struct svg *svg, const char *style, const char *text)
{
	while (*text) {
		size_t length = line_length(text);

		put(svg, SVG_MARGIN, style, text, length);
		svg->y += SVG_LINE;
		text += length;
		text += *text == ' ';
	}
}
