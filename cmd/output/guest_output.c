// SPDX-License-Identifier: Apache-2.0
#include "cmd/output/guest_output.h"

#include "base/error.h"
#include "base/utf8.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

static const char *name_of(int fd)
{
	return fd == STDOUT_FILENO ? "stdout" : "stderr";
}

/* Waits until a write of PIPE_BUF bytes will not block. Signals are blocked (see main.c), so they
 * could not interrupt a write to a reader that has stopped reading. */
static int wait_writable(const struct guest_output *output, int fd, struct fcp_error *err)
{
	for (;;) {
		struct pollfd fds[] = {{.fd = fd, .events = POLLOUT},
				       {.fd = output->cancel_fd, .events = POLLIN}};
		int64_t left_ms = fcp_deadline_left_ms(output->deadline);

		if (left_ms == 0)
			return fcp_error_set(err, FCP_ERR_TIMEOUT, 0, "%s: nobody reads it",
					     name_of(fd));
		if (poll(fds, 2, left_ms > INT_MAX ? INT_MAX : (int)left_ms) < 0 && errno != EINTR)
			return fcp_error_set(err, FCP_ERR_IO, errno, "%s", name_of(fd));
		if (fds[1].revents)
			return fcp_error_set(err, FCP_ERR_INTERRUPTED, 0, "interrupted");
		if (fds[0].revents)
			return 0;
	}
}

int guest_output_pass(enum fcp_guest_stream stream, const char *data, size_t length, void *arg,
		      struct fcp_error *err)
{
	int fd = stream == FCP_GUEST_STDOUT ? STDOUT_FILENO : STDERR_FILENO;

	while (length > 0) {
		ssize_t written;

		if (wait_writable(arg, fd, err) != 0)
			return -1;
		written = write(fd, data, length < PIPE_BUF ? length : PIPE_BUF);
		if (written < 0 && errno != EAGAIN && errno != EINTR)
			return fcp_error_set(err, FCP_ERR_IO, errno, "%s", name_of(fd));
		if (written > 0) {
			data += written;
			length -= (size_t)written;
		}
	}
	return 0;
}

int guest_output_keep(enum fcp_guest_stream stream, const char *data, size_t length, void *arg,
		      struct fcp_error *err)
{
	struct guest_output *output = arg;
	size_t room = GUEST_OUTPUT_KEPT_BYTES - output->kept[stream].length;
	size_t taken = length < room ? length : room;

	(void)err;
	memcpy(output->kept[stream].bytes + output->kept[stream].length, data, taken);
	output->kept[stream].length += taken;
	output->kept[stream].truncated |= taken < length;
	return 0;
}

const char *guest_output_text(struct guest_output *output, enum fcp_guest_stream stream)
{
	char *bytes = output->kept[stream].bytes;
	size_t length = output->kept[stream].length, count;

	for (size_t i = 0; i < length; i += count ? count : 1) {
		count = fcp_utf8_decode(bytes + i, length - i, NULL);
		if (count == 0 || bytes[i] == '\0')
			bytes[i] = '?';
	}
	bytes[length] = '\0';
	return bytes;
}
