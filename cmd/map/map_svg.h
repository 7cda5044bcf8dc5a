// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_CMD_MAP_MAP_SVG_H
#define FCP_CMD_MAP_MAP_SVG_H

#include "cmd/map/map_text.h"

/* The map as a self-contained picture: title, sizes, legend, answer. SVG 1.1, UTF-8. */
void map_svg(FILE *out, const struct map_files *files);

#endif
