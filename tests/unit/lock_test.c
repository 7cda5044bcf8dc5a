// SPDX-License-Identifier: Apache-2.0
#include "base/lock.h"

#include "tap.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define SOCK "vm.sock"
#define LOCK SOCK ".fcpause-lock"

static const struct fcp_lock_wait at_once = {.cancel_fd = -1};

/* As after a Firecracker that was started anew. */
static void make_socket(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = SOCK};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	unlink(SOCK);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		ok(false, "a socket");
	close(fd);
}

static bool take(struct fcp_lock *lock, struct fcp_error *err)
{
	return fcp_lock_vm(SOCK, &at_once, lock, err) == 0;
}

static bool is_there(const char *name)
{
	return access(name, F_OK) == 0;
}

/* Runs what in a child that holds the lock and then dies as by kill -9. */
static void die_holding(const char *note)
{
	pid_t child = fork();

	if (child == 0) {
		struct fcp_lock lock;
		struct fcp_error err;

		if (!take(&lock, &err) || (note && !fcp_lock_note(&lock, note)))
			_exit(1);
		raise(SIGKILL);
	}
	waitpid(child, NULL, 0);
}

static void held_and_released(void)
{
	struct fcp_lock lock, other;
	struct stat file;
	struct fcp_error err;
	char pid[32];

	ok(take(&lock, &err) && lock.warning[0] == '\0', "the lock is taken");
	ok(stat(LOCK, &file) == 0 && (file.st_mode & 07777) == 0600,
	   "... a file beside the socket, 0600");
	ok(!take(&other, &err) && err.error_class == FCP_ERR_LOCKED, "... not a second time");
	has_str(err.message, "vm.sock: another fcpause is using it: process ",
		"... which says who has it");
	snprintf(pid, sizeof(pid), " %d (", getpid());
	has_str(err.message, pid, "... by its process");
	has_str(err.message, ") on ", "... and its host");
	fcp_lock_release(&lock);
	ok(!is_there(LOCK), "released, it is gone");
	ok(take(&lock, &err), "... and can be taken");
	unlink(LOCK);
	ok(take(&other, &err), "a file that was removed locks nothing");
	fcp_lock_release(&lock);
	ok(is_there(LOCK), "... and its holder does not remove another's");
	fcp_lock_release(&other);
	fcp_lock_release(&other);
	ok(fcp_lock_vm("nothing.sock", &at_once, &lock, &err) == 0 && lock.fd < 0,
	   "no socket, no lock");
}

static void left_behind(void)
{
	struct fcp_lock lock;
	struct fcp_error err;

	die_holding(NULL);
	ok(is_there(LOCK) && take(&lock, &err) && lock.left[0] == '\0',
	   "a dead holder's lock is taken");
	fcp_lock_release(&lock);
	die_holding("hold FIFO=/a\nb\033[2J");
	ok(take(&lock, &err), "... one that had noted something");
	is_str(lock.left, "hold FIFO=/a", "... which is handed on, a line");
	fcp_lock_release(&lock);
	ok(is_there(LOCK), "not settled, it stays");
	die_holding(NULL);
	ok(take(&lock, &err), "... also when the next one died");
	is_str(lock.left, "hold FIFO=/a", "... and is handed on again");
	ok(fcp_lock_note(&lock, "") && lock.left[0] == '\0', "settled");
	fcp_lock_release(&lock);
	ok(!is_there(LOCK), "... it goes");
	die_holding("paused");
	make_socket();
	ok(take(&lock, &err) && lock.left[0] == '\0',
	   "what was done to another VM says nothing of this one");
	fcp_lock_release(&lock);
}

static void in_the_way(const char *what)
{
	struct fcp_lock lock;
	struct fcp_error err;

	ok(take(&lock, &err), "%s in its place is removed", what);
	has_str(lock.warning, "was not a lock of ours", "... with a warning");
	fcp_lock_release(&lock);
}

static void forged(void)
{
	struct stat target;
	int fd;

	close(open(LOCK, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	chmod(LOCK, 0666);
	in_the_way("a file that all may write");
	close(open("target", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	ok(symlink("target", LOCK) == 0, "a link");
	in_the_way("a symbolic link");
	ok(stat("target", &target) == 0 && target.st_size == 0, "... and not followed");
	ok(link("target", LOCK) == 0, "a hard link");
	in_the_way("a hard link to another file");
	ok(mkdir(LOCK, 0700) == 0, "a directory");
	in_the_way("a directory");
	ok(mkfifo(LOCK, 0600) == 0, "a pipe");
	in_the_way("a named pipe");
	if (geteuid() != 0) {
		skip("another user's file is removed", "not root");
		return;
	}
	fd = open(LOCK, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	ok(fchown(fd, 65534, 65534) == 0 && flock(fd, LOCK_EX) == 0, "another user's lock");
	in_the_way("another user's lock");
	close(fd);
}

static void waited_for(void)
{
	struct fcp_lock_wait wait = fcp_lock_wait_for(60000, eventfd(0, EFD_CLOEXEC), NULL, NULL);
	int ready[2], go[2];
	struct fcp_lock lock;
	struct fcp_error err;
	pid_t child;
	char byte = 0;

	ok(pipe2(ready, O_CLOEXEC) == 0 && pipe2(go, O_CLOEXEC) == 0, "pipes");
	child = fork();
	if (child == 0) {
		byte = (char)take(&lock, &err);
		if (write(ready[1], &byte, 1) != 1 || read(go[0], &byte, 1) != 1)
			_exit(1);
		fcp_lock_release(&lock);
		_exit(0);
	}
	ok(read(ready[0], &byte, 1) == 1 && byte, "another process holds it");
	eventfd_write(wait.cancel_fd, 1);
	ok(fcp_lock_vm(SOCK, &wait, &lock, &err) < 0 && err.error_class == FCP_ERR_INTERRUPTED,
	   "waiting for it can be interrupted");
	close(wait.cancel_fd);
	wait.cancel_fd = -1;
	ok(write(go[1], "", 1) == 1, "it lets go");
	ok(fcp_lock_vm(SOCK, &wait, &lock, &err) == 0, "... and who waits gets it");
	fcp_lock_release(&lock);
	waitpid(child, NULL, 0);
}

/* A directory that we cannot write: only another user than root has such. */
static void elsewhere(void)
{
	struct fcp_lock lock, other;
	struct fcp_error err;
	pid_t child;
	int how;

	if (geteuid() != 0) {
		skip("a directory that cannot be written", "not root");
		return;
	}
	child = fork();
	if (child == 0) {
		bool good = seteuid(65534) == 0 && take(&lock, &err) && lock.fd >= 0 &&
			    strstr(lock.warning, "/tmp") && !take(&other, &err) &&
			    err.error_class == FCP_ERR_LOCKED;

		fcp_lock_release(&lock);
		_exit(good ? 0 : 1);
	}
	waitpid(child, &how, 0);
	ok(how == 0 && !is_there(LOCK),
	   "where the directory cannot be written, the lock is in /tmp, with a warning");
}

int main(void)
{
	char directory[] = "/tmp/fcpause-lock-test.XXXXXX";

	if (!mkdtemp(directory) || chdir(directory) != 0 || chmod(directory, 0711) != 0)
		return 1;
	make_socket();
	held_and_released();
	left_behind();
	forged();
	waited_for();
	elsewhere();
	unlink(SOCK);
	unlink("target");
	rmdir(directory);
	return done();
}
