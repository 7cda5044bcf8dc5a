// SPDX-License-Identifier: Apache-2.0
#include "firecracker/recover.h"

#include "base/cleanup.h"
#include "firecracker/guard.h"
#include "firecracker/hinting.h"
#include "firecracker/undo_note.h"
#include "firecracker/vm.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* Held open until Firecracker answers: it may reach its open(2) later. */
static int open_left_fifo(const char *path)
{
	const int flags = O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC;
	FCP_CLEANUP(fd) int fd = path[0] ? open(path, flags) : -1;
	struct stat status;

	if (fd < 0 || fstat(fd, &status) != 0 || !S_ISFIFO(status.st_mode))
		return -1;
	return fcp_steal_fd(&fd);
}

static int stop_left_hinting(struct fcp_firecracker *firecracker, struct fcp_error *err)
{
	if (fcp_hinting_stop(firecracker, err) == 0 || err->error_class == FCP_ERR_SERVER)
		return 0; /* refused: it no longer has a balloon */
	return -1;
}

static int undo_left(struct fcp_firecracker *firecracker, unsigned what, bool *resumed_,
		     struct fcp_error *err)
{
	struct fcp_instance instance;

	*resumed_ = false;
	if (fcp_vm_instance(firecracker, &instance, err) != 0 ||
	    ((what & FCP_UNDO_HINTING) && stop_left_hinting(firecracker, err) != 0))
		return -1;
	if (!(what & FCP_UNDO_PAUSE) || instance.state != FCP_VM_PAUSED)
		return 0;
	*resumed_ = true;
	return fcp_vm_resume(firecracker, err);
}

/* Prepended to the warning that the lock may have. */
static void describe_recovery(struct fcp_lock *lock, bool resumed, bool hinting, bool fifo)
{
	char own[sizeof(lock->warning)];

	memcpy(own, lock->warning, sizeof(own));
	snprintf(lock->warning, sizeof(lock->warning),
		 "a killed fcpause had left %s%s%s%s%s: undone%s%.100s",
		 resumed ? "the VM paused" : "", resumed && (hinting || fifo) ? ", " : "",
		 hinting ? "a hinting run open" : "", hinting && fifo ? ", " : "",
		 fifo ? "Firecracker waiting at a named pipe" : "", own[0] ? "; " : "", own);
}

int fcp_firecracker_recover(struct fcp_firecracker *firecracker, struct fcp_lock *lock,
			    struct fcp_error *err)
{
	const char *path;
	unsigned what = fcp_undo_note_read(lock->left, &path);
	FCP_CLEANUP(fd) int fifo = open_left_fifo(path);
	bool resumed = false;

	if (what != 0 && undo_left(firecracker, what, &resumed, err) != 0)
		return fcp_error_wrap(err, "what a killed run left cannot be undone");
	if (fifo >= 0)
		unlink(path);
	if (lock->left[0])
		fcp_lock_note(lock, "");
	if (resumed || (what & FCP_UNDO_HINTING) || fifo >= 0)
		describe_recovery(lock, resumed, what & FCP_UNDO_HINTING, fifo >= 0);
	return 0;
}
