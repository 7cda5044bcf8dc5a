// SPDX-License-Identifier: Apache-2.0
/* The option that puts right what the library says. Its messages name none: it has no command line. */
#ifndef FCP_CMD_OUTPUT_ADVICE_H
#define FCP_CMD_OUTPUT_ADVICE_H

#include "cmd/parsing/invocation.h"

/* " (--force replaces it)": to stand behind the reason; "" where no option of the command's helps. err
 * may be NULL. */
const char *advice_for(const struct invocation *invocation, const struct fcp_error *err,
		       const char *reason);

#endif
