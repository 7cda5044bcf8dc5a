// SPDX-License-Identifier: Apache-2.0
/*
 * Nobody else may use a memory file while pages are taken out of it. Two locks, and a look at /proc:
 *  - flock(2): against another fcpause;
 *  - a write lease (memory/lease.h): the kernel grants it only when nobody else on this host has the
 *    file open or mapped, whatever namespace or permissions they have, and makes those who open it
 *    later wait until we give way. So between scan and release the file cannot change;
 *  - /proc, where the lease is refused (it says who) or cannot be had: not the file's owner, a
 *    network file system, overlayfs.
 */
#ifndef FCP_MEMORY_CLAIM_H
#define FCP_MEMORY_CLAIM_H

#include "base/error.h"

#include <pthread.h>

struct fcp_claim {
	int fd;
	bool leased;
	/* For reading while a change is under way, for writing when the lease is given up. */
	pthread_rwlock_t lock;
	bool lost;
	uint64_t break_ns; /* how long an opener waits before the kernel ends the lease by force */
	int marker_fd;	   /* memory/claim_marker.h, while it is leased; or -1 */
	char doubt[160];   /* "": nobody else uses it, for sure; else why that cannot be known */
};

enum fcp_claim_kind {
	FCP_CLAIM_READ,	 /* only reads, beside other readers; does not look who uses it */
	FCP_CLAIM_WRITE, /* takes pages out of it */
};

/*
 * Claims the open file fd, which is borrowed and must be the only one that this process has of the
 * file: opening it again while it is claimed would wait for ourselves, up to 45 s
 * (/proc/sys/fs/lease-break-time). Open it with O_NONBLOCK: then a file that another has claimed
 * fails with EWOULDBLOCK instead of waiting. A copy of fd in a process that was forked from this one
 * and has not run another program is no other's.
 * FCP_ERR_BUSY names the holder; FCP_ERR_LOCKED: another fcpause. *claim_ is set in any case;
 * fcp_claim_release() it.
 */
int fcp_claim_take(int fd, const char *name, enum fcp_claim_kind kind, struct fcp_claim *claim_,
		   struct fcp_error *err);

/*
 * Has another fcpause claimed the file behind path_fd (O_PATH)? To be asked before it is opened: the
 * attempt alone would end that claim. Answered by the marker (memory/claim_marker.h); false when in doubt:
 * then the lease keeps the two apart, and neither may win.
 */
bool fcp_claim_is_held(int path_fd);

/*
 * Has somebody tried to open the file since? One cheap system call. They wait in open(2) until we
 * ask: then the claim gives way to them, a VM's restore perhaps, which is worth more than what is
 * left to release; not before a change that another thread has begun is done. Once lost, it stays so:
 * who opened the file may have changed it. Any thread may ask.
 */
bool fcp_claim_lost(struct fcp_claim *claim);

/* What became of the claim during a change. */
enum fcp_claim_end {
	FCP_CLAIM_KEPT,
	FCP_CLAIM_WANTED, /* somebody waits for the file, and had not got it: the change was ours */
	FCP_CLAIM_BROKEN, /* it took so long that they may have got it: what they wrote may be lost */
};

struct fcp_claim_change {
	uint64_t since_ns;
};

/*
 * Around each change of the file, which must be small: others wait for its end. false: the claim is
 * lost, and nothing may be changed (_end is not called then). While the change is under way no thread
 * gives the claim up; that the kernel has ended it all the same (this process was stopped for longer
 * than an opener waits) is what _end says.
 */
bool fcp_claim_change_begin(struct fcp_claim *claim, struct fcp_claim_change *change_);
enum fcp_claim_end fcp_claim_change_end(struct fcp_claim *claim,
					const struct fcp_claim_change *change);

/*
 * Asked once more after the last change where there is no lease: does anybody use the file now?
 * FCP_ERR_BUSY names them.
 */
int fcp_claim_check_end(struct fcp_claim *claim, const char *name, struct fcp_error *err);

/* Ends the claim before the descriptor is closed, which would end it too. */
void fcp_claim_release(struct fcp_claim *claim);

#endif
