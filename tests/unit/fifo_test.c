// SPDX-License-Identifier: Apache-2.0
/* The named pipe of a hold: who has waited at it, and whose name it is. */
#include "firecracker/fifo.h"

#include "tap.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int directory;

static void make(struct fcp_fifo *fifo)
{
	struct fcp_error err = {0};

	if (fcp_fifo_make(directory, "pipe", geteuid(), getegid(), fifo, &err) != 0) {
		printf("# %s\n", err.message);
		abort();
	}
}

/* As Firecracker does: opens for writing, which waits, and closes. */
static pid_t start_writer(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		int fd = openat(directory, "pipe", O_WRONLY);

		_exit(fd < 0 || ftruncate(fd, 0) == 0);
	}
	return pid;
}

static void wait_for_end(pid_t pid)
{
	int status;

	ok(waitpid(pid, &status, 0) == pid && status == 0,
	   "the writer was let go, and cannot truncate");
}

/* Until the writer's thread sleeps in open(2). */
static void wait_until_blocked(pid_t pid)
{
	char path[64], state = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	while (state != 'S') {
		FILE *file = fopen(path, "re");

		if (!file || fscanf(file, "%*d %*s %c", &state) != 1)
			abort();
		fclose(file);
	}
}

static void test_waited(void)
{
	struct fcp_fifo fifo;
	pid_t pid;

	make(&fifo);
	pid = start_writer();
	wait_until_blocked(pid);
	fcp_fifo_open(&fifo);
	wait_for_end(pid);
	ok(fcp_fifo_had_writer(&fifo), "a writer that waited");
	fcp_fifo_remove(&fifo);
	ok(faccessat(directory, "pipe", F_OK, 0) != 0, "its name is gone");
}

static void test_came_later(void)
{
	struct fcp_fifo fifo;

	make(&fifo);
	fcp_fifo_open(&fifo);
	ok(!fcp_fifo_had_writer(&fifo), "no writer");
	wait_for_end(start_writer());
	ok(fcp_fifo_had_writer(&fifo), "a writer that came later");
	fcp_fifo_remove(&fifo);
}

static void test_went_before(void)
{
	struct fcp_fifo fifo;
	int other;

	make(&fifo);
	other = openat(directory, "pipe", O_RDONLY | O_NONBLOCK);
	wait_for_end(start_writer());
	close(other);
	fcp_fifo_open(&fifo);
	ok(!fcp_fifo_had_writer(&fifo), "a writer that somebody else had let go before");
	fcp_fifo_remove(&fifo);
}

static void test_names(void)
{
	struct fcp_fifo fifo;
	struct fcp_error err = {0};
	int file;

	make(&fifo);
	make(&fifo);
	ok(true, "what a killed run left is replaced");
	unlinkat(directory, "pipe", 0);
	file = openat(directory, "pipe", O_CREAT | O_WRONLY, 0600);
	fcp_fifo_remove(&fifo);
	ok(faccessat(directory, "pipe", F_OK, 0) == 0, "another file of that name stays");
	ok(fcp_fifo_make(directory, "pipe", geteuid(), getegid(), &fifo, &err) != 0 &&
		   err.error_class == FCP_ERR_UNSUPPORTED,
	   "and no pipe takes its place");
	has_str(err.message, "pipe", "which is said");
	fcp_fifo_remove(&fifo);
	close(file);
	unlinkat(directory, "pipe", 0);
}

int main(void)
{
	char path[] = "/tmp/fcpause-fifo.XXXXXX";

	if (!mkdtemp(path))
		abort();
	directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	test_waited();
	test_came_later();
	test_went_before();
	test_names();
	rmdir(path);
	return done();
}
