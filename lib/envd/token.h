// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_ENVD_TOKEN_H
#define FCP_ENVD_TOKEN_H

#include "base/error.h"

/* "X-Access-Token: TOKEN"; "" for none. */
struct fcp_envd_token {
	char header[1024];
};

/*
 * Reads the first line of the file; NULL: none. A file must belong to root or to us, and be
 * readable for its owner only. What stores nothing, such as a FIFO or a shell's <(...), may be
 * anybody's; it is waited for, 10 s at most. FCP_ERR_INPUT when the file is open to others, or the
 * line is empty, too long, or holds what an HTTP header cannot. The message never holds the token.
 */
int fcp_envd_token_read(const char *token_file, int cancel_fd, struct fcp_envd_token *token_,
			struct fcp_error *err);

/* Overwrites it. */
void fcp_envd_token_clear(struct fcp_envd_token *token);

#endif
