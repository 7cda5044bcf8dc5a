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
	ssize_t room = (ssize_t)(header_bytes - sizeof(name)), length;
	size_t line;

	if (fd < 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "token file %s", token_file);
	memcpy(header, name, sizeof(name));
	length = read(fd, token, (size_t)room);
	if (length < 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "token file %s", token_file);
	token[length] = '\0';
	line = strcspn(token, "\r\n");
	if (length == room && line == (size_t)room)
		return fcp_error_set(err, FCP_ERR_INPUT, 0, "token file %s: the first line is too long",
				     token_file);
	if (length == 0 || token[line] != '\0')
		length = (ssize_t)line;
	if (length == 0)
		return fcp_error_set(err, FCP_ERR_INPUT, 0, "token file %s: the first line is empty",
				     token_file);
	/* A NUL byte too: what stands behind it would be cut off in silence. */
	for (ssize_t i = 0; i < length; i++)
		if (!isgraph((unsigned char)token[i]))
			return fcp_error_set(err, FCP_ERR_INPUT, 0,
					     "token file %s: the first line holds more than a token",
					     token_file);
	token[length] = '\0';
	return 0;
}
