// SPDX-License-Identifier: Apache-2.0
/* What the standard output can display. */
#ifndef FCP_CMD_OUTPUT_TERMINAL_H
#define FCP_CMD_OUTPUT_TERMINAL_H

#include <stdbool.h>

enum color_when {
	COLOR_AUTO, /* on a terminal, unless NO_COLOR is set or TERM is dumb */
	COLOR_ALWAYS,
	COLOR_NEVER,
};

enum color_depth {
	COLORS_NONE,
	COLORS_16,
	COLORS_256,
	COLORS_RGB,
};

struct terminal {
	unsigned columns;
	enum color_depth colors;
	bool utf8;
};

/* Width: the terminal's own, or COLUMNS, or 80. See https://no-color.org for NO_COLOR. */
struct terminal terminal_look(enum color_when when);

#endif
