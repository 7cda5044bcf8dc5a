// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_ENVD_TOKEN_H
#define FCP_ENVD_TOKEN_H

#include "base/error.h"

/*
 * Writes "X-Access-Token: TOKEN" with the first line of the file into header. FCP_ERR_INPUT when
 * that line is empty, too long, or holds what an HTTP header cannot. The message never holds the
 * token.
 */
int fcp_envd_token_header(const char *token_file, char *header, size_t header_bytes,
			  struct fcp_error *err);

#endif
