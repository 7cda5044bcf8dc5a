// SPDX-License-Identifier: Apache-2.0
#include "memory/in_use.h"

#include "base/deadline.h"
#include "memory/claim.h"
#include "memory/lease.h"

#include "memory_fixture.h"
#include "tap.h"

#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum hold {
	HOLD_OPEN_READING,
	HOLD_OPEN_WRITING,
	HOLD_MAPPED_PRIVATE,
	HOLD_MAPPED_SHARED,
	HOLD_LOCKED,
};

struct holder {
	pid_t pid;
	int stop; /* closing it ends the child */
};

static void hold(const char *path, enum hold how)
{
	bool reads = how == HOLD_OPEN_READING || how == HOLD_MAPPED_PRIVATE || how == HOLD_LOCKED;
	int fd = open(path, reads ? O_RDONLY : O_RDWR);
	int map = how == HOLD_MAPPED_PRIVATE ? MAP_PRIVATE : MAP_SHARED;

	prctl(PR_SET_NAME, "ho\ndler");
	if (fd < 0 || (how == HOLD_LOCKED && flock(fd, LOCK_SH) < 0))
		_exit(1);
	if (how != HOLD_MAPPED_PRIVATE && how != HOLD_MAPPED_SHARED)
		return;
	if (mmap(NULL, PAGE, PROT_READ, map, fd, 0) == MAP_FAILED)
		_exit(1);
	close(fd);
}

/* A child that has the file in some way by the time this returns. */
static struct holder start_holder(const char *path, enum hold how)
{
	int ready[2], stop[2];
	struct holder holder;
	char byte;

	if (pipe2(ready, O_CLOEXEC) < 0 || pipe2(stop, O_CLOEXEC) < 0)
		abort();
	holder = (struct holder){.pid = fork(), .stop = stop[1]};
	if (holder.pid == 0) {
		close(stop[1]);
		hold(path, how);
		if (write(ready[1], "r", 1) != 1 || read(stop[0], &byte, 1) < 0)
			_exit(1);
		_exit(0);
	}
	close(ready[1]);
	close(stop[0]);
	if (read(ready[0], &byte, 1) != 1)
		abort();
	close(ready[0]);
	return holder;
}

static void stop_holder(struct holder holder)
{
	close(holder.stop);
	waitpid(holder.pid, NULL, 0);
}

static void zero_file(char path[PATH_MAX], const char *dir)
{
	int fd = new_file(dir, path);

	draw(fd, "DZZD");
	close(fd);
}

static int run_step(const char *path, struct fcp_madvise_ranges_result *result,
		    struct fcp_error *err)
{
	const struct fcp_madvise_ranges_settings settings = {.size = sizeof(settings),
							     .mem_file_path = path,
							     .holes = FCP_HOLES_ZERO,
							     .find = FCP_FIND_ZERO,
							     .cancel_fd = -1};

	*err = (struct fcp_error){0};
	return fcp_madvise_ranges(&settings, result, err);
}

static void step_refuses(const char *dir, enum hold how, const char *expected, const char *what)
{
	char path[PATH_MAX], named[300];
	struct fcp_madvise_ranges_result result = FCP_MADVISE_RANGES_RESULT_INIT;
	struct holder holder;
	struct fcp_error err;
	char *now;
	int fd;

	zero_file(path, dir);
	holder = start_holder(path, how);
	ok(run_step(path, &result, &err) < 0 &&
		   err.error_class == (how == HOLD_LOCKED ? FCP_ERR_LOCKED : FCP_ERR_BUSY),
	   "%s is busy", what);
	snprintf(named, sizeof(named), "process %d (ho?dler) %s", (int)holder.pid, expected);
	if (how == HOLD_LOCKED)
		snprintf(named, sizeof(named), "%s", expected);
	has_str(err.message, named, "... and says who has it");
	fcp_madvise_ranges_result_clear(&result);
	stop_holder(holder);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	now = drawn(fd);
	is_str(now, "DZZD", "... and is left as it was");
	free(now);
	close(fd);
	ok(run_step(path, &result, &err) == 0 && result.released_bytes == 2 * PAGE,
	   "... and is released once nobody has it");
	fcp_madvise_ranges_result_clear(&result);
	unlink(path);
}

static void step_in(const char *dir)
{
	printf("# in %s\n", dir ? dir : "the directory for temporary files");
	step_refuses(dir, HOLD_OPEN_WRITING, "has it open for writing",
		     "a file that a child has open for writing");
	step_refuses(dir, HOLD_MAPPED_PRIVATE, "maps it",
		     "a file that a child maps privately, its descriptor closed,");
	step_refuses(dir, HOLD_MAPPED_SHARED, "maps it", "a file that a child maps shared");
	step_refuses(dir, HOLD_LOCKED, "another fcpause is using it", "a locked file");
}

static void mere_reader(void)
{
	char path[PATH_MAX];
	struct fcp_madvise_ranges_result result = FCP_MADVISE_RANGES_RESULT_INIT;
	struct holder holder;
	struct fcp_error err;

	zero_file(path, NULL);
	holder = start_holder(path, HOLD_OPEN_READING);
	ok(run_step(path, &result, &err) == 0 && result.released_bytes == 2 * PAGE,
	   "a file that a child only reads is released");
	fcp_madvise_ranges_result_clear(&result);
	stop_holder(holder);
	unlink(path);
}

/* What /proc shows, without the lease. */
static void found_in_proc(enum hold how, enum fcp_in_use_how expected, const char *what)
{
	char path[PATH_MAX];
	struct holder holder;
	struct fcp_in_use use;
	struct fcp_error err;
	uint64_t start_ns;
	int fd;

	zero_file(path, NULL);
	holder = start_holder(path, how);
	fd = open(path, O_RDWR | O_CLOEXEC);
	start_ns = fcp_now_ns();
	ok(fcp_in_use_find(fd, &use, &err) == 0 && use.how == expected, "/proc: %s", what);
	printf("# took %.2f ms\n", fcp_ms_since(start_ns));
	if (expected != FCP_IN_USE_NOT)
		is_u64((uint64_t)use.pid, (uint64_t)holder.pid, "... by this process");
	else
		is_u64(use.readers, how == HOLD_OPEN_READING, "... the reader is counted");
	ok(!use.self, "... and not by ourselves");
	close(fd);
	stop_holder(holder);
	unlink(path);
}

static void ourselves(void)
{
	char path[PATH_MAX];
	struct fcp_in_use use;
	struct fcp_error err;
	int fd, second;

	zero_file(path, NULL);
	fd = open(path, O_RDWR | O_CLOEXEC);
	second = open(path, O_RDONLY | O_CLOEXEC);
	ok(fcp_in_use_find(fd, &use, &err) == 0 && use.how == FCP_IN_USE_NOT && use.self,
	   "a second descriptor of our own is no other's, but told");
	close(second);
	close(fd);
	unlink(path);
}

static bool is_held(const char *path)
{
	FCP_CLEANUP(fd) int fd = open(path, O_PATH | O_CLOEXEC);

	return fcp_claim_is_held(fd);
}

/* Somebody opens the file while it is claimed: he waits until the claim has seen him. */
static void opened_meanwhile(int flags, const char *what)
{
	char path[PATH_MAX];
	struct fcp_claim claim;
	struct fcp_error err;
	bool lost = false;
	uint64_t deadline;
	int fd, status;
	pid_t child;

	zero_file(path, NULL);
	fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	ok(fcp_claim_take(fd, path, FCP_CLAIM_WRITE, &claim, &err) == 0, "a file is claimed");
	if (!claim.leased) {
		skip(what, "no leases on this file system");
		goto out;
	}
	ok(!fcp_claim_lost(&claim), "... and stays so while nobody comes");
	ok(is_held(path), "... which others can see without a try");
	child = fork();
	if (child == 0) {
		close(fd);
		_exit(open(path, flags) < 0);
	}
	/* Asked again and again, as a scan does. */
	for (deadline = fcp_deadline_in_ms(10000); !lost && !fcp_deadline_passed(deadline);)
		lost = fcp_claim_lost(&claim);
	ok(lost, "%s ends the claim", what);
	ok(waitpid(child, &status, 0) == child && status == 0, "... and gets in");
	ok(fcp_claim_lost(&claim) && !is_held(path), "... for good");
out:
	fcp_claim_release(&claim);
	close(fd);
	unlink(path);
}

static void *ask(void *claim)
{
	fcp_claim_lost(claim);
	return NULL;
}

/* D9: one thread changes the file, another finds that somebody wants it: he must wait for the end
 * of the change. */
static void given_up_by_another_thread(void)
{
	char path[PATH_MAX];
	struct fcp_claim claim;
	struct fcp_claim_change change;
	struct fcp_error err;
	pthread_t thread;
	pid_t child;
	int fd, status;

	zero_file(path, NULL);
	fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fcp_claim_take(fd, path, FCP_CLAIM_WRITE, &claim, &err) < 0 || !claim.leased) {
		skip("two threads", "no leases on this file system");
		return;
	}
	ok(fcp_claim_change_begin(&claim, &change), "D9: a change begins");
	child = fork();
	if (child == 0) {
		close(fd);
		_exit(open(path, O_RDWR) < 0);
	}
	while (fcp_lease_is_held(fd))
		fcp_wait_ns(1000000, -1);
	if (pthread_create(&thread, NULL, ask, &claim) != 0)
		abort();
	fcp_wait_ns(50000000, -1);
	ok(waitpid(child, &status, WNOHANG) == 0,
	   "... another thread does not give way before its end");
	ok(fcp_claim_change_end(&claim, &change) == FCP_CLAIM_WANTED,
	   "... which says that it is wanted");
	ok(waitpid(child, &status, 0) == child && status == 0, "... and then he gets in");
	pthread_join(thread, NULL);
	ok(!fcp_claim_change_begin(&claim, &change), "... and no change begins any more");
	fcp_claim_release(&claim);
	close(fd);
	unlink(path);
}

/* F6: a process forked while a run goes on, which starts no other program. */
static void forked_meanwhile(void)
{
	char path[PATH_MAX];
	struct fcp_madvise_ranges_result result = FCP_MADVISE_RANGES_RESULT_INIT;
	struct fcp_claim claim;
	struct fcp_error err;
	struct holder holder;
	int fd;

	zero_file(path, NULL);
	fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fcp_claim_take(fd, path, FCP_CLAIM_WRITE, &claim, &err) < 0)
		abort();
	/* It opens another file of its own. */
	holder = start_holder("/dev/null", HOLD_OPEN_READING);
	fcp_claim_release(&claim);
	close(fd);
	ok(!is_held(path),
	   "F6: with a copy of the claim in a forked process, the file is not claimed");
	ok(run_step(path, &result, &err) == 0 && result.released_bytes == 2 * PAGE,
	   "F6: ... and the next run releases: %s", err.message);
	fcp_madvise_ranges_result_clear(&result);
	stop_holder(holder);
	unlink(path);
}

/* F6: such processes come and go all the time, with much memory to copy. */
static void *fork_all_the_time(void *stop)
{
	while (!__atomic_load_n((bool *)stop, __ATOMIC_RELAXED)) {
		pid_t child = fork();

		if (child == 0) {
			execl("/bin/true", "true", (char *)NULL);
			_exit(1);
		}
		waitpid(child, NULL, 0);
	}
	return NULL;
}

static void forks_and_runs(void)
{
	char path[PATH_MAX];
	size_t bytes = 64 << 20;
	char *memory = malloc(bytes);
	bool stop = false;
	unsigned failed = 0;
	pthread_t thread;

	memset(memory, 1, bytes);
	zero_file(path, NULL);
	if (pthread_create(&thread, NULL, fork_all_the_time, &stop) != 0)
		abort();
	for (int i = 0; i < 50; i++) {
		struct fcp_madvise_ranges_result result = FCP_MADVISE_RANGES_RESULT_INIT;
		struct fcp_error err;

		if (run_step(path, &result, &err) != 0 && failed++ == 0)
			printf("# %s\n", err.message);
		fcp_madvise_ranges_result_clear(&result);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	is_u64(failed, 0, "F6: 50 runs beside a thread that starts processes");
	free(memory);
	unlink(path);
}

static void second_run(void)
{
	char path[PATH_MAX];
	struct fcp_madvise_ranges_result result = FCP_MADVISE_RANGES_RESULT_INIT;
	struct fcp_claim claim;
	struct fcp_error err;
	pid_t child;
	int fd, status;

	zero_file(path, NULL);
	fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fcp_claim_take(fd, path, FCP_CLAIM_WRITE, &claim, &err) < 0)
		abort();
	child = fork();
	if (child == 0) {
		close(fd);
		_exit(run_step(path, &result, &err) < 0 && err.error_class == FCP_ERR_LOCKED &&
				      strstr(err.message, "another fcpause is using it")
			      ? 0
			      : 1);
	}
	ok(waitpid(child, &status, 0) == child && status == 0,
	   "a second run beside the first ends at once: locked");
	ok(!fcp_claim_lost(&claim), "... and does not disturb the first");
	fcp_claim_release(&claim);
	close(fd);
	unlink(path);
}

/* A user who may not look at others is told so, or learns it from the lease. */
static void without_permission(void)
{
	char path[PATH_MAX];
	struct fcp_in_use use;
	struct fcp_error err;
	pid_t child;
	int fd, status;

	if (geteuid() != 0) {
		skip("processes that may not be looked at", "needs root to give permission up");
		return;
	}
	zero_file(path, NULL);
	fd = open(path, O_RDWR | O_CLOEXEC);
	child = fork();
	if (child == 0) {
		bool counted = setgid(65534) == 0 && setuid(65534) == 0 &&
			       fcp_in_use_find(fd, &use, &err) == 0 && use.hidden > 0 &&
			       use.how == FCP_IN_USE_NOT;

		_exit(!counted);
	}
	ok(waitpid(child, &status, 0) == child && status == 0,
	   "processes that may not be looked at are counted");
	close(fd);
	unlink(path);
}

int main(void)
{
	step_in(NULL);
	if (access("/dev/shm", W_OK) == 0)
		step_in("/dev/shm");
	mere_reader();
	found_in_proc(HOLD_OPEN_READING, FCP_IN_USE_NOT, "open for reading is no use");
	found_in_proc(HOLD_OPEN_WRITING, FCP_IN_USE_WRITER, "open for writing");
	found_in_proc(HOLD_MAPPED_PRIVATE, FCP_IN_USE_MAPPED, "mapped privately");
	found_in_proc(HOLD_MAPPED_SHARED, FCP_IN_USE_MAPPED, "mapped shared");
	ourselves();
	opened_meanwhile(O_RDONLY, "a reader who comes meanwhile");
	opened_meanwhile(O_RDWR, "a writer who comes meanwhile");
	given_up_by_another_thread();
	forked_meanwhile();
	forks_and_runs();
	second_run();
	without_permission();
	return done();
}
