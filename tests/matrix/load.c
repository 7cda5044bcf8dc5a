// SPDX-License-Identifier: Apache-2.0
/*
 * Many pauses: of many VMs at once, and one after the other of one VM. All of them are right,
 * nothing is left of them, and what one costs is printed. FCPAUSE_LONG=1: 200 at once and 2,000 in
 * sequence.
 */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "matrix.h"
#include "tests/unit/tap.h"

#define STARTING_MAX 8 /* simulators that start at the same time */

static char top[PATH_MAX];

struct shared {
	_Atomic unsigned ready, good, bad;
	_Atomic unsigned long cpu_us;
	char why[400]; /* of one that went wrong */
};
static struct shared *shared;

static void went_wrong(const char *what, const char *details)
{
	atomic_fetch_add(&shared->bad, 1);
	snprintf(shared->why, sizeof(shared->why), "%s: %.300s", what, details);
}

/* The comparison has filled the page cache, the file's holes too; to throw that away with the file
 * would be counted as the next pause's. */
static void drop_cache(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) != 0)
		die(path);
	close(fd);
}

static void check(const struct mode *mode, const struct ended *ended)
{
	char names[256], beside[256];
	json_t *state = NULL;
	char *out = read_file("out");
	const char *vm;

	sim_ask("api.sock", "GET /sim/state", NULL, &state);
	vm = json_string_value(json_object_get(state, "state"));
	names_in("d", names, sizeof(names));
	names_in(".", beside, sizeof(beside));
	if (ended->exit_code != 0 || ended->hung || ended->left_process)
		went_wrong("the run", out);
	else if (!same_file("ref/snap", "d/snap") || !same_file("ref/mem", "d/mem"))
		went_wrong("the pair is not whole", names);
	else if (!vm || strcmp(vm, mode->resume ? "Running" : "Paused") != 0)
		went_wrong("the VM", vm ? vm : "gone");
	else if (strcmp(names, "mem snap") != 0 || strstr(beside, "fcpause-"))
		went_wrong("left", strstr(beside, "fcpause-") ? beside : names);
	else
		atomic_fetch_add(&shared->good, 1);
	if (ended->exit_code == 0)
		drop_cache("d/mem");
	free(out);
	json_decref(state);
}

static void pause_once(const struct sim *sim, size_t mode)
{
	const struct run run = {.plain = true};
	struct mode plain = modes[mode];
	struct ended ended;

	run_fcpause(sim, &plain, &run, &ended);
	atomic_fetch_add(&shared->cpu_us, (unsigned long)ended.cpu_us);
	plain.resume = false;
	check(&plain, &ended);
}

/* ---- at once ---- */

static _Noreturn void one_vm(unsigned number, int go)
{
	struct sim sim = {0};
	char byte;

	enter_worker(top, number);
	sim_start(&sim, 4);
	atomic_fetch_add(&shared->ready, 1);
	if (read(go, &byte, 1) != 0) /* until the other end is closed */
		die("go");
	pause_once(&sim, 4);
	sim_stop(&sim);
	_exit(0);
}

/* Until so many VMs run; one whose process ends before is a bad one. */
static void wait_ready(unsigned count)
{
	while (atomic_load(&shared->ready) < count) {
		if (waitpid(-1, NULL, WNOHANG) > 0) {
			went_wrong("a VM", "did not start");
			atomic_fetch_add(&shared->ready, 1);
		}
		usleep(1000);
	}
}

static void start_one(unsigned number, const int go[2])
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid == 0) {
		close(go[1]);
		one_vm(number, go[0]);
	}
	wait_ready(number + 1 > STARTING_MAX ? number + 1 - STARTING_MAX : 0);
}

static void report(const char *what, unsigned count)
{
	unsigned good = atomic_load(&shared->good);

	if (!ok(good == count && atomic_load(&shared->bad) == 0, "%u %s: all right, nothing left",
		count, what))
		printf("# %u good, %u not: %s\n", good, atomic_load(&shared->bad), shared->why);
	printf("# %u %s: CPU %.1f ms a pause, user and system\n", count, what,
	       (double)atomic_load(&shared->cpu_us) / 1000 / count);
	fflush(stdout);
	memset(shared, 0, sizeof(*shared));
}

static void at_once(unsigned count)
{
	int go[2];

	if (pipe(go) != 0)
		die("pipe");
	for (unsigned i = 0; i < count; i++)
		start_one(i, go);
	wait_ready(count);
	close(go[0]);
	close(go[1]);
	while (wait(NULL) > 0)
		continue;
	report("VMs paused at once", count);
}

/* ---- in sequence ---- */

static void in_sequence(unsigned count)
{
	struct sim sim = {0};
	pid_t pid = fork();

	if (pid == 0) {
		enter_worker(top, UINT_MAX);
		sim_start(&sim, 4);
		for (unsigned i = 0; i < count; i++) {
			sim_ask("api.sock", "PATCH /vm", "{\"state\":\"Resumed\"}", NULL);
			pause_once(&sim, 4);
		}
		sim_stop(&sim);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	report("pauses of one VM in sequence", count);
}

int main(void)
{
	const char *tmp = getenv("TMPDIR");
	bool whole = getenv("FCPAUSE_LONG") != NULL;

	if (!getenv("FCPAUSE") || !getenv("FCPAUSE_SIM"))
		return puts("1..0 # SKIP FCPAUSE and FCPAUSE_SIM are not set") < 0;
	snprintf(top, sizeof(top), "%s/fcpause-load.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(top))
		die(top);
	signal(SIGPIPE, SIG_IGN);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		die("memory");
	at_once(whole ? 200 : 16);
	in_sequence(whole ? 2000 : 60);
	remove_tree(top);
	return done();
}
