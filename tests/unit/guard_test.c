// SPDX-License-Identifier: Apache-2.0
/* The guard, with this program as Firecracker and a child of it as the run that is killed. */
#include "firecracker/guard.h"
#include "firecracker/recover.h"

#include "base/cleanup.h"
#include "firecracker/vm.h"
#include "tap.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#define WAIT_MS 10000
#define INSTANCE "{\"state\":\"Running\",\"vmm_version\":\"1.16.1\"}"

static char directory[] = "/tmp/guard_test.XXXXXX";
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static int listener;
static struct fcp_lock lock; /* of a run */
static const struct fcp_lock_wait no_wait = {.cancel_fd = -1};
static int stay[2]; /* until the test closes its end */
static volatile sig_atomic_t children_told;

static void on_child(int number)
{
	(void)number;
	children_told++;
}

static void listen_at_socket(void)
{
	if (!mkdtemp(directory) || chdir(directory) != 0)
		abort();
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/api.sock", directory);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    listen(listener, 8) != 0 || mkfifo("fifo", 0600) != 0)
		abort();
}

static bool readable(int fd)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	int found;

	do
		found = poll(&ready, 1, WAIT_MS);
	while (found < 0 && errno == EINTR);
	return found > 0;
}

/* Answers the next request; its first line, or "" when none came. */
static const char *serve(const char *status, const char *body)
{
	static char request[4096];
	char answer[512];
	int fd = readable(listener) ? accept(listener, NULL, NULL) : -1;
	size_t have = 0;
	ssize_t got = 1;

	request[0] = '\0';
	while (fd >= 0 && got > 0 && !strstr(request, "\r\n\r\n") && readable(fd)) {
		got = recv(fd, request + have, sizeof(request) - have - 1, 0);
		have += got > 0 ? (size_t)got : 0;
		request[have] = '\0';
	}
	request[strcspn(request, "\r")] = '\0';
	snprintf(answer, sizeof(answer), "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s", status,
		 strlen(body), body);
	if (fd >= 0 && send(fd, answer, strlen(answer), MSG_NOSIGNAL) < 0)
		request[0] = '\0';
	if (fd >= 0)
		close(fd);
	return request;
}

static struct fcp_lock_wait some_time(void)
{
	return fcp_lock_wait_for(WAIT_MS, -1, NULL, NULL);
}

static bool gets_clean_lock(void)
{
	const struct fcp_lock_wait wait = some_time();
	struct fcp_error err;
	bool clean = fcp_lock_vm(address.sun_path, &wait, &lock, &err) == 0 && lock.fd >= 0 &&
		     !lock.left[0];

	fcp_lock_release(&lock);
	return clean;
}

/* A run that asks Firecracker once and starts its guard. */
static void start(struct fcp_guard *guard)
{
	const struct fcp_lock_wait wait = some_time();
	struct fcp_firecracker firecracker;
	struct fcp_instance instance;
	struct fcp_error err;
	struct fcp_guard_settings settings = {
		.api_sock = address.sun_path,
		.firecracker = &firecracker,
		.fifo_directory = open(directory, O_RDONLY | O_DIRECTORY),
		.fifo_name = "fifo",
		.lock = &lock,
	};

	if (fcp_lock_vm(address.sun_path, &wait, &lock, &err) != 0 ||
	    fcp_firecracker_open(address.sun_path, WAIT_MS, -1, &firecracker, &err) != 0 ||
	    fcp_vm_instance(&firecracker, &instance, &err) != 0 ||
	    fcp_guard_start(&settings, guard, &err) != 0) {
		fprintf(stderr, "%s\n", err.message);
		_exit(1);
	}
	fcp_firecracker_close(&firecracker);
	close(settings.fifo_directory);
}

static bool is_locked(void)
{
	struct fcp_lock other;
	struct fcp_error err;
	bool locked = fcp_lock_vm(address.sun_path, &no_wait, &other, &err) != 0 &&
		      err.error_class == FCP_ERR_LOCKED;

	if (!locked)
		fcp_lock_release(&other);
	return locked;
}

enum ending {
	KILLED,
	KILLED_BESIDE_A_CHILD, /* which has inherited all descriptors but the lock's */
	KILLED_WITH_GUARD,
	ENDED,
};

/* The pipe's other end is closed when nobody of the run is there any more. */
static pid_t start_run(unsigned undo, enum ending ending, int gone[2])
{
	pid_t pid;

	if (pipe(gone) != 0)
		abort();
	pid = fork();
	if (pid == 0) {
		struct fcp_guard guard;
		struct fcp_error err;

		close(listener);
		children_told = 0;
		start(&guard);
		fcp_guard_set(&guard, undo, &err);
		if (ending == ENDED) {
			fcp_guard_end(&guard);
			fcp_lock_release(&lock);
			_exit(waitid(P_ALL, 0, &(siginfo_t){0}, WEXITED | WNOHANG | __WALL) == 0 ||
			      children_told != 0);
		}
		if (ending == KILLED_BESIDE_A_CHILD && fork() == 0) {
			close(gone[0]);
			close(gone[1]);
			close(stay[1]);
			close(lock.fd);
			_exit(read(stay[0], &(char){0}, 1) != 0);
		}
		if (ending == KILLED_WITH_GUARD)
			syscall(SYS_pidfd_send_signal, guard.process.pidfd, SIGKILL, NULL, 0);
		raise(SIGKILL);
	}
	close(gone[1]);
	is_str(serve("200 OK", INSTANCE), "GET / HTTP/1.1", "the run asks once");
	return pid;
}

static bool fifo_has_reader(void)
{
	FCP_CLEANUP(fd) int fd = open("fifo", O_WRONLY | O_NONBLOCK);

	return fd >= 0;
}

/* Firecracker is in open(2) of the FIFO, and answers when that returns. */
static void undoes_all(enum ending ending)
{
	int gone[2], fifo, status;
	pid_t pid = start_run(FCP_UNDO_FIFO | FCP_UNDO_HINTING | FCP_UNDO_PAUSE, ending, gone);

	alarm(WAIT_MS / 1000);
	fifo = open("fifo", O_WRONLY);
	alarm(0);
	ok(fifo >= 0, "Firecracker's open of the FIFO returns");
	close(fifo);
	ok(is_locked(), "the guard holds the lock");
	is_str(serve("200 OK", INSTANCE), "GET / HTTP/1.1", "waits until Firecracker is through");
	is_str(serve("500 Oops", ""), "PATCH /balloon/hinting/stop HTTP/1.1", "then stops hinting");
	is_str(serve("204 No Content", ""), "PATCH /vm HTTP/1.1", "and resumes");
	is_str(serve("204 No Content", ""), "PATCH /balloon/hinting/stop HTTP/1.1",
	       "what was refused is tried again, and no more");
	ok(gets_clean_lock(), "the guard lets go of the lock, and nothing is noted");
	ok(access("fifo", F_OK) != 0, "the FIFO is removed");
	close(gone[0]);
	waitpid(pid, &status, 0);
	mkfifo("fifo", 0600);
}

static void undoes_nothing(unsigned undo, enum ending ending, const char *what)
{
	struct pollfd ready = {.fd = listener, .events = POLLIN};
	int gone[2], status;
	pid_t pid = start_run(undo, ending, gone);

	ok(readable(gone[0]) && read(gone[0], &status, 1) == 0, "%s: it ends", what);
	waitpid(pid, &status, 0);
	ok(ending == KILLED || (WIFEXITED(status) && WEXITSTATUS(status) == 0),
	   "%s: no child is left, no SIGCHLD", what);
	ok(poll(&ready, 1, 0) == 0 && !fifo_has_reader(), "%s: nothing was asked", what);
	close(gone[0]);
}

/* In a child; it exits with 0 when it put right what the warning says. */
static void recover(const char *warning)
{
	const struct fcp_lock_wait wait = some_time();
	struct fcp_firecracker firecracker;
	struct fcp_error err;

	close(listener);
	if (fcp_lock_vm(address.sun_path, &wait, &lock, &err) != 0 ||
	    fcp_firecracker_open(address.sun_path, WAIT_MS, -1, &firecracker, &err) != 0 ||
	    fcp_firecracker_recover(&firecracker, &lock, &err) != 0)
		_exit(2);
	if (strcmp(lock.warning, warning) != 0)
		_exit(1);
	fcp_lock_release(&lock);
	_exit(0);
}

static void next_run_undoes_all(void)
{
	int gone[2], fifo, status;
	pid_t pid = start_run(FCP_UNDO_FIFO | FCP_UNDO_HINTING | FCP_UNDO_PAUSE, KILLED_WITH_GUARD,
			      gone);

	ok(readable(gone[0]) && read(gone[0], &status, 1) == 0, "run and guard were killed");
	waitpid(pid, &status, 0);
	close(gone[0]);
	ok(!fifo_has_reader(), "nothing was put back");
	pid = fork();
	if (pid == 0)
		recover("a killed fcpause had left the VM paused, a hinting run open, "
			"Firecracker waiting at a named pipe: undone");
	alarm(WAIT_MS / 1000);
	fifo = open("fifo", O_WRONLY);
	alarm(0);
	close(fifo);
	is_str(serve("200 OK", "{\"state\":\"Paused\"}"), "GET / HTTP/1.1", "the next run asks");
	is_str(serve("204 No Content", ""), "PATCH /balloon/hinting/stop HTTP/1.1",
	       "stops hinting");
	is_str(serve("204 No Content", ""), "PATCH /vm HTTP/1.1", "and resumes");
	waitpid(pid, &status, 0);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "and says so");
	ok(access("fifo", F_OK) != 0 && access("api.sock.fcpause-lock", F_OK) != 0,
	   "nothing is left");
	mkfifo("fifo", 0600);
}

int main(void)
{
	signal(SIGCHLD, on_child);
	listen_at_socket();
	if (pipe(stay) != 0)
		abort();
	undoes_all(KILLED);
	undoes_all(KILLED_BESIDE_A_CHILD);
	next_run_undoes_all();
	undoes_nothing(0, KILLED, "killed with nothing to undo");
	undoes_nothing(FCP_UNDO_PAUSE | FCP_UNDO_FIFO, ENDED, "ended");
	unlink("fifo");
	unlink("api.sock");
	rmdir(directory);
	return done();
}
