// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "matrix.h"

#define HUNG_S 120 /* longer than fcpause's own deadlines together */

static volatile pid_t running;
static volatile bool hung;

/* ---- starting ---- */

static void redirect(const char *path, int fd)
{
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (file < 0 || dup2(file, fd) != fd)
		die(path);
}

/* The signals that end a program are not ignored, whoever started us. */
static void set_up_child(const struct mode *mode, const struct run *run)
{
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	redirect("out", STDOUT_FILENO);
	redirect("err", STDERR_FILENO);
	setenv("FCPAUSE_WRITER", mode->writer, 1);
	unsetenv("FCPAUSE_SIM");
	unsetenv("FCPAUSE_BUILD");
	unsetenv("FCPAUSE_LONG");
	setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
	if (run->plain && !run->fault)
		return;
	setenv("LD_PRELOAD", getenv("MATRIX_PRELOAD"), 1);
	setenv("SHIM_LOG", "calls", 1);
	setenv("SHIM_PROC", "1", 1);
	if (run->fault)
		setenv("SHIM_FAULT", run->fault, 1);
}

static void exec_fcpause(const struct sim *sim, const struct mode *mode, const struct run *run)
{
	const char *args[32] = {getenv("FCPAUSE"),
				mode->pause && !run->plain ? "pause" : "snapshot",
				"--json",
				"--api-sock",
				"api.sock",
				"--snapshot-path",
				"d/snap",
				"--mem-file-path",
				"d/mem"};
	const char *chain[] = {"--reclaim", "--drain",		"--envd",
			       sim->envd,   "--fph-timeout-ms", "1000"};
	size_t count = 9;

	if (mode->force || run->plain)
		args[count++] = "--force";
	if (mode->resume && !run->plain)
		args[count++] = "--resume";
	args[count++] = "--timeout-ms";
	args[count++] = run->hasty ? "300" : "5000";
	args[count++] = "--snapshot-timeout-ms";
	args[count++] = run->hasty ? "800" : "5000";
	for (size_t i = 0; mode->pause && !run->plain && i < sizeof(chain) / sizeof(chain[0]); i++)
		args[count++] = chain[i];
	set_up_child(mode, run);
	execv(args[0], (char **)args);
	die(args[0]);
}

/* ---- its children ---- */

static int children_of_thread(const char *path, pid_t *pids, int count, int max)
{
	FILE *file = fopen(path, "re");

	while (file && count < max && fscanf(file, "%d", &pids[count]) == 1)
		count++;
	if (file)
		fclose(file);
	return count;
}

static int children_of(pid_t pid, pid_t *pids, int max)
{
	char path[300];
	const struct dirent *task;
	int count = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	while (dir && (task = readdir(dir)) != NULL) {
		if (task->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%s/children", (int)pid, task->d_name);
		count = children_of_thread(path, pids, count, max);
	}
	if (dir)
		closedir(dir);
	return count;
}

static bool is_fcpause(pid_t pid)
{
	char path[40], *name;
	bool is_it;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	name = read_file(path);
	is_it = strcmp(name, "fcpause\n") == 0 || strcmp(name, "fcpause-guard\n") == 0;
	free(name);
	return is_it;
}

/* A guard whose parent was killed is ours now: it ends once it has put the VM back. */
static void reap_guards(const struct sim *sim, struct ended *ended_)
{
	pid_t pids[16];
	int count = children_of(getpid(), pids, 16);

	for (int i = 0; i < count; i++) {
		if (pids[i] == sim->pid)
			continue;
		if (is_fcpause(pids[i]))
			ended_->left_process |= !ended_->was_killed;
		else /* of a simulated guest that has ended */
			kill(pids[i], SIGKILL);
		running = pids[i];
		while (waitpid(pids[i], NULL, __WALL) < 0 && errno == EINTR)
			continue;
	}
}

/* ---- signals ---- */

static long lines_of(const char *request)
{
	char *log = read_file("requests");
	size_t length = strlen(request);
	long count = 0;

	for (const char *line = log; *line;
	     line = strchr(line, '\n') ? strchr(line, '\n') + 1 : "") {
		if (strncmp(line, "envd ", 5) == 0)
			line += 5;
		count += strncmp(line, request, length) == 0 && strchr(" \n", line[length]);
	}
	free(log);
	return count;
}

/* The request's line is in the log, or fcpause has ended. */
static void signal_at_request(pid_t pid, const struct run *run)
{
	int inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd fds[] = {{.fd = inotify, .events = POLLIN}, {.fd = pidfd, .events = POLLIN}};
	char events[4096];

	if (inotify < 0 || pidfd < 0 || inotify_add_watch(inotify, "requests", IN_MODIFY) < 0)
		die("inotify");
	while (lines_of(run->signal_at) < run->nth && !fds[1].revents && !hung) {
		poll(fds, 2, HUNG_S * 1000);
		while (read(inotify, events, sizeof(events)) > 0)
			continue;
	}
	kill(pid, run->signal);
	close(inotify);
	close(pidfd);
}

/* It has stopped itself: first its guard is killed. */
static void kill_both(pid_t pid)
{
	pid_t pids[16];
	int count = children_of(pid, pids, 16);

	for (int i = 0; i < count; i++)
		kill(pids[i], SIGKILL);
	kill(pid, SIGKILL);
}

static void on_alarm(int number)
{
	(void)number;
	hung = true;
	if (running > 0)
		kill(running, SIGKILL);
}

static void wait_for(pid_t pid, const struct run *run, struct ended *ended_)
{
	struct rusage usage;
	int status;

	while (wait4(pid, &status, WUNTRACED, &usage) < 0 || WIFSTOPPED(status))
		if (run->both)
			kill_both(pid);
	ended_->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	ended_->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	ended_->was_killed = ended_->signal == SIGKILL;
	ended_->cpu_us = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
			 usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

void run_fcpause(const struct sim *sim, const struct mode *mode, const struct run *run,
		 struct ended *ended_)
{
	struct sigaction action = {.sa_handler = on_alarm};
	pid_t pid;

	*ended_ = (struct ended){0};
	hung = false;
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0)
		exec_fcpause(sim, mode, run);
	running = pid;
	sigaction(SIGALRM, &action, NULL);
	alarm(HUNG_S);
	if (run->signal_at)
		signal_at_request(pid, run);
	wait_for(pid, run, ended_);
	reap_guards(sim, ended_);
	alarm(0);
	running = 0;
	ended_->hung = hung;
}
