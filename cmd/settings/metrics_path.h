// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_CMD_SETTINGS_METRICS_PATH_H
#define FCP_CMD_SETTINGS_METRICS_PATH_H

#include "cmd/parsing/invocation.h"

/* Adds a warning, like one for an unknown variable, if Firecracker cannot write to --metrics-path
 * or we cannot read it. Otherwise the figures would be missing without a reason. */
void metrics_path_check(struct invocation *invocation);

#endif
