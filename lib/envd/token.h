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
 * Reads the token, the first line of the file (NULL: no token), as fcp_secret_read() does. The
 * message of an error never contains it.
 */
int fcp_envd_token_read(const char *token_file, int cancel_fd, struct fcp_envd_token *token_,
			struct fcp_error *err);

/* Overwrites it. */
void fcp_envd_token_clear(struct fcp_envd_token *token);

#endif
