// SPDX-License-Identifier: Apache-2.0
/* Options from the environment: FCPAUSE_ followed by the option's name in capitals. */
#ifndef FCP_CMD_PARSING_ENVIRONMENT_H
#define FCP_CMD_PARSING_ENVIRONMENT_H

#include "cmd/parsing/invocation.h"

/* "FCPAUSE_FPH_TIMEOUT_MS"; returns name. */
const char *environment_name(enum option_id id, char *name, size_t bytes);

/* Reads the option's variable unless the command line has the option. FCP_ERR_USAGE names it. */
int from_environment(struct invocation *invocation, enum option_id id, struct fcp_error *err);

#endif
