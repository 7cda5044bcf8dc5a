// SPDX-License-Identifier: Apache-2.0
#include "firecracker/fifo.h"

#include "base/fd_link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_made(struct fcp_fifo *fifo, struct fcp_error *err)
{
	struct stat made;

	fifo->fd = openat(fifo->directory, fifo->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fifo->fd < 0 || fstat(fifo->fd, &made) != 0)
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, errno, "the named pipe %s",
				     fifo->name);
	if (!S_ISFIFO(made.st_mode) || made.st_uid != geteuid() || made.st_nlink != 1)
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0,
				     "somebody has replaced the named pipe %s", fifo->name);
	return 0;
}

static int give_fifo_to(const struct fcp_fifo *fifo, uid_t uid, gid_t gid, struct fcp_error *err)
{
	if (uid == geteuid() || fchownat(fifo->fd, "", uid, gid, AT_EMPTY_PATH) == 0)
		return 0;
	return fcp_error_set(err, FCP_ERR_UNSUPPORTED, errno,
			     "user %u could not open the named pipe %s", (unsigned)uid, fifo->name);
}

/* A pipe of that name has no other use, so its owner does not matter. */
static void remove_named(int directory, const char *name)
{
	struct stat named;

	if (fstatat(directory, name, &named, AT_SYMLINK_NOFOLLOW) == 0 && S_ISFIFO(named.st_mode))
		unlinkat(directory, name, 0);
}

int fcp_fifo_make(int directory, const char *name, uid_t uid, gid_t gid, struct fcp_fifo *fifo_,
		  struct fcp_error *err)
{
	*fifo_ = (struct fcp_fifo)FCP_FIFO_NONE;
	remove_named(directory, name);
	if (mkfifoat(directory, name, 0600) != 0)
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, errno,
				     "cannot make the named pipe %s", name);
	fifo_->directory = directory;
	fifo_->name = name;
	if (open_made(fifo_, err) == 0)
		return give_fifo_to(fifo_, uid, gid, err);
	if (fifo_->fd < 0)
		remove_named(directory, name);
	return -1;
}

bool fcp_fifo_had_writer(const struct fcp_fifo *fifo)
{
	struct pollfd fd = {.fd = fifo->reader, .events = POLLIN};

	return fifo->reader >= 0 && poll(&fd, 1, 0) > 0 && (fd.revents & POLLHUP);
}

/* Without /proc it is opened by name: otherwise Firecracker would block for ever. */
void fcp_fifo_open(struct fcp_fifo *fifo)
{
	const int flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC;
	char link[FCP_FD_LINK_BYTES];

	if (fifo->reader < 0)
		fifo->reader = open(fcp_fd_link(fifo->fd, link), flags);
	if (fifo->reader < 0 && fcp_fd_has_name(fifo->fd, fifo->directory, fifo->name))
		fifo->reader = openat(fifo->directory, fifo->name, flags | O_NOFOLLOW);
}

void fcp_fifo_remove(struct fcp_fifo *fifo)
{
	if (fifo->fd >= 0) {
		if (fcp_fd_has_name(fifo->fd, fifo->directory, fifo->name))
			unlinkat(fifo->directory, fifo->name, 0);
		close(fifo->fd);
	}
	if (fifo->reader >= 0)
		close(fifo->reader);
	*fifo = (struct fcp_fifo)FCP_FIFO_NONE;
}
