// SPDX-License-Identifier: Apache-2.0
#include "cmd/output/advice.h"

#include <string.h>

/* The first entry whose words are in the message applies. A test provokes each, so that a message
 * does not lose its advice when its words change. */
static const struct {
	const char *words;
	enum option_id option; /* the command must have it */
	const char *advice;
} advices[] = {
	{" already exists", OPT_FORCE, " (--force replaces it)"},
	{"PUT /snapshot/create: no answer", OPT_SNAPSHOT_TIMEOUT_MS, " (--snapshot-timeout-ms)"},
	{"PUT /snapshot/load: no answer", OPT_LOAD_TIMEOUT_MS, " (--load-timeout-ms)"},
	{"GET /health: no answer", OPT_ENVD_TIMEOUT_MS, " (--envd-timeout-ms)"},
	{"/balloon/hinting/start: no answer", OPT_FPH_TIMEOUT_MS,
	 " (--fph-timeout-ms, --timeout-ms)"},
	{": no answer", OPT_TIMEOUT_MS, " (--timeout-ms)"},
	{"Say what its holes mean", OPT_HOLES, " (--holes)"},
	{"(a token file is needed", OPT_ENVD_TOKEN_FILE, " (--envd-token-file)"},
	{"the deadline of ", OPT_EXEC_TIMEOUT_MS, " (--exec-timeout-ms)"},
	{"the deadline of ", OPT_RECLAIM_TIMEOUT_MS, " (--reclaim-timeout-ms)"},
	{"envd did not begin within ", OPT_RECLAIM_TIMEOUT_MS, " (--reclaim-timeout-ms)"},
	{"not done within ", OPT_FPH_TIMEOUT_MS, " (--fph-timeout-ms)"},
};

const char *advice_for(const struct invocation *invocation, const struct fcp_error *err,
		       const char *reason)
{
	if (!invocation->command)
		return "";
	if (err && err->error_class == FCP_ERR_LOCKED)
		return " (--wait-lock-ms waits for it)";
	for (size_t i = 0; i < sizeof(advices) / sizeof(advices[0]); i++)
		if (strstr(reason, advices[i].words) && takes_option(invocation, advices[i].option))
			return advices[i].advice;
	return "";
}
