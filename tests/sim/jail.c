// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jail.h"
#include "jail_mounts.h"

/* What the making of the jail has come to: where it failed, or the first process in there. It is
 * told by the process that makes the namespaces, and by the first one in there. */
struct made {
	pid_t init;
	int error;
	char what[200];
};

static void report(int fd, const struct made *made)
{
	if (write(fd, made, sizeof(*made)) != (ssize_t)sizeof(*made))
		_exit(1);
}

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (fd >= 0)
		close(fd);
	return n < 0 ? -1 : 0;
}

/* Root in there is who runs the simulator, and nobody else is there. */
static int map_user(uid_t uid, gid_t gid)
{
	char text[64];

	if (write_text("/proc/self/setgroups", "deny") && errno != ENOENT)
		return -1;
	snprintf(text, sizeof(text), "0 %u 1", uid);
	if (write_text("/proc/self/uid_map", text))
		return -1;
	snprintf(text, sizeof(text), "0 %u 1", gid);
	return write_text("/proc/self/gid_map", text);
}

/* Root can do without a namespace of users, where that one is not permitted. */
static int unshare_all(void)
{
	const uid_t uid = geteuid();
	const gid_t gid = getegid();

	if (!unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID))
		return map_user(uid, gid);
	return unshare(CLONE_NEWNS | CLONE_NEWPID);
}

static pid_t fork_as_sibling(void)
{
	return (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
}

/* Makes the root, then reaps what commands leave behind; its end is the end of all. */
static _Noreturn void run_init(int fd, const struct jail_outside *outside, const char *dir,
			       const char *share)
{
	struct sigaction reap = {.sa_handler = SIG_IGN};
	struct made made = {0};
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, JAIL_INIT_NAME);
	jail_mounts_make(dir, outside, share, made.what, sizeof(made.what));
	made.error = made.what[0] ? errno : 0;
	report(fd, &made);
	close_range(0, ~0U, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	sigaction(SIGCHLD, &reap, NULL);
	for (;;)
		pause();
}

static _Noreturn void make(int fd, const char *dir, const char *share)
{
	struct made made = {0};
	struct jail_outside outside;

	if (jail_mounts_look(&outside) || unshare_all())
		made = (struct made){.error = errno, .what = "namespaces"};
	else
		made.init = fork_as_sibling();
	if (!made.error && made.init == 0)
		run_init(fd, &outside, dir, share);
	if (made.init < 0)
		made = (struct made){.error = errno, .what = "fork"};
	report(fd, &made);
	_exit(0);
}

/* From both, or from the one that could not make the other. */
static struct made hear(int fd)
{
	struct made all = {0}, one;
	int reports = 0;

	while (reports < 2 && read(fd, &one, sizeof(one)) == (ssize_t)sizeof(one)) {
		reports++;
		if (one.init)
			all.init = one.init;
		if (one.error) {
			all.error = one.error;
			memcpy(all.what, one.what, sizeof(all.what));
		}
	}
	if (reports < 2 && !all.error)
		all = (struct made){.init = all.init, .error = ECHILD, .what = "the first process"};
	return all;
}

static int open_namespace(pid_t pid, const char *name)
{
	char path[64], own[64];
	char theirs[64] = "", ours[64] = "";

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, name);
	snprintf(own, sizeof(own), "/proc/self/ns/%s", name);
	if (readlink(path, theirs, sizeof(theirs) - 1) < 0 ||
	    readlink(own, ours, sizeof(ours) - 1) < 0)
		return -1;
	return strcmp(theirs, ours) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
}

static int open_root(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/root", pid);
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void enter(struct jail *jail, const struct made *made)
{
	jail->init = made->init;
	if (made->error) {
		snprintf(jail->why, sizeof(jail->why), "%s: %s", made->what, strerror(made->error));
		jail_stop(jail);
		return;
	}
	jail->user_fd = open_namespace(made->init, "user");
	jail->mnt_fd = open_namespace(made->init, "mnt");
	jail->pid_fd = open_namespace(made->init, "pid");
	jail->root_fd = open_root(made->init);
	if (jail->mnt_fd >= 0 && jail->pid_fd >= 0 && jail->root_fd >= 0)
		return;
	snprintf(jail->why, sizeof(jail->why), "/proc/%d/ns: %s", made->init, strerror(errno));
	jail_stop(jail);
}

void jail_start(struct jail *jail, const char *dir, const char *share)
{
	struct made made;
	int fds[2];
	pid_t pid;

	*jail = (struct jail){.user_fd = -1, .mnt_fd = -1, .pid_fd = -1, .root_fd = -1};
	if (pipe2(fds, O_CLOEXEC)) {
		snprintf(jail->why, sizeof(jail->why), "pipe: %s", strerror(errno));
		return;
	}
	pid = fork();
	if (pid == 0)
		make(fds[1], dir, share);
	close(fds[1]);
	made = hear(fds[0]);
	close(fds[0]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	enter(jail, &made);
}

void jail_stop(struct jail *jail)
{
	if (jail->init > 0) {
		kill(jail->init, SIGKILL);
		waitpid(jail->init, NULL, 0);
	}
	jail->init = 0;
}

/* What root keeps in there: nothing by which it could mount, or change the kernel. */
static void drop_capabilities(void)
{
	static const int kept[] = {
		CAP_CHOWN,  CAP_DAC_OVERRIDE, CAP_FOWNER,	    CAP_FSETID,	  CAP_KILL,
		CAP_SETGID, CAP_SETUID,	      CAP_NET_BIND_SERVICE, CAP_SYS_NICE,
	};

	for (int cap = 0; cap <= CAP_LAST_CAP; cap++) {
		bool keep = false;

		for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
			keep |= kept[i] == cap;
		if (!keep)
			prctl(PR_CAPBSET_DROP, cap);
	}
}

/* Into the jail; what is forked then is in there, and is the simulator's own child. */
static pid_t fork_inside(const struct jail *jail)
{
	if (jail->user_fd >= 0 && setns(jail->user_fd, CLONE_NEWUSER))
		return -1;
	if (setns(jail->mnt_fd, CLONE_NEWNS) || setns(jail->pid_fd, CLONE_NEWPID) ||
	    fchdir(jail->root_fd) || chroot("."))
		return -1;
	return fork_as_sibling();
}

pid_t jail_fork(const struct jail *jail)
{
	int fds[2];
	pid_t helper, pid = -1;

	if (pipe2(fds, O_CLOEXEC))
		return -1;
	helper = fork();
	if (helper == 0) {
		pid = fork_inside(jail);
		if (pid == 0) {
			drop_capabilities();
			return 0;
		}
		_exit(write(fds[1], &pid, sizeof(pid)) == (ssize_t)sizeof(pid) ? 0 : 1);
	}
	close(fds[1]);
	if (helper > 0 && read(fds[0], &pid, sizeof(pid)) != (ssize_t)sizeof(pid))
		pid = -1;
	close(fds[0]);
	if (helper > 0)
		waitpid(helper, NULL, 0);
	return pid;
}

pid_t jail_pid_inside(pid_t pid)
{
	char path[64], line[256], *last;
	pid_t inside = pid;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	in = fopen(path, "re");
	while (in && fgets(line, sizeof(line), in)) {
		last = strncmp(line, "NSpid:", 6) ? NULL : strrchr(line, '\t');
		if (last)
			inside = atoi(last + 1);
	}
	if (in)
		fclose(in);
	return inside;
}

void jail_path(const struct jail *jail, const char *inside, char *ret, size_t size)
{
	snprintf(ret, size, "/proc/%d/root%s", jail->init, inside);
}
