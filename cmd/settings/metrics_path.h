// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_CMD_SETTINGS_METRICS_PATH_H
#define FCP_CMD_SETTINGS_METRICS_PATH_H

#include "cmd/parsing/invocation.h"

/* A warning, as of an unknown variable, where --metrics-path names what Firecracker cannot write to or
 * we cannot read: the figures would be absent without a reason. */
void metrics_path_check(struct invocation *invocation);

#endif
