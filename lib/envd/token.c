// SPDX-License-Identifier: Apache-2.0
#include "envd/token.h"

#include "base/secret.h"

#include <string.h>

#define HEADER_NAME "X-Access-Token: "

int fcp_envd_token_read(const char *token_file, int cancel_fd, struct fcp_envd_token *token_,
			struct fcp_error *err)
{
	const size_t name_bytes = sizeof(HEADER_NAME) - 1;

	memset(token_, 0, sizeof(*token_));
	if (!token_file)
		return 0;
	memcpy(token_->header, HEADER_NAME, name_bytes);
	if (fcp_secret_read(token_file, "token file", cancel_fd, token_->header + name_bytes,
			    sizeof(token_->header) - sizeof(HEADER_NAME), err) == 0)
		return 0;
	fcp_envd_token_clear(token_);
	return -1;
}

void fcp_envd_token_clear(struct fcp_envd_token *token)
{
	explicit_bzero(token, sizeof(*token));
}
