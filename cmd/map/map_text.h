// SPDX-License-Identifier: Apache-2.0
/* The map of memory files in a terminal. */
#ifndef FCP_CMD_MAP_MAP_TEXT_H
#define FCP_CMD_MAP_MAP_TEXT_H

#include "cmd/output/terminal.h"
#include "fcpause.h"

#include <stdio.h>

/* One file, or two (both with cells), "before" and "after", on the same scale. */
struct map_files {
	const struct fcp_inspect_result *results[2];
	const char *paths[2];
	size_t count;
};

/* Prints rows of cells with their offsets, at most as wide as the terminal, and a legend. */
void map_text(FILE *out, const struct map_files *files, const struct terminal *terminal);

#endif
