// SPDX-License-Identifier: Apache-2.0
#include "envd/token.h"

#include "base/cleanup.h"
#include "base/deadline.h"

#include <ctype.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>

#define HEADER_NAME "X-Access-Token: "
#define WAIT_MS 10000 /* for a pipe's writer */

static int check_access(int fd, const char *token_file, struct fcp_error *err)
{
	struct stat status;

	if (fstat(fd, &status) != 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "token file %s", token_file);
	if (!S_ISREG(status.st_mode))
		return 0;
	if (status.st_uid != 0 && status.st_uid != geteuid())
		return fcp_error_set(
			err, FCP_ERR_INPUT, 0,
			"token file %s: it belongs to another user (%u), who can read it",
			token_file, status.st_uid);
	if (status.st_mode & 077)
		return fcp_error_set(
			err, FCP_ERR_INPUT, 0,
			"token file %s: others can read or write it (mode %04o; chmod 600)",
			token_file, status.st_mode & 07777);
	return 0;
}

static int wait_for_token(int fd, const char *token_file, fcp_deadline deadline, int cancel_fd,
			  struct fcp_error *err)
{
	struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = cancel_fd, .events = POLLIN}};
	int64_t left_ms = fcp_deadline_left_ms(deadline);

	if (left_ms == 0)
		return fcp_error_set(err, FCP_ERR_INPUT, 0,
				     "token file %s: no line was written to it", token_file);
	if (poll(fds, 2, (int)left_ms) < 0 && errno != EINTR)
		return fcp_error_set(err, FCP_ERR_IO, errno, "token file %s", token_file);
	if (fds[1].revents)
		return fcp_error_set(err, FCP_ERR_INTERRUPTED, 0, "interrupted");
	return 0;
}

/* Reads until a newline, the end, or bytes bytes. A pipe may deliver them in pieces. */
static ssize_t read_token_line(int fd, const char *token_file, int cancel_fd, char *text,
			       size_t bytes, struct fcp_error *err)
{
	fcp_deadline deadline = fcp_deadline_in_ms(WAIT_MS);
	size_t have = 0;

	while (have < bytes && !memchr(text, '\n', have)) {
		ssize_t got;

		if (wait_for_token(fd, token_file, deadline, cancel_fd, err) != 0)
			return -1;
		got = read(fd, text + have, bytes - have);
		if (got < 0 && errno != EAGAIN && errno != EINTR)
			return fcp_error_set(err, FCP_ERR_IO, errno, "token file %s", token_file);
		if (got == 0)
			break;
		have += got > 0 ? (size_t)got : 0;
	}
	return (ssize_t)have;
}

/* text has room for a NUL after its bytes. */
static int check_line(char *text, size_t have, size_t room, const char *token_file,
		      struct fcp_error *err)
{
	size_t length = 0;

	while (length < have && text[length] != '\n' && text[length] != '\r')
		length++;
	text[length] = '\0';
	if (length == room)
		return fcp_error_set(err, FCP_ERR_INPUT, 0,
				     "token file %s: the first line is too long", token_file);
	if (length == 0)
		return fcp_error_set(err, FCP_ERR_INPUT, 0,
				     "token file %s: the first line is empty", token_file);
	/* A NUL byte too: what follows it would be lost silently. */
	for (size_t i = 0; i < length; i++)
		if (!isgraph((unsigned char)text[i]))
			return fcp_error_set(err, FCP_ERR_INPUT, 0,
					     "token file %s: the first line is not a token alone",
					     token_file);
	return 0;
}

int fcp_envd_token_read(const char *token_file, int cancel_fd, struct fcp_envd_token *token_,
			struct fcp_error *err)
{
	size_t room = sizeof(token_->header) - sizeof(HEADER_NAME);
	char *text = token_->header + sizeof(HEADER_NAME) - 1;
	FCP_CLEANUP(fd) int fd = -1;
	ssize_t have;

	memset(token_, 0, sizeof(*token_));
	if (!token_file)
		return 0;
	/* Non-blocking: a FIFO without a writer must not block us for ever. */
	fd = open(token_file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "token file %s", token_file);
	if (check_access(fd, token_file, err) != 0)
		return -1;
	memcpy(token_->header, HEADER_NAME, sizeof(HEADER_NAME) - 1);
	have = read_token_line(fd, token_file, cancel_fd, text, room, err);
	if (have < 0 || check_line(text, (size_t)have, room, token_file, err) != 0) {
		fcp_envd_token_clear(token_);
		return -1;
	}
	return 0;
}

void fcp_envd_token_clear(struct fcp_envd_token *token)
{
	explicit_bzero(token, sizeof(*token));
}
