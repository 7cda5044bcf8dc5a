// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_ENVD_TOKEN_H
#define FCP_ENVD_TOKEN_H

#include "base/error.h"

#define FCP_ENVD_TOKEN_MAX_BYTES 1006

/* "X-Access-Token: TOKEN"; "" without a token. */
struct fcp_envd_token {
	char header[sizeof("X-Access-Token: ") + FCP_ENVD_TOKEN_MAX_BYTES + 1];
};

/*
 * Reads the token, the first line of the file (NULL: no token). A regular file must belong to root
 * or to us and be readable by its owner only. Others, such as a FIFO or a shell's <(...), may
 * belong to anyone; they are waited for, at most 10 s. FCP_ERR_INPUT: the file is open to others,
 * or the line is empty, too long, or not valid in an HTTP header. The message never contains the
 * token.
 */
int fcp_envd_token_read(const char *token_file, int cancel_fd, struct fcp_envd_token *token_,
			struct fcp_error *err);

/* Overwrites it. */
void fcp_envd_token_clear(struct fcp_envd_token *token);

#endif
