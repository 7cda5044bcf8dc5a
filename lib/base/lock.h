// SPDX-License-Identifier: Apache-2.0
/*
 * Locks between runs of fcpause: flock(2) on files, so that runs in other network and mount
 * namespaces and in containers see them too. The kernel drops a lock when its holder ends, in
 * whatever way. A lock file has an owner and a mode that no other user can give a file, and once it
 * is locked its inode is compared with its name: a file that was removed or replaced locks nothing.
 */
#ifndef FCP_BASE_LOCK_H
#define FCP_BASE_LOCK_H

#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/observer.h"

/* How long to wait for a busy lock; a deadline in the past: not at all. */
struct fcp_lock_wait {
	fcp_deadline deadline;
	int cancel_fd; /* or -1 */
	/* Is told of the phase "lock" of the step, if there is something to wait for; or NULL. */
	const struct fcp_observer *observer;
	const char *step;
};

static inline struct fcp_lock_wait fcp_lock_wait_for(uint32_t wait_ms, int cancel_fd,
						     const struct fcp_observer *observer,
						     const char *step)
{
	return (struct fcp_lock_wait){.deadline = fcp_deadline_in_ms(wait_ms),
				      .cancel_fd = cancel_fd,
				      .observer = observer,
				      .step = step};
}

#define FCP_LOCK_NOTE_BYTES 512

/* The lock of one VM. Its members are private to lock.c, except left and warning. */
struct fcp_lock {
	int fd;	       /* the lock file, locked; -1: not taken */
	int directory; /* that holds it; -1: not taken */
	char *name;    /* in the directory; owned */
	char vm[96];   /* the socket that the notes are about */
	char note[FCP_LOCK_NOTE_BYTES];
	/* The note of a holder that was killed before it undid what it had done; "": none. */
	char left[FCP_LOCK_NOTE_BYTES];
	/*
	 * For the result: why the lock excludes only some runs, or none; what a killed run had left
	 * and was undone. "" for neither.
	 */
	char warning[256];
};

#define FCP_LOCK_NONE                     \
	{                                 \
		.fd = -1, .directory = -1 \
	}

/*
 * Locks the VM behind an API socket: the file NAME.fcpause-lock beside it, mode 0600. A file of
 * that name that another user may have created (an owner other than root and us, another mode, more
 * links, not a regular file) is removed; if that is not possible, FCP_ERR_INPUT names it. If the
 * directory is not writable the file is in /tmp, and lock_->warning says so. Without such a socket
 * it returns 0 and no lock: the first request will give the better error.
 * FCP_ERR_LOCKED: another run holds it; the message names its process. The guard of a killed run is
 * waited for, up to 5 s. FCP_ERR_INTERRUPTED, FCP_ERR_IO, FCP_ERR_MEMORY. A process forked while
 * the lock is held keeps it until both release it.
 */
int fcp_lock_vm(const char *api_sock, const struct fcp_lock_wait *wait, struct fcp_lock *lock_,
		struct fcp_error *err);

/*
 * Records, in one line, what the holder has done to the VM and must undo ("paused", "hinting"), in
 * case this process is killed: the next run finds it in fcp_lock.left. Replaces the previous note
 * and anything left; "" when nothing is to be undone. Returns false if it could not be written.
 */
bool fcp_lock_note(struct fcp_lock *lock, const char *note);

/*
 * Releases the lock. The file is removed first, unless it holds a note: then it stays for the next
 * run. Safe on FCP_LOCK_NONE.
 */
void fcp_lock_release(struct fcp_lock *lock);

static inline void fcp_cleanup_lock(struct fcp_lock *lock)
{
	fcp_lock_release(lock);
}

/*
 * Locks an open file, waiting up to the deadline, and compares it with the name in directory by
 * which it was opened. *same_ is false if that name is another file by now: then it is not locked
 * and must be opened again. FCP_ERR_LOCKED "WHAT: another fcpause is using it", with the process if
 * the kernel shows it; FCP_ERR_INTERRUPTED; FCP_ERR_IO (ENOLCK: the file system has no locks).
 */
struct fcp_lock_file {
	int fd, directory;
	const char *name;
	const char *what; /* for messages */
};
int fcp_lock_file(const struct fcp_lock_file *file, const struct fcp_lock_wait *wait, bool *same_,
		  struct fcp_error *err);

#endif
