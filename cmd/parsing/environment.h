// SPDX-License-Identifier: Apache-2.0
/* Options by the environment: FCPAUSE_ and the option's name in capitals. */
#ifndef FCP_CMD_PARSING_ENVIRONMENT_H
#define FCP_CMD_PARSING_ENVIRONMENT_H

#include "cmd/parsing/invocation.h"

/* "FCPAUSE_FPH_TIMEOUT_MS"; returns name. */
const char *environment_name(enum option_id id, char *name, size_t bytes);

/* Takes the option's variable, where the command line says nothing. FCP_ERR_USAGE names it. */
int from_environment(struct invocation *invocation, enum option_id id, struct fcp_error *err);

#endif
