// SPDX-License-Identifier: Apache-2.0
#include "firecracker/hold.h"

#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/fd_link.h"
#include "base/thread.h"
#include "firecracker/client.h"
#include "firecracker/fifo.h"
#include "firecracker/snapshot.h"
#include "firecracker/state_file.h"

#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>

struct fcp_hold {
	struct fcp_hold_settings settings;
	int inotify;  /* watches the state file's inode */
	int answered; /* an eventfd, readable when the call is over */
	int give_up;  /* an eventfd, readable when the call is to be abandoned */
	struct fcp_fifo fifo;
	bool calling; /* the thread was started */
	bool joined;  /* it has ended, and what it wrote can be read */
	pthread_t thread;
	/* Written by the thread before it signals answered, read by others afterwards. */
	int created;
	struct fcp_error answer;
};

/* ---- before the pause ---- */

/* By inode: its name may differ elsewhere. */
static int watch_state(struct fcp_hold *hold, struct fcp_error *err)
{
	char link[FCP_FD_LINK_BYTES];
	const char *path = fcp_fd_link(hold->settings.state_fd, link);

	hold->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (hold->inotify < 0 || inotify_add_watch(hold->inotify, path, IN_CLOSE_WRITE) < 0)
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, errno,
				     "the state file cannot be watched (inotify)");
	return 0;
}

int fcp_hold_prepare(const struct fcp_hold_settings *settings, struct fcp_hold **hold_,
		     struct fcp_error *err)
{
	struct fcp_hold *hold = calloc(1, sizeof(*hold));

	if (!hold)
		return fcp_error_nomem(err);
	hold->settings = *settings;
	hold->fifo = (struct fcp_fifo)FCP_FIFO_NONE;
	hold->inotify = -1;
	hold->answered = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	hold->give_up = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (hold->answered < 0 || hold->give_up < 0)
		fcp_error_set(err, FCP_ERR_UNSUPPORTED, errno, "eventfd");
	else if (fcp_fifo_make(settings->directory, settings->fifo_name, settings->uid,
			       settings->gid, &hold->fifo, err) == 0 &&
		 watch_state(hold, err) == 0) {
		*hold_ = hold;
		return 0;
	}
	fcp_hold_free(hold);
	return -1;
}

/* ---- the call ---- */

static int hold_create_snapshot(struct fcp_hold *hold)
{
	const struct fcp_hold_settings *s = &hold->settings;
	FCP_CLEANUP(firecracker) struct fcp_firecracker firecracker = {0};

	/*
	 * No timeout: it lasts as long as the hold, and those who wait for its end have a deadline.
	 */
	if (fcp_firecracker_open(s->api_sock, INT_MAX, hold->give_up, &firecracker,
				 &hold->answer) != 0)
		return -1;
	fcp_firecracker_observe(&firecracker, s->observer);
	return fcp_snapshot_create(&firecracker, FCP_SNAPSHOT_FULL, s->state_seen, s->fifo_seen,
				   &hold->answer);
}

static void *call_thread(void *arg)
{
	struct fcp_hold *hold = arg;

	hold->created = hold_create_snapshot(hold);
	eventfd_write(hold->answered, 1);
	return NULL;
}

int fcp_hold_start(struct fcp_hold *hold, struct fcp_error *err)
{
	int errnum = fcp_thread_start(&hold->thread, call_thread, hold);

	if (errnum != 0)
		return fcp_error_set(err, FCP_ERR_MEMORY, errnum, "thread");
	hold->calling = true;
	return 0;
}

/* Once it has answered, which it does last. */
static void join_call(struct fcp_hold *hold)
{
	if (!hold->joined)
		pthread_join(hold->thread, NULL);
	hold->joined = true;
}

static bool is_answered(const struct fcp_hold *hold, uint32_t wait_ms)
{
	return fcp_wait_ns((uint64_t)wait_ms * 1000000, hold->answered);
}

/* Only one event is watched, so anything to read is that event. */
static int wait_for_close(struct fcp_hold *hold, struct fcp_error *err)
{
	const struct fcp_hold_settings *s = &hold->settings;
	fcp_deadline deadline = fcp_deadline_in_ms(s->state_ms);
	struct pollfd fds[] = {{.fd = hold->answered, .events = POLLIN},
			       {.fd = hold->inotify, .events = POLLIN},
			       {.fd = s->cancel_fd, .events = POLLIN}};

	for (;;) {
		int64_t left_ms = fcp_deadline_left_ms(deadline);
		int ready = poll(fds, 3, left_ms > INT_MAX ? INT_MAX : (int)left_ms);

		if (ready < 0 && errno == EINTR)
			continue;
		if (fds[0].revents)
			return 1;
		if (fds[1].revents)
			return 0;
		if (fds[2].revents)
			return fcp_error_set(err, FCP_ERR_INTERRUPTED, 0,
					     "interrupted while Firecracker saved its state");
		return fcp_error_set(err, FCP_ERR_TIMEOUT, 0,
				     "Firecracker has not saved its state within %u ms",
				     (unsigned)s->state_ms);
	}
}

/* The answer to a hold: the pipe cannot be truncated. */
static bool is_hold_answer(const struct fcp_hold *hold)
{
	return hold->created != 0 && hold->answer.error_class == FCP_ERR_SERVER &&
	       strstr(hold->answer.message, "memory backing file");
}

static int answered_too_early(struct fcp_hold *hold, struct fcp_error *err)
{
	join_call(hold);
	if (hold->created == 0 || is_hold_answer(hold))
		return fcp_error_set(
			err, FCP_ERR_UNSUPPORTED, 0,
			"this Firecracker did not wait for a reader of the named pipe");
	*err = hold->answer;
	return -1;
}

int fcp_hold_wait(struct fcp_hold *hold, struct fcp_error *err)
{
	int waited = wait_for_close(hold, err);

	if (waited != 0)
		return waited < 0 ? -1 : answered_too_early(hold, err);
	if (fcp_state_file_check(hold->settings.state_fd, hold->settings.state_name, err) != 0) {
		err->error_class = FCP_ERR_UNSUPPORTED;
		return -1;
	}
	return 0;
}

int fcp_hold_check(struct fcp_hold *hold, struct fcp_error *err)
{
	if (!is_answered(hold, 0))
		return 0;
	join_call(hold);
	return fcp_error_set(err, FCP_ERR_PROTOCOL, 0,
			     "Firecracker continued while its memory was read (%.200s)",
			     hold->created != 0 ? hold->answer.message : "it says that it is done");
}

/* ---- the end ---- */

static int check_create_answer(const struct fcp_hold *hold, struct fcp_error *err)
{
	if (is_hold_answer(hold) && fcp_fifo_had_writer(&hold->fifo))
		return 0;
	if (is_hold_answer(hold))
		return fcp_error_set(
			err, FCP_ERR_PROTOCOL, 0,
			"Firecracker continued before it was released: another process opened the "
			"named pipe, or it does not wait for a reader");
	if (hold->created != 0) {
		*err = hold->answer;
		return fcp_error_wrap(err, "after the hold");
	}
	return fcp_error_set(err, FCP_ERR_PROTOCOL, 0,
			     "after the hold Firecracker says that it wrote the memory file");
}

int fcp_hold_end(struct fcp_hold *hold, struct fcp_error *err)
{
	int result = 0;

	if (hold->calling) {
		/*
		 * The reading end stays open until the answer: Firecracker may not have reached its
		 * open(2) yet.
		 */
		fcp_fifo_open(&hold->fifo);
		if (!is_answered(hold, hold->settings.end_ms))
			eventfd_write(hold->give_up, 1);
		join_call(hold);
		hold->calling = false;
		result = check_create_answer(hold, err);
	}
	fcp_fifo_remove(&hold->fifo);
	return result;
}

void fcp_hold_free(struct fcp_hold *hold)
{
	struct fcp_error ignored;

	if (!hold)
		return;
	fcp_hold_end(hold, &ignored);
	if (hold->inotify >= 0)
		close(hold->inotify);
	if (hold->answered >= 0)
		close(hold->answered);
	if (hold->give_up >= 0)
		close(hold->give_up);
	free(hold);
}
