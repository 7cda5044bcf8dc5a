// SPDX-License-Identifier: Apache-2.0
/* The contents of memory files, as tables and a one-line answer. */
#ifndef FCP_CMD_OUTPUT_INSPECT_TEXT_H
#define FCP_CMD_OUTPUT_INSPECT_TEXT_H

#include "cmd/map/map_text.h"

/* Prints the outcome, the table, the map, and the answer as the last line. */
void inspect_text(FILE *out, const struct map_files *files, const struct terminal *terminal);

#define INSPECT_ANSWER_BYTES 1024

/*
 * "Why is it still this big?": the class that occupies most storage, and what would release it.
 * Returns text.
 */
const char *inspect_answer(const struct fcp_inspect_result *result, const char *path,
			   char text[INSPECT_ANSWER_BYTES]);

/*
 * What can be released from the file as it is; "" if that is nothing, or is the answer itself.
 * Returns text.
 */
const char *inspect_releasable(const struct fcp_inspect_result *result, const char *path,
			       char text[INSPECT_ANSWER_BYTES]);

#endif
