// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_CMD_SETTINGS_SETTINGS_H
#define FCP_CMD_SETTINGS_SETTINGS_H

#include "cmd/parsing/invocation.h"
#include "net/json.h"

#include <stdio.h>

/* "settings": {"fph_timeout_ms": {"value": 1500, "origin": "cli"}, ...}; 0, or -1 if out of
 * memory. */
int settings_report(struct fcp_json *object, const struct invocation *invocation);

/* One line per setting, as text. */
void settings_print(const struct invocation *invocation, FILE *out);

#endif
