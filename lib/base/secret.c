// SPDX-License-Identifier: Apache-2.0
#include "base/secret.h"

#include "base/cleanup.h"
#include "base/deadline.h"

#include <ctype.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>

#define WAIT_MS 10000 /* for a pipe's writer */

struct secret_file {
	int fd;
	const char *path;
	const char *what; /* for messages */
};

static int check_access(const struct secret_file *file, struct fcp_error *err)
{
	struct stat status;

	if (fstat(file->fd, &status) != 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%s %s", file->what, file->path);
	if (!S_ISREG(status.st_mode))
		return 0;
	if (status.st_uid != 0 && status.st_uid != geteuid())
		return fcp_error_set(err, FCP_ERR_INPUT, 0,
				     "%s %s: it belongs to another user (%u), who can read it",
				     file->what, file->path, status.st_uid);
	if (status.st_mode & 077)
		return fcp_error_set(err, FCP_ERR_INPUT, 0,
				     "%s %s: others can read or write it (mode %04o; chmod 600)",
				     file->what, file->path, status.st_mode & 07777);
	return 0;
}

static int wait_for_line(const struct secret_file *file, fcp_deadline deadline, int cancel_fd,
			 struct fcp_error *err)
{
	struct pollfd fds[] = {{.fd = file->fd, .events = POLLIN},
			       {.fd = cancel_fd, .events = POLLIN}};
	int64_t left_ms = fcp_deadline_left_ms(deadline);

	if (left_ms == 0)
		return fcp_error_set(err, FCP_ERR_INPUT, 0, "%s %s: no line was written to it",
				     file->what, file->path);
	if (poll(fds, 2, (int)left_ms) < 0 && errno != EINTR)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%s %s", file->what, file->path);
	if (fds[1].revents)
		return fcp_error_set(err, FCP_ERR_INTERRUPTED, 0, "interrupted");
	return 0;
}

/* Reads until a newline, the end, or bytes bytes. A pipe may deliver them in pieces. */
static ssize_t read_line(const struct secret_file *file, int cancel_fd, char *text, size_t bytes,
			 struct fcp_error *err)
{
	fcp_deadline deadline = fcp_deadline_in_ms(WAIT_MS);
	size_t have = 0;

	while (have < bytes && !memchr(text, '\n', have)) {
		ssize_t got;

		if (wait_for_line(file, deadline, cancel_fd, err) != 0)
			return -1;
		got = read(file->fd, text + have, bytes - have);
		if (got < 0 && errno != EAGAIN && errno != EINTR)
			return fcp_error_set(err, FCP_ERR_IO, errno, "%s %s", file->what,
					     file->path);
		if (got == 0)
			break;
		have += got > 0 ? (size_t)got : 0;
	}
	return (ssize_t)have;
}

/* text has room for a NUL after its bytes. */
static int check_line(const struct secret_file *file, char *text, size_t have, size_t room,
		      struct fcp_error *err)
{
	size_t length = 0;

	while (length < have && text[length] != '\n' && text[length] != '\r')
		length++;
	text[length] = '\0';
	if (length == room)
		return fcp_error_set(err, FCP_ERR_INPUT, 0, "%s %s: the first line is too long",
				     file->what, file->path);
	if (length == 0)
		return fcp_error_set(err, FCP_ERR_INPUT, 0, "%s %s: the first line is empty",
				     file->what, file->path);
	/* A NUL byte too: what follows it would be lost silently. */
	for (size_t i = 0; i < length; i++)
		if (!isgraph((unsigned char)text[i]))
			return fcp_error_set(err, FCP_ERR_INPUT, 0,
					     "%s %s: the first line is not one word", file->what,
					     file->path);
	return 0;
}

int fcp_secret_read(const char *path, const char *what, int cancel_fd, char *text, size_t bytes,
		    struct fcp_error *err)
{
	/* Non-blocking: a FIFO without a writer must not block us for ever. */
	FCP_CLEANUP(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	const struct secret_file file = {fd, path, what};
	ssize_t have = -1;

	if (fd < 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%s %s", what, path);
	if (check_access(&file, err) == 0)
		have = read_line(&file, cancel_fd, text, bytes, err);
	if (have >= 0 && check_line(&file, text, (size_t)have, bytes, err) == 0)
		return 0;
	explicit_bzero(text, bytes);
	return -1;
}
