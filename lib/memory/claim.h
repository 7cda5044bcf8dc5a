// SPDX-License-Identifier: Apache-2.0
/*
 * Nobody else may use a memory file while pages are taken out of it. Two locks and a look around:
 *  - flock(2): against another fcpause;
 *  - a write lease (fcntl(2), F_SETLEASE): the kernel grants it only when nobody else on this host
 *    has the file open or mapped, whatever namespace or permissions they have, and makes those who
 *    open it later wait until we are done. So between scan and release the file cannot change;
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
	bool lost;
	int sign_fd; /* memory/claim_sign.h, as long as it is leased; or -1 */
	pthread_mutex_t mutex;
	char doubt[160]; /* "": nobody else uses it, for sure; else why that cannot be known */
};

enum fcp_claim_kind {
	FCP_CLAIM_READ,	 /* only reads, beside other readers; does not look who uses it */
	FCP_CLAIM_WRITE, /* takes pages out of it */
};

/*
 * Claims the open file fd, which is borrowed and must be the only one that this process has of the
 * file: opening it again while it is claimed would wait for ourselves, up to 45 s
 * (/proc/sys/fs/lease-break-time). Open it with O_NONBLOCK: then a file that another has claimed
 * fails with EWOULDBLOCK instead of waiting.
 * FCP_ERR_BUSY names the holder. *claim_ is set in any case; fcp_claim_release() it.
 */
int fcp_claim_take(int fd, const char *name, enum fcp_claim_kind kind, struct fcp_claim *claim_,
		   struct fcp_error *err);

/*
 * Has another fcpause claimed the file behind path_fd (O_PATH)? To be asked before it is opened: the attempt alone
 * would end that claim. By the claim's sign (memory/claim_sign.h); false when in doubt, then the
 * lease keeps the two apart, and neither may win.
 */
bool fcp_claim_is_held(int path_fd);

/*
 * Has somebody tried to open the file since? One cheap system call. They wait in open(2) until we
 * ask: then the claim gives way to them, a VM's restore perhaps, which is worth more than what is
 * left to release. Once lost, it stays so: who opened the file may have changed it.
 */
bool fcp_claim_lost(struct fcp_claim *claim);

/* Ends the claim before the descriptor is closed, which would end it too. */
void fcp_claim_release(struct fcp_claim *claim);

#endif
