// SPDX-License-Identifier: Apache-2.0
#include "firecracker/guard_process.h"

#include "base/cleanup.h"
#include "base/fd_link.h"
#include "firecracker/undo_note.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/*
 * The socket by its directory, which stays valid when renamed, and whose path may be longer than a
 * socket address.
 */
static int find_socket(const char *api_sock, struct fcp_guard_job *job, struct fcp_error *err)
{
	const char *slash = strrchr(api_sock, '/');
	const char *name = slash ? slash + 1 : api_sock;
	FCP_CLEANUP(free)
	char *directory = slash ? strndup(api_sock, (size_t)(name - api_sock)) : strdup(".");

	if (!directory)
		return fcp_error_nomem(err);
	if (strlen(name) >= sizeof(job->address.sun_path))
		return fcp_error_set(err, FCP_ERR_USAGE, 0, "%s: the socket's name is too long",
				     api_sock);
	job->address.sun_family = AF_UNIX;
	strcpy(job->address.sun_path, name);
	job->socket_directory = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (job->socket_directory < 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%s", directory);
	return 0;
}

static int fill_in(const struct fcp_guard_settings *settings, struct fcp_guard_job *job,
		   struct fcp_error *err)
{
	job->firecracker = fcp_firecracker_pidfd(settings->firecracker);
	job->firecracker_pid = fcp_firecracker_pid(settings->firecracker);
	job->fifo_directory = settings->fifo_directory;
	if (settings->lock && settings->lock->fd >= 0) {
		job->lock = settings->lock->fd;
		job->lock_directory = settings->lock->directory;
		snprintf(job->lock_name, sizeof(job->lock_name), "%s", settings->lock->name);
	}
	if (job->fifo_directory >= 0 &&
	    (size_t)snprintf(job->fifo_name, sizeof(job->fifo_name), "%s", settings->fifo_name) >=
		    sizeof(job->fifo_name))
		return fcp_error_set(err, FCP_ERR_USAGE, 0, "%s: the FIFO's name is too long",
				     settings->fifo_name);
	return find_socket(settings->api_sock, job, err);
}

/*
 * Raw clone(2): fork(3) would run pthread_atfork() handlers, and SIGCHLD would reach a caller that
 * knows of no child. Signals are blocked in the child from its first instruction.
 */
static int fork_guard(const struct fcp_guard_job *job, int *pidfd_)
{
	sigset_t all, before;
	int pidfd = -1;
	long pid;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = syscall(SYS_clone, CLONE_PIDFD, NULL, &pidfd, NULL, NULL);
	if (pid == 0)
		fcp_guard_process(job);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (pid < 0)
		return -1;
	*pidfd_ = pidfd;
	return 0;
}

/* For the note only: the guard uses the directory's descriptor. */
static void find_fifo(const struct fcp_guard_settings *settings, char *path_, size_t bytes)
{
	char directory[256];

	fcp_fd_path(settings->fifo_directory, directory, sizeof(directory));
	if (!directory[0] ||
	    (size_t)snprintf(path_, bytes, "%s/%s", directory, settings->fifo_name) >= bytes)
		path_[0] = '\0';
}

int fcp_guard_start(const struct fcp_guard_settings *settings, struct fcp_guard *guard_,
		    struct fcp_error *err)
{
	struct fcp_guard_job job = {.channel = -1,
				    .socket_directory = -1,
				    .lock = -1,
				    .lock_directory = -1};
	int channel[2], pidfd, forked;

	if (fill_in(settings, &job, err) != 0)
		return -1;
	/* Not a pipe: writing to one without a reader raises SIGPIPE. */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) != 0) {
		fcp_error_set(err, FCP_ERR_IO, errno, "the guard process");
		close(job.socket_directory);
		return -1;
	}
	job.channel = channel[1];
	job.parent = (int)syscall(SYS_pidfd_open, getpid(), 0);
	forked = fork_guard(&job, &pidfd);
	if (forked != 0)
		fcp_error_set(err, FCP_ERR_IO, errno, "the guard process");
	close(channel[1]);
	close(job.socket_directory);
	if (job.parent >= 0)
		close(job.parent);
	if (forked != 0) {
		close(channel[0]);
		return -1;
	}
	*guard_ = (struct fcp_guard){channel[0], pidfd, settings->lock, ""};
	if (settings->fifo_directory >= 0)
		find_fifo(settings, guard_->fifo, sizeof(guard_->fifo));
	return 0;
}

static int send_undo(const struct fcp_guard *guard, unsigned undo)
{
	unsigned char message = (unsigned char)undo;
	ssize_t sent;

	do
		sent = send(guard->channel, &message, 1, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent == 1 ? 0 : -1;
}

int fcp_guard_set(struct fcp_guard *guard, unsigned undo, struct fcp_error *err)
{
	char note[FCP_LOCK_NOTE_BYTES];

	if (guard->channel < 0)
		return 0;
	/* Without a lock file only the guard knows. */
	if (guard->lock)
		fcp_lock_note(guard->lock, fcp_undo_note_write(undo, guard->fifo, note));
	if (send_undo(guard, undo) != 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "the guard process has ended");
	return 0;
}

void fcp_guard_end(struct fcp_guard *guard)
{
	struct fcp_error it_has_ended;
	siginfo_t status;

	if (guard->channel < 0)
		return;
	fcp_guard_set(guard, 0, &it_has_ended);
	close(guard->channel);
	/* __WALL: for a child without SIGCHLD. */
	while (waitid(P_PIDFD, (id_t)guard->pidfd, &status, WEXITED | __WALL) != 0 &&
	       errno == EINTR)
		continue;
	close(guard->pidfd);
	*guard = (struct fcp_guard)FCP_GUARD_NONE;
}
