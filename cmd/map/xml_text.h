// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_CMD_MAP_XML_TEXT_H
#define FCP_CMD_MAP_XML_TEXT_H

#include <stddef.h>
#include <stdio.h>

/*
 * Writes length bytes of text as character data: markup is escaped, what is no UTF-8 or no
 * character of XML 1.0 becomes '?'.
 */
void xml_text(FILE *out, const char *text, size_t length);

#endif
