// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_CMD_MAP_XML_TEXT_H
#define FCP_CMD_MAP_XML_TEXT_H

#include <stddef.h>
#include <stdio.h>

/*
 * Writes length bytes of text as character data. Markup is escaped; bytes that are not UTF-8 and
 * characters that XML 1.0 does not permit become '?'.
 */
void xml_text(FILE *out, const char *text, size_t length);

#endif
