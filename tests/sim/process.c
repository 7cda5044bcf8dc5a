// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process.h"
#include "started.h"
#include "workdir.h"

#define MAX_ENV 64

/* All that the child needs, made before the fork. */
struct launch {
	char *program;
	char **argv;
	char *envp[MAX_ENV + 8];
	char cwd[GUEST_PATH_MAX + 512];
	char failed[512]; /* "ionice: can't execute '…': " */
	int in, out, err;
	int stdin_fd; /* what is written to it is read from in; -1: /dev/null */
};

static void add_env(struct launch *l, const char *name, const char *value)
{
	size_t n = 0;

	while (l->envp[n])
		n++;
	if (n < MAX_ENV && asprintf(&l->envp[n], "%s=%s", name, value) < 0)
		l->envp[n] = NULL;
}

static void make_environment(struct launch *l, const json_t *process, const char *user)
{
	char home[GUEST_PATH_MAX + 32];
	const char *name;
	json_t *value;

	workdir_home(user, home, sizeof(home));
	add_env(l, "PATH", GUEST_BIN);
	add_env(l, "HOME", home);
	add_env(l, GUEST_USER_ENV, user);
	add_env(l, "LOGNAME", user);
	add_env(l, GUEST_SOCKET_ENV, GUEST_SOCKET);
	json_object_foreach(json_object_get(process, "envs"), name, value)
	{
		if (json_is_string(value) && strcmp(name, "PATH"))
			add_env(l, name, json_string_value(value));
	}
}

static int make_arguments(struct launch *l, const json_t *process)
{
	const json_t *args = json_object_get(process, "args");
	const char *cmd = json_string_value(json_object_get(process, "cmd"));
	size_t count = json_array_size(args);

	cmd = cmd ? cmd : "";
	l->argv = calloc(count + 2, sizeof(*l->argv));
	if (!l->argv)
		return -1;
	l->argv[0] = strdup(cmd);
	for (size_t i = 0; i < count; i++) {
		const char *arg = json_string_value(json_array_get(args, i));

		l->argv[i + 1] = guest_map(arg ? arg : "");
	}
	if (strchr(cmd, '/') || !*cmd)
		l->program = strdup(cmd);
	else if (asprintf(&l->program, GUEST_BIN "/%s", cmd) < 0)
		l->program = NULL;
	snprintf(l->failed, sizeof(l->failed), "ionice: can't execute '%s': ", cmd);
	return l->program ? 0 : -1;
}

static void free_launch(struct launch *l)
{
	for (size_t i = 0; l->argv && l->argv[i]; i++)
		free(l->argv[i]);
	for (size_t i = 0; l->envp[i]; i++)
		free(l->envp[i]);
	free(l->argv);
	free(l->program);
}

/* In the child, between fork and exec: only what a signal handler may do. */
static _Noreturn void run_child(const struct launch *l)
{
	struct sigaction dfl = {.sa_handler = SIG_DFL};
	const char *why;
	sigset_t none;
	int error;

	sigemptyset(&none);
	sigaction(SIGPIPE, &dfl, NULL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(l->in, 0);
	dup2(l->out, 1);
	dup2(l->err, 2);
	close_range(3, ~0U, 0);
	if (!chdir(l->cwd))
		execve(l->program, l->argv, l->envp);
	error = errno;
	why = strerrordesc_np(error);
	if (write(2, l->failed, strlen(l->failed)) < 0 || write(2, why, strlen(why)) < 0 ||
	    write(2, "\n", 1) < 0)
		_exit(126);
	_exit(error == EACCES ? 126 : 127);
}

static int open_pipes(struct launch *l, struct process *p, bool with_stdin)
{
	int out[2], err[2], in[2] = {-1, -1};

	if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		return -1;
	p->cancel_fd = eventfd(0, EFD_CLOEXEC);
	if (p->cancel_fd < 0)
		return -1;
	if (with_stdin ? pipe2(in, O_CLOEXEC)
		       : (in[0] = open("/dev/null", O_RDONLY | O_CLOEXEC)) < 0)
		return -1;
	p->out_fd = out[0];
	p->err_fd = err[0];
	l->out = out[1];
	l->err = err[1];
	l->in = in[0];
	l->stdin_fd = in[1];
	return 0;
}

static int fork_child(struct launch *l, struct process *p, const struct jail *jail, bool with_stdin,
		      char *ret_message, size_t size)
{
	if (open_pipes(l, p, with_stdin)) {
		snprintf(ret_message, size, "error creating pipes: %s", strerror(errno));
		return -1;
	}
	p->pid = jail_fork(jail);
	if (p->pid == 0)
		run_child(l);
	close(l->out);
	close(l->err);
	close(l->in);
	if (p->pid < 0) {
		snprintf(ret_message, size, "error starting process: %s", strerror(errno));
		return -1;
	}
	p->pid_fd = (int)syscall(SYS_pidfd_open, p->pid, 0);
	p->guest_pid = jail_pid_inside(p->pid);
	started_add(p->pid, p->guest_pid, p->cancel_fd, l->stdin_fd);
	return 0;
}

int process_start(struct process *p, const struct guest *guest, const json_t *request,
		  const char *user, char *ret_message, size_t size)
{
	const json_t *process = json_object_get(request, "process");
	const json_t *with_stdin = json_object_get(request, "stdin");
	struct launch l = {0};
	int ret = -1;

	if (guest->jail.init == 0) {
		snprintf(ret_message, size,
			 "fcpause-sim runs the guest's commands in a directory of their "
			 "own only, and cannot here: %s",
			 guest->jail.why);
		return -1;
	}
	make_environment(&l, process, user);
	if (!make_arguments(&l, process) &&
	    !workdir_resolve(guest, process, user, l.cwd, sizeof(l.cwd), ret_message, size))
		ret = fork_child(&l, p, &guest->jail, !json_is_false(with_stdin), ret_message,
				 size);
	free_launch(&l);
	return ret;
}

static int poll_ms(int64_t deadline_ns)
{
	int64_t left = (deadline_ns - now_ns() + 999999) / 1000000;

	if (deadline_ns == INT64_MAX)
		return -1;
	return left < 0 ? 0 : left > 1000000 ? 1000000 : (int)left;
}

static ssize_t read_some(int *fd, char *buf, size_t size)
{
	ssize_t n = read(*fd, buf, size);

	if (n <= 0) {
		close(*fd);
		*fd = -1;
	}
	return n;
}

/* The next of two streams that has something to read: its bytes; 0: neither has. */
static ssize_t read_ready(struct process *p, const struct pollfd fds[2], char *buf, size_t size,
			  int *ret_stream)
{
	for (*ret_stream = 1; *ret_stream <= 2; ++*ret_stream) {
		ssize_t n = 0;

		if (fds[*ret_stream - 1].revents)
			n = read_some(*ret_stream == 1 ? &p->out_fd : &p->err_fd, buf, size);
		if (n > 0)
			return n;
	}
	return 0;
}

/* Its end counts once its output is closed; and at once, where a signal was sent. */
static bool awaits_end(const struct process *p)
{
	return p->cancelled || (p->out_fd < 0 && p->err_fd < 0);
}

ssize_t process_read(struct process *p, const struct vm *vm, int client_fd, char *buf, size_t size,
		     int *ret_stream)
{
	for (;;) {
		struct pollfd fds[6] = {{.fd = p->out_fd, .events = POLLIN},
					{.fd = p->err_fd, .events = POLLIN},
					{.fd = client_fd, .events = POLLRDHUP},
					{.fd = vm->stop_fd, .events = POLLIN},
					{.fd = p->cancelled ? -1 : p->cancel_fd, .events = POLLIN},
					{.fd = awaits_end(p) ? p->pid_fd : -1, .events = POLLIN}};
		int64_t next_ns = p->deadline_ns < p->quiet_ns ? p->deadline_ns : p->quiet_ns;
		ssize_t n;

		if (now_ns() >= p->deadline_ns)
			return PROCESS_DEADLINE;
		if (now_ns() >= p->quiet_ns) {
			p->quiet_ns += p->keepalive_ns;
			return PROCESS_QUIET;
		}
		if (poll(fds, 6, poll_ms(next_ns)) < 0 && errno != EINTR)
			return PROCESS_GONE;
		if (fds[2].revents || fds[3].revents)
			return PROCESS_GONE;
		if (fds[5].revents)
			return PROCESS_ENDED;
		p->cancelled |= fds[4].revents != 0;
		n = read_ready(p, fds, buf, size, ret_stream);
		if (n > 0) {
			p->quiet_ns = now_ns() + p->keepalive_ns;
			return n;
		}
	}
}

void process_kill(struct process *p)
{
	kill(p->pid, SIGKILL);
}

static void close_fds(int *const *fds, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
}

int process_end(struct process *p)
{
	int *const fds[] = {&p->out_fd, &p->err_fd, &p->pid_fd, &p->cancel_fd};
	int status = 0;

	close_fds(fds, 2);
	/* It keeps its pid until it is collected. */
	waitid(P_PID, (id_t)p->pid, &(siginfo_t){0}, WEXITED | WNOWAIT);
	started_remove(p->pid);
	close_fds(fds + 2, 2);
	while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

struct left {
	struct process process;
	const struct vm *vm;
};

static void *read_on(void *arg)
{
	struct left *left = arg;
	char buf[4096];
	int stream;
	ssize_t n;

	do {
		n = process_read(&left->process, left->vm, -1, buf, sizeof(buf), &stream);
	} while (n > 0);
	if (n < 0)
		process_kill(&left->process);
	process_end(&left->process);
	free(left);
	return NULL;
}

void process_leave(struct process *p, const struct vm *vm)
{
	struct left *left = malloc(sizeof(*left));
	pthread_t thread;

	if (!left)
		return;
	*left = (struct left){*p, vm};
	left->process.quiet_ns = INT64_MAX;
	if (pthread_create(&thread, NULL, read_on, left))
		free(left);
	else
		pthread_detach(thread);
}

void process_kill_all(pid_t init)
{
	char path[64];
	FILE *in;
	int pid;

	/* Orphans come to this process (it is a subreaper), so a few rounds reach all. */
	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	for (int round = 0; round < 16; round++) {
		bool any = false;

		in = fopen(path, "re");
		while (in && fscanf(in, "%d", &pid) == 1) {
			if (pid == init)
				continue;
			any = true;
			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
		}
		if (in)
			fclose(in);
		if (!any)
			return;
	}
}
