// SPDX-License-Identifier: Apache-2.0
#include "envd/input.h"

#include "base/cleanup.h"
#include "base/thread.h"
#include "envd/call.h"
#include "envd/signal.h"

#include <poll.h>
#include <pthread.h>
#include <resolv.h>
#include <string.h>
#include <sys/eventfd.h>

#define PIECE_BYTES (256 * 1024)
#define FRAME_BYTES 128 /* the JSON around a piece */

struct fcp_guest_input {
	const struct fcp_guest_command *command;
	uint32_t pid;
	int fd;
	int stop; /* an eventfd, readable when it is to end */
	fcp_deadline deadline;
	pthread_t thread;
	/* The thread's, until it is joined. */
	int failed;
	struct fcp_error error;
	unsigned char piece[PIECE_BYTES];
	char body[FRAME_BYTES + PIECE_BYTES / 3 * 4 + 8];
};

/* The next piece: its bytes; 0 at the end, or when it is to stop; -1. */
static ssize_t read_piece(struct fcp_guest_input *input)
{
	for (;;) {
		struct pollfd fds[] = {{.fd = input->fd, .events = POLLIN},
				       {.fd = input->stop, .events = POLLIN}};
		ssize_t length;

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return fcp_error_set(&input->error, FCP_ERR_IO, errno,
					     "the command's input");
		if (fds[1].revents)
			return 0;
		if (!fds[0].revents)
			continue;
		length = read(input->fd, input->piece, PIECE_BYTES);
		if (length >= 0)
			return length;
		if (errno != EINTR && errno != EAGAIN)
			return fcp_error_set(&input->error, FCP_ERR_IO, errno,
					     "the command's input");
	}
}

/* 0; 1: the command takes no more; -1. */
static int call(struct fcp_guest_input *input, const char *path, struct fcp_envd_answer *answer_)
{
	const struct fcp_envd_call call = {
		.path = path,
		.body = input->body,
		.deadline = input->deadline,
		.cancel_fd = input->stop,
	};

	if (fcp_envd_call(input->command, &call, answer_, &input->error) != 0)
		return -1;
	if (answer_->status == 200)
		return 0;
	/*
	 * It has ended; it has closed its stdin ("broken pipe"); it ended just now ("already
	 * closed").
	 */
	if (strcmp(answer_->code, "not_found") == 0 || strcmp(answer_->code, "internal") == 0)
		return 1;
	return fcp_envd_call_error(&call, answer_, &input->error);
}

static int send_piece(struct fcp_guest_input *input, size_t length)
{
	struct fcp_envd_answer answer;
	size_t used =
		(size_t)snprintf(input->body, FRAME_BYTES,
				 "{\"process\":{\"pid\":%u},\"input\":{\"stdin\":\"", input->pid);

	used += (size_t)b64_ntop(input->piece, length, input->body + used,
				 sizeof(input->body) - used);
	snprintf(input->body + used, sizeof(input->body) - used, "\"}}");
	return call(input, "/process.Process/SendInput", &answer);
}

static int send_end(struct fcp_guest_input *input)
{
	struct fcp_envd_answer answer = {0};
	int sent;

	snprintf(input->body, sizeof(input->body), "{\"process\":{\"pid\":%u}}", input->pid);
	sent = call(input, "/process.Process/CloseStdin", &answer);
	if (sent < 0 && answer.status == 404)
		return fcp_error_set(
			&input->error, FCP_ERR_UNSUPPORTED, 0,
			"this envd cannot close a command's standard input (it has no CloseStdin)");
	return sent;
}

static int pass_input_on(struct fcp_guest_input *input)
{
	for (;;) {
		ssize_t length = read_piece(input);
		int sent;

		if (length < 0)
			return -1;
		if (length == 0)
			return fcp_cancelled(input->stop) || send_end(input) >= 0 ? 0 : -1;
		sent = send_piece(input, (size_t)length);
		if (sent != 0)
			return sent < 0 ? -1 : 0;
	}
}

/* The deadline is told by who waits for the command; and an interruption was asked for. */
static bool is_failure(const struct fcp_error *err)
{
	return err->error_class != FCP_ERR_INTERRUPTED && err->error_class != FCP_ERR_TIMEOUT;
}

static void *input_thread(void *arg)
{
	struct fcp_guest_input *input = arg;
	struct fcp_error unused;

	input->failed = pass_input_on(input) != 0 && is_failure(&input->error);
	if (input->failed)
		fcp_guest_kill(input->command, input->pid, &unused);
	return NULL;
}

static int start_thread(struct fcp_guest_input *input, struct fcp_error *err)
{
	int errnum = fcp_thread_start(&input->thread, input_thread, input);

	return errnum == 0 ? 0 : fcp_error_set(err, FCP_ERR_MEMORY, errnum, "thread");
}

int fcp_guest_input_start(const struct fcp_guest_command *command, uint32_t pid, int fd,
			  struct fcp_guest_input **input_, struct fcp_error *err)
{
	struct fcp_guest_input *input = calloc(1, sizeof(*input));

	if (!input)
		return fcp_error_nomem(err);
	input->command = command;
	input->pid = pid;
	input->fd = fd;
	input->deadline = fcp_deadline_in_ms(command->timeout_ms);
	input->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (input->stop < 0) {
		fcp_error_set(err, FCP_ERR_MEMORY, errno, "eventfd");
	} else if (start_thread(input, err) == 0) {
		*input_ = input;
		return 0;
	} else {
		close(input->stop);
	}
	free(input);
	return -1;
}

int fcp_guest_input_stop(struct fcp_guest_input *input, struct fcp_error *err)
{
	int failed;

	if (!input)
		return 0;
	eventfd_write(input->stop, 1);
	pthread_join(input->thread, NULL);
	failed = input->failed;
	if (failed)
		*err = input->error;
	close(input->stop);
	free(input);
	return failed ? -1 : 0;
}
