// SPDX-License-Identifier: Apache-2.0
#include "memory/claim.h"

#include "base/cleanup.h"
#include "base/deadline.h"
#include "memory/claim_sign.h"
#include "memory/in_use.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define XFS_MAGIC 0x58465342

static bool take_lease(int fd)
{
	/* A lease that is asked for sends SIGIO, which kills by default. SIGURG is ignored by
	 * default, and with no owner there is none at all: we ask (F_GETLEASE) instead. */
	if (fcntl(fd, F_SETSIG, SIGURG) < 0 || fcntl(fd, F_SETLEASE, F_WRLCK) < 0)
		return false;
	fcntl(fd, F_SETOWN, 0);
	return true;
}

/* On overlayfs a mapping belongs to the layer below, and the lease knows nothing of it. */
static bool lease_counts_mappings(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return false;
	switch ((uint32_t)fs.f_type) {
	case EXT4_SUPER_MAGIC:
	case XFS_MAGIC:
	case BTRFS_SUPER_MAGIC:
	case TMPFS_MAGIC:
	case F2FS_SUPER_MAGIC:
		return true;
	default:
		return false;
	}
}

/* refused: the kernel says that the file is open elsewhere too. */
static int judge(const struct fcp_in_use *use, bool refused, struct fcp_claim *claim,
		 const char *name, struct fcp_error *err)
{
	if (use->how != FCP_IN_USE_NOT)
		return fcp_error_set(err, FCP_ERR_BUSY, 0, "%.200s: in use: process %d (%s) %s",
				     name, (int)use->pid, use->comm, fcp_in_use_text(use->how));
	/* A mere reader that we see, or a descriptor of our own, explains the refusal. */
	if (refused && use->readers == 0 && !use->self)
		return fcp_error_set(err, FCP_ERR_BUSY, 0,
				     "%.200s: in use by somebody that /proc does not show (%u processes could not be looked at)",
				     name, use->hidden);
	if (use->hidden > 0)
		snprintf(claim->doubt, sizeof(claim->doubt),
			 "whether others use the file is not known: %u processes could not be looked at (no permission)",
			 use->hidden);
	return 0;
}

/* Refused (EAGAIN), it is asked for again: another fcpause, which goes when it finds the flock, has
 * the file open for an instant too, and one of the two must win. */
static bool take_lease_patiently(int fd)
{
	for (int tries = 0; tries < 5; tries++) {
		if (take_lease(fd))
			return true;
		if (errno != EAGAIN)
			return false;
		fcp_wait_ns(1000000, -1);
	}
	errno = EAGAIN;
	return false;
}

static int exclude_others(struct fcp_claim *claim, const char *name, struct fcp_error *err)
{
	struct fcp_in_use use;
	struct stat file;
	bool refused;

	claim->leased = take_lease_patiently(claim->fd);
	refused = !claim->leased && errno == EAGAIN;
	if (claim->leased && fstat(claim->fd, &file) == 0)
		claim->sign_fd = fcp_claim_sign_show(&file);
	if (claim->leased && lease_counts_mappings(claim->fd))
		return 0;
	if (fcp_in_use_find(claim->fd, &use, err) < 0) {
		snprintf(claim->doubt, sizeof(claim->doubt),
			 "whether others use the file is not known: /proc cannot be read");
		return 0;
	}
	return judge(&use, refused, claim, name, err);
}

int fcp_claim_take(int fd, const char *name, enum fcp_claim_kind kind, struct fcp_claim *claim_,
		   struct fcp_error *err)
{
	*claim_ = (struct fcp_claim){.fd = fd, .sign_fd = -1, .mutex = PTHREAD_MUTEX_INITIALIZER};

	if (flock(fd, (kind == FCP_CLAIM_READ ? LOCK_SH : LOCK_EX) | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			return fcp_error_set(err, FCP_ERR_BUSY, 0,
					     "%.200s: another fcpause works on it", name);
		snprintf(claim_->doubt, sizeof(claim_->doubt), "the file system has no locks");
	}
	return kind == FCP_CLAIM_READ ? 0 : exclude_others(claim_, name, err);
}

bool fcp_claim_is_held(int path_fd)
{
	struct stat file;

	return fstat(path_fd, &file) == 0 && fcp_claim_sign_seen(&file);
}

static void drop_lease(struct fcp_claim *claim)
{
	fcntl(claim->fd, F_SETLEASE, F_UNLCK);
	if (claim->sign_fd >= 0)
		close(claim->sign_fd);
	claim->sign_fd = -1;
}

bool fcp_claim_lost(struct fcp_claim *claim)
{
	bool lost;

	pthread_mutex_lock(&claim->mutex);
	if (claim->leased && !claim->lost && fcntl(claim->fd, F_GETLEASE) != F_WRLCK) {
		drop_lease(claim);
		claim->lost = true;
	}
	lost = claim->lost;
	pthread_mutex_unlock(&claim->mutex);
	return lost;
}

void fcp_claim_release(struct fcp_claim *claim)
{
	if (claim->leased && !claim->lost)
		drop_lease(claim);
	flock(claim->fd, LOCK_UN);
	claim->leased = false;
}
