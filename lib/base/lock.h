// SPDX-License-Identifier: Apache-2.0
/*
 * Locks between runs of fcpause: flock(2) on files, so that runs in other network and mount namespaces
 * and in containers see them too. A lock goes with the process that holds it, however that ends. A
 * lock file has an owner and a mode that no other user can give to a file of theirs, and its inode is
 * compared with its name once it is locked: a file that was removed or replaced meanwhile locks nothing.
 */
#ifndef FCP_BASE_LOCK_H
#define FCP_BASE_LOCK_H

#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/error.h"

/* Until when a lock that is busy is asked for again; a deadline that has passed: not at all. */
struct fcp_lock_wait {
	fcp_deadline deadline;
	int cancel_fd; /* or -1 */
};

static inline struct fcp_lock_wait fcp_lock_wait_for(uint32_t wait_ms, int cancel_fd)
{
	return (struct fcp_lock_wait){fcp_deadline_in_ms(wait_ms), cancel_fd};
}

#define FCP_LOCK_NOTE_BYTES 512

/* One VM's lock; its members are lock.c's, but for left and warning. */
struct fcp_lock {
	int fd;	       /* the lock file, locked; -1: not taken */
	int directory; /* where its name is; -1: not taken */
	char *name;    /* within the directory; owned */
	char vm[96];   /* which socket the notes are about */
	char note[FCP_LOCK_NOTE_BYTES];
	/* What a holder that was killed had noted about this VM and never settled; "": nothing. */
	char left[FCP_LOCK_NOTE_BYTES];
	/* "", or what the run should tell: why the lock keeps only some runs off, or none; what was left
	 * and is put right. */
	char warning[256];
};

#define FCP_LOCK_NONE                     \
	{                                 \
		.fd = -1, .directory = -1 \
	}

/*
 * Takes the lock of the VM behind an API socket: the file NAME.fcpause-lock beside it, 0600. A file
 * of that name that another user may have made (another owner than root and us, other modes, more
 * links, no regular file) is removed, or FCP_ERR_INPUT names it where we cannot. Where the directory
 * cannot be written the file is in /tmp, and *lock_->warning says so. 0 without a lock when there is
 * no such socket: the first request says that better.
 * FCP_ERR_LOCKED: another run holds it; the message names its process. The guard of a run that was
 * killed is waited for, up to 5 s. FCP_ERR_INTERRUPTED, FCP_ERR_IO,
 * FCP_ERR_MEMORY. A process that is forked while the lock is held keeps it until both let go.
 */
int fcp_lock_vm(const char *api_sock, const struct fcp_lock_wait *wait, struct fcp_lock *lock_,
		struct fcp_error *err);

/*
 * Writes down what the holder has done to the VM and must undo ("paused", "hinting"), a line, for the
 * run that comes when this process is killed: it finds it in fcp_lock.left. It replaces the note
 * before, and also what was left; "" when the VM needs nothing any more. False when it could not be
 * written.
 */
bool fcp_lock_note(struct fcp_lock *lock, const char *note);

/*
 * Lets go. The file is removed while it is still held, unless something is noted or left in it: then
 * it stays for the next run. Safe on FCP_LOCK_NONE.
 */
void fcp_lock_release(struct fcp_lock *lock);

static inline void fcp_cleanup_lock(struct fcp_lock *lock)
{
	fcp_lock_release(lock);
}

/*
 * Locks an open file, waiting as said, and compares it with the name in directory that it was opened
 * by. *same_: it is what the name leads to; else it is not locked, and is to be opened again.
 * FCP_ERR_LOCKED "WHAT: another fcpause works on it" with the process where the kernel shows it,
 * FCP_ERR_INTERRUPTED, FCP_ERR_IO (ENOLCK: a file system without locks).
 */
struct fcp_lock_file {
	int fd, directory;
	const char *name;
	const char *what; /* for messages */
};
int fcp_lock_file(const struct fcp_lock_file *file, const struct fcp_lock_wait *wait, bool *same_,
		  struct fcp_error *err);

#endif
