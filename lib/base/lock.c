// SPDX-License-Identifier: Apache-2.0
#include "base/lock.h"

#include "base/cleanup.h"
#include "base/fd_link.h"
#include "base/lock_record.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define SUFFIX ".fcpause-lock"

#define POLL_MIN_NS UINT64_C(1000000)
#define POLL_MAX_NS UINT64_C(50000000)

#define GUARD_MS 5000

#define TRIES_MAX 16 /* without waiting: on files that are removed or are not ours */

/* ---- one attempt, and waiting for the next ---- */

static int busy_error(const struct fcp_lock_file *file, struct fcp_error *err)
{
	char holder[192];

	if (fcp_lock_record_is_orphaned(file->fd))
		return fcp_error_set(err, FCP_ERR_LOCKED, 0,
				     "%.200s: the guard of a killed fcpause is still restoring the "
				     "VM's state",
				     file->what);
	fcp_lock_record_holder(file->fd, holder);
	if (!holder[0])
		fcp_lock_record_flock(file->fd, holder);
	return fcp_error_set(err, FCP_ERR_LOCKED, 0, "%.200s: another fcpause is using it%s%s",
			     file->what, holder[0] ? ": " : "", holder);
}

/*
 * A guard is always waited for, since it takes only a moment, unless Firecracker is still writing a
 * snapshot.
 */
static bool is_guard(const struct fcp_lock_file *file, fcp_deadline deadline)
{
	return !fcp_deadline_passed(deadline) && fcp_lock_record_is_orphaned(file->fd);
}

/* *waited_ is set once the observer was told that there is something to wait for. */
static int wait_for_file(const struct fcp_lock_file *file, const struct fcp_lock_wait *wait,
			 bool *same_, bool *waited_, struct fcp_error *err)
{
	fcp_deadline guard_deadline = fcp_deadline_in_ms(GUARD_MS);

	/* A blocking flock(2) cannot be cancelled: it is polled. */
	for (uint64_t pause_ns = POLL_MIN_NS; flock(file->fd, LOCK_EX | LOCK_NB) != 0;) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK)
			return fcp_error_set(err, FCP_ERR_IO, errno, "%.200s: lock", file->what);
		if (fcp_deadline_passed(wait->deadline) && !is_guard(file, guard_deadline))
			return busy_error(file, err);
		if (!*waited_)
			fcp_phase_begin(wait->observer, wait->step, "lock");
		*waited_ = true;
		if (fcp_wait_ns(pause_ns, wait->cancel_fd))
			return fcp_error_set(
				err, FCP_ERR_INTERRUPTED, 0,
				"%.200s: interrupted while another fcpause is using it",
				file->what);
		pause_ns = pause_ns * 2 < POLL_MAX_NS ? pause_ns * 2 : POLL_MAX_NS;
		/* It may have been removed, and another one created in its place. */
		if (!fcp_fd_has_name(file->fd, file->directory, file->name)) {
			*same_ = false;
			return 0;
		}
	}
	*same_ = fcp_fd_has_name(file->fd, file->directory, file->name);
	return 0;
}

int fcp_lock_file(const struct fcp_lock_file *file, const struct fcp_lock_wait *wait, bool *same_,
		  struct fcp_error *err)
{
	bool waited = false;
	int locked = wait_for_file(file, wait, same_, &waited, err);

	if (waited)
		fcp_phase_end(wait->observer, wait->step, "lock");
	return locked;
}

/* ---- a lock file ---- */

/* Only root or this user can have created such a file. */
static bool is_ours(const struct stat *file)
{
	return S_ISREG(file->st_mode) && file->st_nlink == 1 && (file->st_mode & 07177) == 0 &&
	       (file->st_uid == 0 || file->st_uid == geteuid());
}

static int remove_forged(struct fcp_lock *lock, const struct stat *file, const char *what,
			 struct fcp_error *err)
{
	int flags = S_ISDIR(file->st_mode) ? AT_REMOVEDIR : 0;

	if (unlinkat(lock->directory, lock->name, flags) == 0 || errno == ENOENT) {
		snprintf(lock->warning, sizeof(lock->warning),
			 "%.150s, a file of user %u, was not a lock of ours and was removed",
			 lock->name, (unsigned)file->st_uid);
		return 0;
	}
	return fcp_error_set(err, FCP_ERR_INPUT, errno,
			     "%.200s" SUFFIX
			     " is not a lock of ours (owner %u, mode %04o) and cannot be removed",
			     what, (unsigned)file->st_uid, (unsigned)file->st_mode & 07777);
}

/* Such as root's lock while we are not root: we cannot see whether it is held. */
static int unreadable_lock_error(const struct fcp_lock *lock, const struct stat *file,
				 const char *what, struct fcp_error *err)
{
	return fcp_error_set(
		err, FCP_ERR_LOCKED, 0,
		"%.200s: an fcpause of user %u is using it, or was killed: then remove %.150s",
		what, (unsigned)file->st_uid, lock->name);
}

/*
 * Opens or creates it; *fd_ is -1 when to try again. An existing file is opened without O_CREAT,
 * which the kernel denies even to root in world-writable directories (fs.protected_regular).
 */
static int open_once(struct fcp_lock *lock, const char *what, int *fd_, struct fcp_error *err)
{
	const int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	FCP_CLEANUP(fd) int fd = openat(lock->directory, lock->name, flags);
	bool created = fd < 0 && errno == ENOENT;
	struct stat file;

	*fd_ = -1;
	if (created) {
		fd = openat(lock->directory, lock->name, flags | O_CREAT | O_EXCL, 0600);
		if (fd < 0)
			return errno == EEXIST
				       ? 0
				       : fcp_error_set(err, FCP_ERR_IO, errno, "%.200s", what);
	}
	if (fd >= 0 ? fstat(fd, &file) != 0
		    : fstatat(lock->directory, lock->name, &file, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : fcp_error_set(err, FCP_ERR_IO, errno, "%.200s", what);
	if (!is_ours(&file) && file.st_nlink > 0) {
		if (remove_forged(lock, &file, what, err) != 0)
			return -1;
		/* The file system maps owners, so they prove nothing. */
		return created ? fcp_error_set(err, FCP_ERR_IO, EPERM, "%.200s", what) : 0;
	}
	if (fd < 0)
		return unreadable_lock_error(lock, &file, what, err);
	*fd_ = fcp_steal_fd(&fd);
	return 0;
}

/* Waits before the next attempt; false: no more attempts, and err says why. */
static bool may_try_again(const struct fcp_lock_wait *wait, const char *what, struct fcp_error *err)
{
	if (fcp_deadline_passed(wait->deadline))
		return false;
	if (!fcp_wait_ns(POLL_MAX_NS, wait->cancel_fd))
		return true;
	fcp_error_set(err, FCP_ERR_INTERRUPTED, 0,
		      "%.200s: interrupted while another fcpause is using it", what);
	return false;
}

/* One attempt; 0 without lock->fd: the file was replaced while we waited. */
static int take_lock_once(struct fcp_lock *lock, const char *what, const struct fcp_lock_wait *wait,
			  struct fcp_error *err)
{
	FCP_CLEANUP(fd) int fd = -1;
	struct fcp_lock_file file = {.directory = lock->directory,
				     .name = lock->name,
				     .what = what};
	bool same = false;

	if (open_once(lock, what, &fd, err) != 0)
		return -1;
	file.fd = fd;
	if (fd >= 0 && fcp_lock_file(&file, wait, &same, err) != 0)
		return -1;
	if (same)
		lock->fd = fcp_steal_fd(&fd);
	return 0;
}

static int take_lock(struct fcp_lock *lock, const char *what, const struct fcp_lock_wait *wait,
		     struct fcp_error *err)
{
	for (int tries = 0; lock->fd < 0; tries++) {
		if (take_lock_once(lock, what, wait, err) == 0) {
			if (tries < TRIES_MAX)
				continue;
			fcp_error_set(err, FCP_ERR_LOCKED, 0,
				      "%.200s: its lock file keeps being created and removed",
				      what);
		}
		if (err->error_class != FCP_ERR_LOCKED || !may_try_again(wait, what, err))
			return -1;
	}
	return 0;
}

/* ---- the lock of a VM ---- */

/* The directory and the name of a file, given by any path. */
static int find_place(const char *path, struct fcp_lock *lock, struct fcp_error *err)
{
	FCP_CLEANUP(free) char *whole = realpath(path, NULL);
	char *slash = whole ? strrchr(whole, '/') : NULL;

	if (!slash)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%.200s", path);
	if (asprintf(&lock->name, "%s" SUFFIX, slash + 1) < 0) {
		lock->name = NULL;
		return fcp_error_nomem(err);
	}
	slash[slash == whole] = '\0';
	lock->directory = open(whole, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return lock->directory >= 0 ? 0 : fcp_error_set(err, FCP_ERR_IO, errno, "%.200s", path);
}

static void forget_place(struct fcp_lock *lock)
{
	if (lock->directory >= 0)
		close(lock->directory);
	free(lock->name);
	lock->directory = -1;
	lock->name = NULL;
}

/*
 * When no file can be created beside the socket: one in /tmp, for this user, named after the
 * socket's inode.
 */
static int take_elsewhere(const struct stat *socket, const char *what,
			  const struct fcp_lock_wait *wait, struct fcp_lock *lock,
			  struct fcp_error *err)
{
	char why[128];

	snprintf(why, sizeof(why), "%.127s", err->message);
	forget_place(lock);
	lock->directory = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (asprintf(&lock->name, ".fcpause-%u-%llx-%llx" SUFFIX, (unsigned)geteuid(),
		     (unsigned long long)socket->st_dev, (unsigned long long)socket->st_ino) < 0)
		lock->name = NULL;
	if (lock->directory >= 0 && lock->name && take_lock(lock, what, wait, err) == 0) {
		snprintf(lock->warning, sizeof(lock->warning),
			 "no lock beside the socket, only one in /tmp, for this user: %s", why);
		return 0;
	}
	if (err->error_class == FCP_ERR_LOCKED || err->error_class == FCP_ERR_INTERRUPTED)
		return -1;
	forget_place(lock);
	snprintf(lock->warning, sizeof(lock->warning),
		 "other runs on this VM are not locked out: %s", why);
	return 0;
}

int fcp_lock_vm(const char *api_sock, const struct fcp_lock_wait *wait, struct fcp_lock *lock_,
		struct fcp_error *err)
{
	struct fcp_lock lock = FCP_LOCK_NONE;
	struct stat socket;
	int taken;

	*lock_ = lock;
	if (!api_sock || stat(api_sock, &socket) != 0)
		return 0;
	/*
	 * A new Firecracker's socket is another VM, even with the same name and, by chance, the
	 * same inode.
	 */
	snprintf(lock.vm, sizeof(lock.vm), "%llx:%llx:%lld.%09ld",
		 (unsigned long long)socket.st_dev, (unsigned long long)socket.st_ino,
		 (long long)socket.st_mtim.tv_sec, socket.st_mtim.tv_nsec);
	taken = find_place(api_sock, &lock, err) == 0 ? take_lock(&lock, api_sock, wait, err) : -1;
	if (taken != 0 && err->error_class == FCP_ERR_IO)
		taken = take_elsewhere(&socket, api_sock, wait, &lock, err);
	if (taken != 0) {
		forget_place(&lock);
		return -1;
	}
	if (lock.fd >= 0) {
		fcp_lock_record_note(lock.fd, lock.vm, lock.left);
		fcp_lock_record_write(lock.fd, lock.vm, lock.left);
	}
	*lock_ = lock;
	return 0;
}

bool fcp_lock_note(struct fcp_lock *lock, const char *note)
{
	if (lock->fd < 0)
		return false;
	snprintf(lock->note, sizeof(lock->note), "%s", note);
	lock->left[0] = '\0';
	return fcp_lock_record_write(lock->fd, lock->vm, note);
}

void fcp_lock_release(struct fcp_lock *lock)
{
	/* Unlinked while locked: those who have opened it notice when they compare inodes. */
	if (lock->fd >= 0) {
		if (!lock->note[0] && !lock->left[0] &&
		    fcp_fd_has_name(lock->fd, lock->directory, lock->name))
			unlinkat(lock->directory, lock->name, 0);
		close(lock->fd);
	}
	forget_place(lock);
	*lock = (struct fcp_lock)FCP_LOCK_NONE;
}
