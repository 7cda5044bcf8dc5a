// SPDX-License-Identifier: Apache-2.0
#include "firecracker/guard_process.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define UNDO_MS (60 * 60 * 1000) /* Firecracker may first write a large snapshot to a slow disk */
#define REFUSED_MS 5000		 /* after which a refusal is final */
#define ANSWER_MS 60000		 /* after which a request is repeated */
#define RETRY_NS UINT64_C(20000000)

#define HEAD " HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n"

static const char resume[] =
	"PATCH /vm" HEAD "Content-Type: application/json\r\nContent-Length: 19\r\n\r\n"
	"{\"state\":\"Resumed\"}";
static const char stop_hinting[] = "PATCH /balloon/hinting/stop" HEAD "\r\n";
/* Answered once Firecracker has finished the snapshot whose memory went to the FIFO. */
static const char get_instance[] = "GET /" HEAD "\r\n";

static const char accepted[] = "HTTP/1.1 2";

static bool firecracker_ended(const struct fcp_guard_job *job)
{
	return job->firecracker >= 0 && fcp_wait_ns(0, job->firecracker);
}

/* ---- requests to Firecracker ---- */

/* The same process, not another that serves the socket's name by now. */
static bool is_firecracker(const struct fcp_guard_job *job, int fd)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	return job->firecracker_pid == 0 ||
	       (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
		peer.pid == job->firecracker_pid);
}

enum answer {
	ACCEPTED,
	REFUSED, /* or not reached */
	NOT_IN_TIME,
};

static enum answer read_answer(const struct fcp_guard_job *job, int fd)
{
	struct pollfd fds[] = {{fd, POLLIN, 0}, {job->firecracker, POLLIN, 0}};
	fcp_deadline deadline = fcp_deadline_in_ms(ANSWER_MS);
	char status[sizeof(accepted) - 1];
	size_t have = 0;

	while (have < sizeof(status)) {
		int64_t left_ms = fcp_deadline_left_ms(deadline);
		ssize_t got;

		if (left_ms == 0 || poll(fds, 2, (int)left_ms) < 0)
			return NOT_IN_TIME;
		got = recv(fd, status + have, sizeof(status) - have, MSG_DONTWAIT);
		if (got == 0 || (got < 0 && (errno != EAGAIN || fds[1].revents != 0)))
			return REFUSED;
		have += got > 0 ? (size_t)got : 0;
	}
	return memcmp(status, accepted, sizeof(status)) == 0 ? ACCEPTED : REFUSED;
}

static enum answer send_request(const struct fcp_guard_job *job, const char *request)
{
	FCP_CLEANUP(fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	size_t length = strlen(request);

	/* By its name in its directory: the path may be longer than a socket address. */
	if (fd < 0 || fchdir(job->socket_directory) != 0 ||
	    connect(fd, (const struct sockaddr *)&job->address, sizeof(job->address)) != 0 ||
	    !is_firecracker(job, fd) || send(fd, request, length, MSG_NOSIGNAL) != (ssize_t)length)
		return REFUSED;
	return read_answer(job, fd);
}

/* ---- undoing ---- */

/*
 * -1 without a FIFO. Opened for both directions: a writer blocked in open(2) proceeds, and so does
 * one that comes later.
 */
static int open_guarded_fifo(const struct fcp_guard_job *job)
{
	int fd = openat(job->fifo_directory, job->fifo_name,
			O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
	struct stat status;

	if (fd >= 0 && (fstat(fd, &status) != 0 || !S_ISFIFO(status.st_mode))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Returns true if it was refused. */
static bool undo_one(const struct fcp_guard_job *job, const char *request, unsigned what,
		     unsigned *undo)
{
	enum answer answer = *undo & what ? send_request(job, request) : NOT_IN_TIME;

	if (answer == ACCEPTED)
		*undo &= ~what;
	return answer == REFUSED;
}

/* What is refused for a while is given up. A snapshot in progress delays answers. */
static unsigned undo_all(const struct fcp_guard_job *job, unsigned undo)
{
	fcp_deadline deadline = fcp_deadline_in_ms(UNDO_MS);
	bool refused = false;

	while (undo != 0 && !firecracker_ended(job) && !fcp_deadline_passed(deadline)) {
		bool once = undo_one(job, get_instance, FCP_UNDO_FIFO, &undo);

		once |= undo_one(job, stop_hinting, FCP_UNDO_HINTING, &undo);
		once |= undo_one(job, resume, FCP_UNDO_PAUSE, &undo);
		if (once && !refused)
			deadline = fcp_deadline_min(deadline, fcp_deadline_in_ms(REFUSED_MS));
		refused |= once;
		if (undo != 0)
			fcp_wait_ns(RETRY_NS, job->firecracker);
	}
	return undo;
}

/* Firecracker would create a file of that name if it came there later. */
void fcp_guard_put_back(const void *arg, unsigned undo)
{
	const struct fcp_guard_job *job = arg;
	int fifo = undo & FCP_UNDO_FIFO ? open_guarded_fifo(job) : -1;
	unsigned left = undo_all(job, undo);

	if (fifo >= 0 && (!(left & FCP_UNDO_FIFO) || firecracker_ended(job)))
		unlinkat(job->fifo_directory, job->fifo_name, 0);
	/* Its note included, while it is held. */
	if (job->lock >= 0 && undo != 0 && (left == 0 || firecracker_ended(job)))
		unlinkat(job->lock_directory, job->lock_name, 0);
}
