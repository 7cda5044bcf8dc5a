// SPDX-License-Identifier: Apache-2.0
/* What was seen in memory files, as tables and as an answer. */
#ifndef FCP_CMD_OUTPUT_INSPECT_TEXT_H
#define FCP_CMD_OUTPUT_INSPECT_TEXT_H

#include "cmd/map/map_text.h"

/* How it ended, the table, the map, and the answer as the last line. */
void inspect_text(FILE *out, const struct map_files *files, const struct terminal *terminal);

#define INSPECT_ANSWER_BYTES 1024

/*
 * "Why is it still this big?": the class that occupies most storage, and what would release it.
 * Returns text.
 */
const char *inspect_answer(const struct fcp_inspect_result *result, const char *path,
			   char text[INSPECT_ANSWER_BYTES]);

/*
 * What can be released of the file as it is, where that is not the answer itself; "" when it is
 * nothing. Returns text.
 */
const char *inspect_releasable(const struct fcp_inspect_result *result, const char *path,
			       char text[INSPECT_ANSWER_BYTES]);

#endif
