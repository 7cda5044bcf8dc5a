// SPDX-License-Identifier: Apache-2.0
/*
 * Times commands against each other, as whole processes: fork to exit, on CLOCK_MONOTONIC. They
 * take turns (A B C A B C ...), so that what else the machine does hits all alike.
 *
 *   timing ROUNDS PREPARE NAME COMMAND [NAME COMMAND]...
 *
 * PREPARE is a shell command that runs before each turn and is not timed; "" for none. COMMAND is
 * split at blanks, without a shell. Prints a line each: name; median, min, max in ms; median of the
 * processor time in ms (user and system, all threads); the median as a multiple of the first one's.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#define MAX_COMMANDS 8
#define MAX_ARGUMENTS 32

extern char **environ;

struct contender {
	const char *name;
	char *argv[MAX_ARGUMENTS + 1];
	double *ms;
	double *cpu_ms;
};

static void die(const char *what, const char *which)
{
	fprintf(stderr, "timing: %s: %s\n", what, which);
	exit(1);
}

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void split(char *command, char **argv)
{
	char *rest = NULL;
	size_t count = 0;

	for (char *word = strtok_r(command, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		if (count == MAX_ARGUMENTS)
			die("too many arguments", argv[0]);
		argv[count++] = word;
	}
	if (count == 0)
		die("empty command", "");
	argv[count] = NULL;
}

static double timeval_ms(struct timeval time)
{
	return (double)time.tv_sec * 1e3 + (double)time.tv_usec / 1e3;
}

static void time_once(const struct contender *contender, size_t round,
		      const posix_spawn_file_actions_t *actions)
{
	double start = now_ms();
	struct rusage usage;
	int status, error;
	pid_t pid;

	error = posix_spawnp(&pid, contender->argv[0], actions, NULL, contender->argv, environ);
	if (error)
		die(contender->argv[0], strerror(error));
	while (wait4(pid, &status, 0, &usage) < 0)
		if (errno != EINTR)
			die("wait4", strerror(errno));
	contender->ms[round] = now_ms() - start;
	contender->cpu_ms[round] = timeval_ms(usage.ru_utime) + timeval_ms(usage.ru_stime);
	if (status != 0)
		die("a command failed", contender->name);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double sorted_median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare);
	return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

static void report(struct contender *contenders, size_t count, size_t rounds)
{
	double first = sorted_median(contenders[0].ms, rounds);

	for (size_t i = 0; i < count; i++) {
		double median = sorted_median(contenders[i].ms, rounds);

		printf("  %-34s %9.2f %9.2f %9.2f %9.2f %8.2f x\n", contenders[i].name, median,
		       contenders[i].ms[0], contenders[i].ms[rounds - 1],
		       sorted_median(contenders[i].cpu_ms, rounds), median / first);
	}
}

int main(int argc, char **argv)
{
	struct contender contenders[MAX_COMMANDS];
	posix_spawn_file_actions_t actions;
	size_t count = argc > 4 ? ((size_t)argc - 3) / 2 : 0;
	size_t rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;

	if (rounds == 0 || count == 0 || count > MAX_COMMANDS || argc % 2 == 0)
		die("usage", "timing ROUNDS PREPARE NAME COMMAND [NAME COMMAND]...");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	for (size_t i = 0; i < count; i++) {
		contenders[i].name = argv[3 + 2 * i];
		split(argv[4 + 2 * i], contenders[i].argv);
		contenders[i].ms = calloc(rounds, sizeof(double));
		contenders[i].cpu_ms = calloc(rounds, sizeof(double));
		if (!contenders[i].ms || !contenders[i].cpu_ms)
			die("no memory", "");
	}
	for (size_t round = 0; round < rounds; round++) {
		for (size_t i = 0; i < count; i++) {
			if (argv[2][0] && system(argv[2]) != 0)
				die("the preparation failed", argv[2]);
			time_once(&contenders[i], round, &actions);
		}
	}
	report(contenders, count, rounds);
	return 0;
}
