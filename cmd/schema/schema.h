// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_CMD_SCHEMA_SCHEMA_H
#define FCP_CMD_SCHEMA_SCHEMA_H

/* The JSON Schema of what --json prints (fcpause.schema.json beside this file). */
extern const char schema_text[];

#endif
