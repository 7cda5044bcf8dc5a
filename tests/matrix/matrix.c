// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "matrix.h"
#include "tests/unit/tap.h"

#define WORKERS 4

static char top[PATH_MAX];
static _Atomic size_t *next;

/* ---- the shim ---- */

static void find_sanitizer(char *path_, size_t bytes)
{
	char command[PATH_MAX + 64];
	FILE *pipe;

	*path_ = '\0';
	snprintf(command, sizeof(command), "ldd '%s' | awk '/libasan/ { print $3 \":\" }'",
		 getenv("FCPAUSE"));
	pipe = popen(command, "r");
	if (pipe && fgets(path_, (int)bytes, pipe))
		path_[strcspn(path_, "\n")] = '\0';
	if (pipe)
		pclose(pipe);
}

/* A sanitizer's runtime wants to be first. */
static void set_preload(void)
{
	char sanitizer[PATH_MAX], preload[2 * PATH_MAX + 16];

	find_sanitizer(sanitizer, sizeof(sanitizer));
	snprintf(preload, sizeof(preload), "%s%s/shim.so", sanitizer, getenv("FCPAUSE_BUILD"));
	setenv("MATRIX_PRELOAD", preload, 1);
}

/* ---- workers ---- */

static void enter(unsigned number)
{
	enter_worker(top, number);
	clear_directory("old");
	write_file("old/snap", "old snapshot\n");
	write_file("old/mem", "old memory\n");
}

static _Noreturn void work(unsigned number)
{
	struct sim sim = {.mode = SIZE_MAX};
	struct timespec before, after;
	size_t i;

	enter(number);
	while ((i = atomic_fetch_add(next, 1)) < cell_count) {
		clock_gettime(CLOCK_MONOTONIC, &before);
		cell_run(&sim, &cells[i]);
		clock_gettime(CLOCK_MONOTONIC, &after);
		cells[i].ms = (after.tv_sec - before.tv_sec) * 1000 +
			      (after.tv_nsec - before.tv_nsec) / 1000000;
		cells[i].done = true;
		if (getenv("MATRIX_TRACE"))
			fprintf(stderr, "%zu %s, %s, %s: %s%s%s %ld ms\n", i,
				modes[cells[i].mode].name, cells[i].shown, cells[i].what,
				cells[i].result, cells[i].broken[0] ? " wrong " : "",
				cells[i].broken, cells[i].ms);
	}
	sim_stop(&sim);
	_exit(0);
}

static void work_all(void)
{
	int status;

	for (unsigned i = 0; i < WORKERS; i++)
		if (fork() == 0)
			work(i);
	while (wait(&status) > 0)
		ok(status == 0, "a worker ends well");
}

/* ---- recording ---- */

static void record(struct sim *sim, size_t mode, bool whole)
{
	const struct run clean = {0};
	struct ended ended;
	char *out;

	arrange(sim, mode);
	run_fcpause(sim, &modes[mode], &clean, &ended);
	out = read_file("out");
	if (!ok(ended.exit_code == 0, "%s: a run without faults", modes[mode].name))
		printf("# exit code %d: %s\n", ended.exit_code, out);
	ok((strstr(modes[mode].name, "fcpause") != NULL) ==
		   (strstr(out, "\"writer\":\"fcpause\"") != NULL),
	   "%s: it is written by whom it should", modes[mode].name);
	free(out);
	cells_add(mode, whole);
}

/* Of all cells those that MATRIX_ONLY names: "MODE, POINT, FAULT" holds it. */
static void select_cells(const char *only)
{
	char name[400];
	size_t kept = 0;

	for (size_t i = 0; only && i < cell_count; i++) {
		snprintf(name, sizeof(name), "%s, %s, %s", modes[cells[i].mode].name,
			 cells[i].shown, cells[i].what);
		if (strstr(name, only))
			cells[kept++] = cells[i];
	}
	if (only)
		cell_count = kept;
}

static void record_all(bool whole)
{
	struct sim sim = {.mode = SIZE_MAX};

	enter(WORKERS);
	for (size_t mode = 0; mode < mode_count; mode++)
		record(&sim, mode, whole);
	sim_stop(&sim);
}

/* ---- what came of it ---- */

static void report_group(size_t mode, enum kind kind)
{
	size_t count = 0, wrong = 0;

	for (size_t i = 0; i < cell_count; i++)
		if (cells[i].mode == mode && cells[i].kind == kind) {
			count++;
			wrong += !cells[i].done || cells[i].broken[0];
		}
	ok(wrong == 0, "%s: %s: %zu cells", modes[mode].name, kind_names[kind], count);
	for (size_t i = 0; i < cell_count && wrong > 0; i++)
		if (cells[i].mode == mode && cells[i].kind == kind &&
		    (!cells[i].done || cells[i].broken[0]))
			printf("# %s, %s: %s: %s\n", cells[i].shown, cells[i].what, cells[i].result,
			       cells[i].done ? cells[i].broken : "not run");
}

static void *shared(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		die("memory");
	return memory;
}

int main(void)
{
	const char *tmp = getenv("TMPDIR");
	bool whole = getenv("FCPAUSE_LONG") != NULL;

	if (!getenv("FCPAUSE") || !getenv("FCPAUSE_SIM") || !getenv("FCPAUSE_BUILD"))
		return puts("1..0 # SKIP FCPAUSE, FCPAUSE_SIM and FCPAUSE_BUILD are not set") < 0;
	snprintf(top, sizeof(top), "%s/fcpause-matrix.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(top))
		die(top);
	set_preload();
	signal(SIGPIPE, SIG_IGN);
	cells = shared(CELLS_MAX * sizeof(*cells));
	next = shared(sizeof(*next));
	record_all(whole);
	select_cells(getenv("MATRIX_ONLY"));
	printf("# %zu cells%s\n", cell_count, whole ? "" : ", a sample (FCPAUSE_LONG=1: all)");
	fflush(stdout);
	work_all();
	for (size_t mode = 0; mode < mode_count; mode++)
		for (enum kind kind = 0; kind < KINDS; kind++)
			report_group(mode, kind);
	table_write();
	remove_tree(top);
	return done();
}
