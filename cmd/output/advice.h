// SPDX-License-Identifier: Apache-2.0
/* The option that helps with an error. The library's messages do not name command-line options. */
#ifndef FCP_CMD_OUTPUT_ADVICE_H
#define FCP_CMD_OUTPUT_ADVICE_H

#include "cmd/parsing/invocation.h"

/* " (--force replaces it)", to be appended to the reason; "" if no option of the command helps. err
 * may be NULL. */
const char *advice_for(const struct invocation *invocation, const struct fcp_error *err,
		       const char *reason);

#endif
