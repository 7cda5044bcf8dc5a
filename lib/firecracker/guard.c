// SPDX-License-Identifier: Apache-2.0
#include "firecracker/guard_process.h"

#include "base/cleanup.h"
#include "base/fd_link.h"
#include "firecracker/undo_note.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

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
	struct fcp_guard_job job = {.socket_directory = -1, .lock = -1, .lock_directory = -1};
	struct fcp_guard guard = {.process = FCP_GUARDIAN_NONE, .lock = settings->lock};
	int started;

	if (fill_in(settings, &job, err) != 0)
		return -1;
	started = fcp_guardian_start(&(struct fcp_guardian_duty){"fcpause-guard",
								 fcp_guard_put_back,
								 &job,
								 {job.firecracker,
								  job.socket_directory,
								  job.fifo_directory, job.lock,
								  job.lock_directory}},
				     &guard.process, err);
	close(job.socket_directory);
	if (started != 0)
		return -1;
	if (settings->fifo_directory >= 0)
		find_fifo(settings, guard.fifo, sizeof(guard.fifo));
	*guard_ = guard;
	return 0;
}

int fcp_guard_set(struct fcp_guard *guard, unsigned undo, struct fcp_error *err)
{
	char note[FCP_LOCK_NOTE_BYTES];

	if (guard->process.channel < 0)
		return 0;
	/* Without a lock file only the guard knows. */
	if (guard->lock)
		fcp_lock_note(guard->lock, fcp_undo_note_write(undo, guard->fifo, note));
	return fcp_guardian_set(&guard->process, undo, err);
}

void fcp_guard_end(struct fcp_guard *guard)
{
	struct fcp_error it_has_ended;

	fcp_guard_set(guard, 0, &it_has_ended);
	fcp_guardian_end(&guard->process);
	*guard = (struct fcp_guard)FCP_GUARD_NONE;
}
