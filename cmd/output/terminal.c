// SPDX-License-Identifier: Apache-2.0
#include "cmd/output/terminal.h"

#include "base/units.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COLUMNS_LEAST 20
#define COLUMNS_MOST 500

/* An empty variable counts as not set. */
static const char *variable(const char *name)
{
	const char *text = getenv(name);

	return text && *text ? text : NULL;
}

static unsigned columns(void)
{
	const char *text = variable("COLUMNS");
	struct winsize size;
	uint64_t wide = 80;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		wide = size.ws_col;
	else if (text && (!fcp_parse_u64(text, false, &wide) || wide == 0))
		wide = 80;
	if (wide < COLUMNS_LEAST)
		return COLUMNS_LEAST;
	return wide > COLUMNS_MOST ? COLUMNS_MOST : (unsigned)wide;
}

static enum color_depth colors(enum color_when when)
{
	const char *term = variable("TERM"), *depth = variable("COLORTERM");

	if (when == COLOR_NEVER)
		return COLORS_NONE;
	if (when == COLOR_AUTO &&
	    (!isatty(STDOUT_FILENO) || variable("NO_COLOR") || !term || strcmp(term, "dumb") == 0))
		return COLORS_NONE;
	if (depth && (strcmp(depth, "truecolor") == 0 || strcmp(depth, "24bit") == 0))
		return COLORS_RGB;
	return term && strstr(term, "256color") ? COLORS_256 : COLORS_16;
}

/* Judged by name: a locale need not be installed here to describe the terminal. */
static bool utf8(void)
{
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *locale = variable(names[i]);

		if (locale)
			return strcasestr(locale, "utf-8") || strcasestr(locale, "utf8");
	}
	return false;
}

struct terminal terminal_look(enum color_when when)
{
	return (struct terminal){columns(), colors(when), utf8()};
}
