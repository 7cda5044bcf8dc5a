// SPDX-License-Identifier: Apache-2.0
#include "base/guardian.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct ends {
	int channel; /* a byte of what to undo at each change; EOF when the parent ends */
	int parent;  /* pidfd, since a child of the parent can keep the channel open; -1 */
};

/* ---- in the process ---- */

static void close_range_of(unsigned first, unsigned last)
{
	struct rlimit limit;

	if (first > last || syscall(SYS_close_range, first, last, 0) == 0)
		return;
	/* Before Linux 5.9. */
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && last > limit.rlim_cur)
		last = (unsigned)limit.rlim_cur;
	for (unsigned fd = first; fd <= last; fd++)
		close((int)fd);
}

/* The lowest of the descriptors that are kept, from that one on; UINT_MAX: none. */
static unsigned next_kept(const struct fcp_guardian_duty *duty, const struct ends *ends,
			  unsigned from)
{
	const int own[] = {ends->channel, ends->parent};
	unsigned next = ~0U;

	for (size_t i = 0; i < 2 + FCP_GUARDIAN_FDS; i++) {
		int fd = i < 2 ? own[i] : duty->fds[i - 2];

		if (fd >= 0 && (unsigned)fd >= from && (unsigned)fd < next)
			next = (unsigned)fd;
	}
	return next;
}

/* What we kept open would keep others waiting: a pipe behind stdout, a lock. */
static void close_others(const struct fcp_guardian_duty *duty, const struct ends *ends)
{
	unsigned from = 0, next;

	while ((next = next_kept(duty, ends, from)) != ~0U) {
		if (next > from)
			close_range_of(from, next - 1);
		from = next + 1;
	}
	close_range_of(from, ~0U);
}

/* What to undo, once the parent has ended. */
static unsigned wait_for_parent(const struct ends *ends)
{
	struct pollfd fds[] = {{ends->channel, POLLIN, 0}, {ends->parent, POLLIN, 0}};
	unsigned undo = 0;

	for (;;) {
		unsigned char message;
		ssize_t got;

		poll(fds, 2, -1);
		got = recv(ends->channel, &message, 1, MSG_DONTWAIT);
		if (got == 1)
			undo = message;
		else if (got == 0 || fds[1].revents != 0 || errno != EAGAIN)
			return undo;
	}
}

/* Not exit(3): the stdio buffers and exit handlers are the parent's. */
static _Noreturn void keep_watch(const struct fcp_guardian_duty *duty, const struct ends *ends)
{
	setsid();
	prctl(PR_SET_NAME, duty->name);
	close_others(duty, ends);
	duty->put_back(duty->job, wait_for_parent(ends));
	for (;;)
		syscall(SYS_exit_group, 0);
}

/* ---- in ours ---- */

/*
 * Raw clone(2): fork(3) would run pthread_atfork() handlers, and SIGCHLD would reach a caller that
 * knows of no child. Signals are blocked in the child from its first instruction.
 */
static int fork_guardian(const struct fcp_guardian_duty *duty, const struct ends *ends, int *pidfd_)
{
	sigset_t all, before;
	int pidfd = -1;
	long pid;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = syscall(SYS_clone, CLONE_PIDFD, NULL, &pidfd, NULL, NULL);
	if (pid == 0)
		keep_watch(duty, ends);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (pid < 0)
		return -1;
	*pidfd_ = pidfd;
	return 0;
}

int fcp_guardian_start(const struct fcp_guardian_duty *duty, struct fcp_guardian *guardian_,
		       struct fcp_error *err)
{
	struct ends ends;
	int channel[2], pidfd, forked;

	/* Not a pipe: writing to one without a reader raises SIGPIPE. */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) != 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "the guard process");
	ends = (struct ends){channel[1], (int)syscall(SYS_pidfd_open, getpid(), 0)};
	forked = fork_guardian(duty, &ends, &pidfd);
	if (forked != 0)
		fcp_error_set(err, FCP_ERR_IO, errno, "the guard process");
	close(channel[1]);
	if (ends.parent >= 0)
		close(ends.parent);
	if (forked != 0) {
		close(channel[0]);
		return -1;
	}
	*guardian_ = (struct fcp_guardian){channel[0], pidfd};
	return 0;
}

int fcp_guardian_set(const struct fcp_guardian *guardian, unsigned undo, struct fcp_error *err)
{
	unsigned char message = (unsigned char)undo;
	ssize_t sent;

	if (guardian->channel < 0)
		return 0;
	do
		sent = send(guardian->channel, &message, 1, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent == 1)
		return 0;
	return fcp_error_set(err, FCP_ERR_IO, errno, "the guard process has ended");
}

void fcp_guardian_end(struct fcp_guardian *guardian)
{
	struct fcp_error it_has_ended;
	siginfo_t status;

	if (guardian->channel < 0)
		return;
	fcp_guardian_set(guardian, 0, &it_has_ended);
	close(guardian->channel);
	/* __WALL: for a child without SIGCHLD. */
	while (waitid(P_PIDFD, (id_t)guardian->pidfd, &status, WEXITED | __WALL) != 0 &&
	       errno == EINTR)
		continue;
	close(guardian->pidfd);
	*guardian = (struct fcp_guardian)FCP_GUARDIAN_NONE;
}
