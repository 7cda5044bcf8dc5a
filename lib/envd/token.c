// SPDX-License-Identifier: Apache-2.0
#include "envd/token.h"

#include "base/cleanup.h"

#include <ctype.h>
#include <fcntl.h>
#include <string.h>

int fcp_envd_token_header(const char *token_file, char *header, size_t header_bytes,
			  struct fcp_error *err)
{
	static const char name[] = "X-Access-Token: ";
	FCP_CLEANUP(fd) int fd = open(token_file, O_RDONLY | O_CLOEXEC);
	char *token = header + sizeof(name) - 1;
	ssize_t length;

	if (fd < 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "token file %s", token_file);
	memcpy(header, name, sizeof(name));
	length = read(fd, token, header_bytes - sizeof(name));
	if (length < 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "token file %s", token_file);
	token[length] = '\0';
	if (strlen(token) == header_bytes - sizeof(name) && !strchr(token, '\n'))
		return fcp_error_set(err, FCP_ERR_INPUT, 0, "token file %s: the first line is too long",
				     token_file);
	token[strcspn(token, "\r\n")] = '\0';
	if (*token == '\0')
		return fcp_error_set(err, FCP_ERR_INPUT, 0, "token file %s: the first line is empty",
				     token_file);
	for (const char *c = token; *c; c++)
		if (!isgraph((unsigned char)*c))
			return fcp_error_set(err, FCP_ERR_INPUT, 0,
					     "token file %s: the first line holds more than a token",
					     token_file);
	return 0;
}
