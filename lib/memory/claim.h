// SPDX-License-Identifier: Apache-2.0
/*
 * Keeps others from using a memory file while pages are removed from it, by two locks and a scan of
 * /proc:
 *  - flock(2), against another fcpause;
 *  - a write lease (memory/lease.h). The kernel grants it only if nobody else on this host has the
 *    file open or mapped, in any namespace and with any permissions, and makes those who open it
 *    later wait until we give way. So the file cannot change between scan and release;
 *  - /proc, if the lease is refused (it shows who uses the file) or not available: not the file's
 *    owner, a network file system, overlayfs.
 */
#ifndef FCP_MEMORY_CLAIM_H
#define FCP_MEMORY_CLAIM_H

#include "base/error.h"

#include <pthread.h>

struct fcp_claim {
	int fd;
	bool leased;
	/* Held for reading during a change, for writing to give up the lease. */
	pthread_rwlock_t lock;
	bool lost;
	uint64_t break_ns; /* how long an opener waits before the kernel ends the lease by force */
	int marker_fd;	   /* memory/claim_marker.h, while it is leased; or -1 */
	char doubt[160];   /* "": certainly nobody else uses it; else why that is unknown */
};

enum fcp_claim_kind {
	FCP_CLAIM_READ,	 /* reads only, beside other readers; does not check who uses it */
	FCP_CLAIM_WRITE, /* removes pages from it */
};

/*
 * Claims the open file fd, which is borrowed and must be this process's only descriptor of the
 * file: opening it again while it is claimed would block on our own lease, up to 45 s
 * (/proc/sys/fs/lease-break-time). Open it with O_NONBLOCK: then a file that another process has
 * claimed fails with EWOULDBLOCK instead of blocking. Copies of fd in processes forked from this
 * one that have not called execve(2) do not count.
 * FCP_ERR_BUSY names the holder; FCP_ERR_LOCKED: another fcpause. *claim_ is set in any case;
 * release it with fcp_claim_release().
 */
int fcp_claim_take(int fd, const char *name, enum fcp_claim_kind kind, struct fcp_claim *claim_,
		   struct fcp_error *err);

/*
 * Has another fcpause claimed the file behind path_fd (O_PATH)? Ask before opening it: the attempt
 * alone would end that claim. Answered by the marker (memory/claim_marker.h). Returns false when in
 * doubt: then the lease keeps the two apart, and both may fail.
 */
bool fcp_claim_is_held(int path_fd);

/*
 * Has anybody tried to open the file since? One cheap system call. They block in open(2) until we
 * ask; then the claim gives way to them, since a VM's restore, say, is worth more than the pages
 * still to be released, but not before a change begun by another thread is complete. A lost claim
 * stays lost: those who opened the file may have changed it. Any thread may ask.
 */
bool fcp_claim_lost(struct fcp_claim *claim);

/* What happened to the claim during a change. */
enum fcp_claim_end {
	FCP_CLAIM_KEPT,
	FCP_CLAIM_WANTED, /* somebody waits for the file, and the change was completed before */
	FCP_CLAIM_BROKEN, /* they may have opened it: what they wrote may be lost */
};

struct fcp_claim_change {
	uint64_t since_ns;
};

/*
 * Call these around each change of the file, which must be small: others wait for its end. _begin
 * returns false if the claim is lost: nothing may be changed then, and _end not called. During the
 * change no thread gives up the claim; _end tells if the kernel has ended it nevertheless (this
 * process was stopped for longer than an opener waits).
 */
bool fcp_claim_change_begin(struct fcp_claim *claim, struct fcp_claim_change *change_);
enum fcp_claim_end fcp_claim_change_end(struct fcp_claim *claim,
					const struct fcp_claim_change *change);

/*
 * Without a lease: checks again, after the last change, if anybody uses the file. FCP_ERR_BUSY
 * names them.
 */
int fcp_claim_check_end(struct fcp_claim *claim, const char *name, struct fcp_error *err);

/* Ends the claim. Closing the descriptor would end it too. */
void fcp_claim_release(struct fcp_claim *claim);

#endif
