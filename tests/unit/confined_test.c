// SPDX-License-Identifier: Apache-2.0
/* What a confined thread can do and what not, and that nothing of its caller changes. */
#include "base/confined.h"

#include "base/thread.h"

#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

struct tried {
	pthread_t thread;
	pid_t read, other;
	int file;	     /* open */
	int opens, connects; /* errno, or 0 */
	int reads, reads_other, signals, forks, inner_opens;
	bool works_on;
	bool signals_blocked;
};

static int error_of(long result)
{
	return result < 0 ? errno : 0;
}

static int read_from(pid_t pid, const void *address)
{
	char byte;
	struct iovec local = {&byte, 1}, remote = {(void *)(uintptr_t)address, 1};

	return error_of(process_vm_readv(pid, &local, 1, &remote, 1, 0));
}

static int try_open(void)
{
	return error_of(open("/dev/null", O_RDONLY | O_CLOEXEC));
}

static void *try_in_thread(void *arg)
{
	*(int *)arg = try_open();
	return NULL;
}

static int try_fork(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	return child > 0 ? (waitpid(child, NULL, 0), 0) : errno;
}

static bool can_work(int file)
{
	char *memory = malloc(1 << 20), byte = 1;
	bool works = memory && pwrite(file, &byte, 1, 4096) == 1 &&
		     pread(file, memory, 1, 4096) == 1 && memory[0] == 1;

	free(memory);
	return works;
}

static int try_all(void *arg, struct fcp_error *err)
{
	static const char here = 1;
	struct tried *tried = arg;
	pthread_t inner;
	sigset_t blocked;

	tried->thread = pthread_self();
	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	tried->signals_blocked = sigismember(&blocked, SIGTERM) == 1;
	tried->opens = try_open();
	tried->connects = error_of(socket(AF_UNIX, SOCK_STREAM, 0));
	tried->reads = read_from(tried->read, &here);
	tried->reads_other = read_from(tried->other, &here);
	tried->signals = error_of(kill(tried->other, 0));
	tried->forks = try_fork();
	tried->works_on = can_work(tried->file);
	tried->inner_opens = -1;
	if (fcp_thread_start(&inner, try_in_thread, &tried->inner_opens) == 0)
		pthread_join(inner, NULL);
	return fcp_error_set(err, FCP_ERR_STATE, 0, "as it was set");
}

static void test_confined(struct tried *tried)
{
	const struct fcp_confinement confinement = {true, tried->read};
	struct fcp_error err = {0};

	ok(fcp_confined_run(&confinement, try_all, tried, &err) == -1 &&
		   err.error_class == FCP_ERR_STATE && strstr(err.message, "as it was set"),
	   "what the work returns, and its error");
	ok(!pthread_equal(tried->thread, pthread_self()), "in a thread of its own");
	ok(tried->signals_blocked, "... that gets no signals");
	is_u64((uint64_t)tried->opens, EPERM, "no file is opened");
	is_u64((uint64_t)tried->connects, EPERM, "no socket is made");
	is_u64((uint64_t)tried->forks, EPERM, "no process is started");
	is_u64((uint64_t)tried->signals, EPERM, "no other process is signalled");
	is_u64((uint64_t)tried->reads, 0, "the memory of the one process is read");
	is_u64((uint64_t)tried->reads_other, EPERM, "and of no other");
	ok(tried->works_on, "what is open is read and written, and memory is to be had");
	is_u64((uint64_t)tried->inner_opens, EPERM, "a thread of the thread opens nothing either");
	is_u64((uint64_t)try_open(), 0, "the caller opens files as before");
	is_u64((uint64_t)try_fork(), 0, "... and starts processes");
}

static void test_unconfined(struct tried *tried)
{
	const struct fcp_confinement confinement = {false, 0};
	struct fcp_error err = {0};

	ok(fcp_confined_run(&confinement, try_all, tried, &err) == -1 &&
		   err.error_class == FCP_ERR_STATE,
	   "unconfined: what the work returns");
	ok(pthread_equal(tried->thread, pthread_self()), "... by the caller itself");
	is_u64((uint64_t)tried->opens, 0, "... and a file is opened");
}

int main(void)
{
	char name[] = "/tmp/fcpause-confined.XXXXXX";
	struct tried tried = {.read = getpid(), .file = mkstemp(name), .other = fork()};

	if (tried.other == 0) {
		pause();
		_exit(0);
	}
	unlink(name);
	test_confined(&tried);
	test_unconfined(&tried);
	kill(tried.other, SIGKILL);
	waitpid(tried.other, NULL, 0);
	return done();
}
