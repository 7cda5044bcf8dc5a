// SPDX-License-Identifier: Apache-2.0
#include "memory/claim.h"

#include "base/deadline.h"
#include "memory/claim_marker.h"
#include "memory/in_use.h"
#include "memory/lease.h"

#include <errno.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

/* How long a process that is just being forked or started may hold a copy of the descriptor. */
#define FORK_MS 1500
#define FORK_POLL_NS 5000000

/* refused: the kernel says that the file is open elsewhere too. */
static int check_users(const struct fcp_in_use *use, bool refused, struct fcp_claim *claim,
		       const char *name, struct fcp_error *err)
{
	if (use->how != FCP_IN_USE_NOT)
		return fcp_in_use_error(use, name, err);
	/* Readers, or descriptors of our own, explain the refusal. */
	if (refused && use->readers == 0 && use->forks == 0 && !use->self)
		return fcp_error_set(
			err, FCP_ERR_BUSY, 0,
			"%.200s: in use by a process that /proc does not show (%u processes could "
			"not be examined)",
			name, use->hidden);
	if (use->hidden > 0)
		snprintf(claim->doubt, sizeof(claim->doubt),
			 "whether others use the file is unknown: %u processes could not be "
			 "examined (no permission)",
			 use->hidden);
	return 0;
}

/*
 * A process between fork(2) and execve(2): at first not in /proc, and finally not readable there.
 */
static bool may_be_a_fork(const struct fcp_in_use *use)
{
	return use->how == FCP_IN_USE_NOT && use->readers == 0 && !use->self;
}

static bool take_lease(struct fcp_claim *claim)
{
	struct stat file;

	if (!fcp_lease_take_patiently(claim->fd))
		return false;
	claim->leased = true;
	claim->break_ns = fcp_lease_break_ns();
	if (fstat(claim->fd, &file) == 0)
		claim->marker_fd = fcp_claim_marker_set(claim->fd, &file);
	return true;
}

static int exclude_others(struct fcp_claim *claim, const char *name, struct fcp_error *err)
{
	fcp_deadline forked = fcp_deadline_in_ms(FORK_MS);

	for (;;) {
		struct fcp_in_use use;
		bool refused = !take_lease(claim) && errno == EAGAIN;

		if (claim->leased && fcp_lease_counts_mappings(claim->fd))
			return 0;
		if (fcp_in_use_look(claim->fd, &use, err) < 0) {
			snprintf(claim->doubt, sizeof(claim->doubt),
				 "whether others use the file is unknown: /proc cannot be read");
			return 0;
		}
		if (!refused || !may_be_a_fork(&use) || fcp_deadline_passed(forked))
			return check_users(&use, refused, claim, name, err);
		fcp_wait_ns(FORK_POLL_NS, -1);
	}
}

int fcp_claim_take(int fd, const char *name, enum fcp_claim_kind kind, struct fcp_claim *claim_,
		   struct fcp_error *err)
{
	*claim_ = (struct fcp_claim){.fd = fd, .marker_fd = -1, .lock = PTHREAD_RWLOCK_INITIALIZER};

	if (flock(fd, (kind == FCP_CLAIM_READ ? LOCK_SH : LOCK_EX) | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			return fcp_error_set(err, FCP_ERR_LOCKED, 0,
					     "%.200s: another fcpause is using it", name);
		snprintf(claim_->doubt, sizeof(claim_->doubt), "the file system has no locks");
	}
	return kind == FCP_CLAIM_READ ? 0 : exclude_others(claim_, name, err);
}

bool fcp_claim_is_held(int path_fd)
{
	struct stat file;

	return fstat(path_fd, &file) == 0 && fcp_claim_marker_is_set(path_fd, &file);
}

static void give_way_to_opener(struct fcp_claim *claim)
{
	fcp_claim_marker_clear(&claim->marker_fd);
	fcp_lease_drop(claim->fd);
}

/* Waits for changes in progress. */
static void give_up_claim(struct fcp_claim *claim)
{
	pthread_rwlock_wrlock(&claim->lock);
	if (!claim->lost)
		give_way_to_opener(claim);
	claim->lost = true;
	pthread_rwlock_unlock(&claim->lock);
}

bool fcp_claim_change_begin(struct fcp_claim *claim, struct fcp_claim_change *change_)
{
	pthread_rwlock_rdlock(&claim->lock);
	change_->since_ns = fcp_now_ns();
	if (!claim->lost && (!claim->leased || fcp_lease_is_held(claim->fd)))
		return true;
	pthread_rwlock_unlock(&claim->lock);
	give_up_claim(claim);
	return false;
}

enum fcp_claim_end fcp_claim_change_end(struct fcp_claim *claim,
					const struct fcp_claim_change *change)
{
	bool held = !claim->leased || fcp_lease_is_held(claim->fd);
	bool in_time = fcp_now_ns() - change->since_ns < claim->break_ns;

	pthread_rwlock_unlock(&claim->lock);
	if (held)
		return FCP_CLAIM_KEPT;
	give_up_claim(claim);
	return in_time ? FCP_CLAIM_WANTED : FCP_CLAIM_BROKEN;
}

bool fcp_claim_lost(struct fcp_claim *claim)
{
	bool lost;

	pthread_rwlock_rdlock(&claim->lock);
	lost = claim->lost || (claim->leased && !fcp_lease_is_held(claim->fd));
	pthread_rwlock_unlock(&claim->lock);
	if (lost)
		give_up_claim(claim);
	return lost;
}

int fcp_claim_check_end(struct fcp_claim *claim, const char *name, struct fcp_error *err)
{
	struct fcp_error unread;
	struct fcp_in_use use;

	if ((claim->leased && fcp_lease_counts_mappings(claim->fd)) ||
	    fcp_in_use_look(claim->fd, &use, &unread) < 0)
		return 0;
	return check_users(&use, false, claim, name, err);
}

void fcp_claim_release(struct fcp_claim *claim)
{
	if (claim->leased && !claim->lost)
		give_way_to_opener(claim);
	flock(claim->fd, LOCK_UN);
	claim->leased = false;
}
