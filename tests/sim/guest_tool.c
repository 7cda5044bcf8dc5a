// SPDX-License-Identifier: Apache-2.0
/* The guest's own programs: a client that runs in the command, and what the simulator answers. */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

#define MAX_WORDS 16

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

bool guest_tool_is_called(const char *name)
{
	return getenv(GUEST_SOCKET_ENV) && strncmp(base_name(name), "fcpause-sim", 11) != 0;
}

static int connect_to_simulator(void)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", getenv(GUEST_SOCKET_ENV));
	if (fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* What is written to a file below /proc/sys/vm comes on stdin. */
static void add_input(char *line, size_t size)
{
	size_t n = strlen(line);
	char value[64] = "";

	if (!fgets(value, sizeof(value), stdin))
		return;
	value[strcspn(value, "\n")] = '\0';
	snprintf(line + n, size - n, " %s", value);
}

static int copy_answer(int fd)
{
	FILE *in = fdopen(fd, "re");
	char buf[4096];
	int code = 1;
	size_t n;

	if (!in || fscanf(in, "%d", &code) != 1 || fgetc(in) != '\n')
		return 1;
	while ((n = fread(buf, 1, sizeof(buf), in)) > 0)
		fwrite(buf, 1, n, code ? stderr : stdout);
	fclose(in);
	return fflush(stdout) ? 1 : code;
}

int guest_tool_main(int argc, char **argv)
{
	char line[512];
	const char *name = base_name(argv[0]), *user = getenv(GUEST_USER_ENV);
	size_t n = (size_t)snprintf(line, sizeof(line), "%s", name);
	int fd = connect_to_simulator();

	if (fd < 0) {
		fprintf(stderr, "%s: the guest is gone\n", name);
		return 1;
	}
	for (int i = 1; i < argc && n < sizeof(line); i++)
		n += (size_t)snprintf(line + n, sizeof(line) - n, " %s", argv[i]);
	if (!strcmp(name, "guest-vm"))
		add_input(line, sizeof(line) - 1);
	else if (!strcmp(name, "id") && n < sizeof(line))
		snprintf(line + n, sizeof(line) - n - 1, " %s", user ? user : "root");
	n = strlen(line);
	line[n++] = '\n';
	if (send(fd, line, n, MSG_NOSIGNAL) != (ssize_t)n)
		return 1;
	return copy_answer(fd);
}

static long kib(struct vm *vm, enum page_state state)
{
	return (long)(memory_bytes_in(&vm->memory, state) / 1024);
}

char *guest_meminfo(struct vm *vm)
{
	char *text = NULL;
	long total, free_kib, cached;

	pthread_mutex_lock(&vm->lock);
	total = (long)(vm->memory.bytes / 1024);
	free_kib = kib(vm, PAGE_FREE);
	cached = kib(vm, PAGE_CACHE);
	pthread_mutex_unlock(&vm->lock);
	if (asprintf(&text,
		     "MemTotal:       %8ld kB\nMemFree:        %8ld kB\n"
		     "MemAvailable:   %8ld kB\nBuffers:        %8d kB\nCached:         %8ld kB\n",
		     total, free_kib, free_kib + cached, 0, cached) < 0)
		return NULL;
	return text;
}

static char *answer_free(struct vm *vm, bool mib)
{
	long unit = mib ? 1024 : 1, total, used, cached, free_kib;
	char *text = NULL;

	pthread_mutex_lock(&vm->lock);
	total = (long)(vm->memory.bytes / 1024);
	used = kib(vm, PAGE_USED) + kib(vm, PAGE_TAKEN);
	cached = kib(vm, PAGE_CACHE);
	free_kib = kib(vm, PAGE_FREE);
	pthread_mutex_unlock(&vm->lock);
	if (asprintf(&text,
		     "              total        used        free      shared  buff/cache"
		     "   available\nMem:   %12ld%12ld%12ld%12d%12ld%12ld\nSwap:  %12d%12d%12d\n",
		     total / unit, used / unit, free_kib / unit, 0, cached / unit,
		     (free_kib + cached) / unit, 0, 0, 0) < 0)
		return NULL;
	return text;
}

static char *answer_uptime(void)
{
	char *text = NULL;
	struct tm tm;
	time_t now = time(NULL);

	gmtime_r(&now, &tm);
	if (asprintf(&text, " %02d:%02d:%02d up 1 min,  0 users,  load average: 0.10, 0.05, 0.01\n",
		     tm.tm_hour, tm.tm_min, tm.tm_sec) < 0)
		return NULL;
	return text;
}

/* how: -u, -un, or all of it. */
static char *answer_id(const char *how, const char *user)
{
	bool root = strcmp(user, "user") != 0;

	if (!strcmp(how, "-u"))
		return strdup(root ? "0\n" : "1000\n");
	if (!strcmp(how, "-un"))
		return strdup(root ? "root\n" : "user\n");
	return strdup(root ? "uid=0(root) gid=0(root) groups=0(root)\n"
			   : "uid=1000(user) gid=1000(user) groups=1000(user),1000(user)\n");
}

/* The parent of a process that lives, else 0. */
static int parent_of(int pid)
{
	char path[64], state;
	int parent = 0;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	in = fopen(path, "re");
	if (!in)
		return 0;
	if (fscanf(in, "%*d (%*[^)]%*[)] %c %d", &state, &parent) != 2 || state == 'Z')
		parent = 0;
	fclose(in);
	return parent;
}

static bool is_in_guest(int pid)
{
	for (int depth = 0; pid > 1 && depth < 64; depth++) {
		if (pid == getpid())
			return depth > 0;
		pid = parent_of(pid);
	}
	return false;
}

static void list_process(FILE *out, int pid)
{
	char path[64], line[512] = "";
	size_t n;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	in = fopen(path, "re");
	if (!in)
		return;
	n = fread(line, 1, sizeof(line) - 1, in);
	fclose(in);
	if (!strcmp(line, JAIL_INIT_NAME "\n"))
		return;
	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	in = fopen(path, "re");
	if (!in)
		return;
	n = fread(line, 1, sizeof(line) - 1, in);
	fclose(in);
	for (size_t i = 0; i + 1 < n; i++) {
		if (line[i] == '\0' || line[i] == '\n')
			line[i] = ' ';
	}
	line[n] = '\0';
	fprintf(out, "%5d root      0:00 %s\n", jail_pid_inside(pid), line);
}

static char *answer_ps(void)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	DIR *dir = opendir("/proc");
	struct dirent *entry;

	if (out)
		fputs("PID   USER     TIME  COMMAND\n", out);
	while (out && dir && (entry = readdir(dir))) {
		int pid = isdigit((unsigned char)entry->d_name[0]) ? atoi(entry->d_name) : 0;

		if (pid && is_in_guest(pid))
			list_process(out, pid);
	}
	if (dir)
		closedir(dir);
	if (out)
		fclose(out);
	return text;
}

/* A step of the reclaim takes its time, and does nothing when it was killed meanwhile. */
static int wait_step(struct vm *vm, int client_fd, enum sim_step step)
{
	long ms;

	pthread_mutex_lock(&vm->lock);
	ms = vm->options.step_ms[step];
	pthread_mutex_unlock(&vm->lock);
	if (vm_wait_ms(vm, client_fd, ms))
		return -1;
	return vm_wait_running(vm, client_fd);
}

static int answer_fstrim(struct vm *vm, char **ret)
{
	enum sim_fstrim how;

	pthread_mutex_lock(&vm->lock);
	how = vm->options.fstrim;
	pthread_mutex_unlock(&vm->lock);
	if (how == SIM_FSTRIM_UNSUPPORTED)
		*ret = strdup("fstrim: /: the discard operation is not supported\n");
	else if (how == SIM_FSTRIM_FAIL)
		*ret = strdup("fstrim: /: FITRIM ioctl failed: Input/output error\n");
	return how == SIM_FSTRIM_OK ? 0 : 1;
}

/* A write of value to /proc/sys/vm/name. */
static int write_vm_file(struct vm *vm, int client_fd, const char *name, const char *value,
			 char **ret)
{
	int step = options_step(name);
	int n = atoi(value);

	if (step != SIM_STEP_DROP_CACHES && step != SIM_STEP_COMPACT_MEMORY) {
		*ret = strdup("sh: can't create: Permission denied\n");
		return 2;
	}
	if (n < 1 || (step == SIM_STEP_DROP_CACHES && n > 4)) {
		*ret = strdup("sh: write error: Invalid argument\n");
		return 1;
	}
	if (wait_step(vm, client_fd, (enum sim_step)step))
		return 137;
	pthread_mutex_lock(&vm->lock);
	if (step == SIM_STEP_COMPACT_MEMORY)
		memory_compact(&vm->memory);
	else if (n & 1)
		memory_drop_caches(&vm->memory);
	pthread_mutex_unlock(&vm->lock);
	return 0;
}

static int split_words(char *line, char **words)
{
	char *save = NULL;
	int n = 0;

	for (char *w = strtok_r(line, " ", &save); w && n < MAX_WORDS;
	     w = strtok_r(NULL, " ", &save))
		words[n++] = w;
	return n;
}

int guest_tool_answer(struct vm *vm, int client_fd, char *line, char **ret)
{
	char *words[MAX_WORDS] = {0};
	int n = split_words(line, words);
	const char *name = n ? words[0] : "";

	if (!strcmp(name, "sync"))
		return wait_step(vm, client_fd, SIM_STEP_SYNC) ? 137 : 0;
	if (!strcmp(name, "fstrim"))
		return wait_step(vm, client_fd, SIM_STEP_FSTRIM) ? 137 : answer_fstrim(vm, ret);
	if (!strcmp(name, "guest-vm"))
		return write_vm_file(vm, client_fd, n > 1 ? words[1] : "", n > 2 ? words[2] : "",
				     ret);
	if (!strcmp(name, "free"))
		*ret = answer_free(vm, n > 1 && !strcmp(words[1], "-m"));
	else if (!strcmp(name, "uptime"))
		*ret = answer_uptime();
	else if (!strcmp(name, "ps"))
		*ret = answer_ps();
	else if (!strcmp(name, "id"))
		*ret = answer_id(n > 2 ? words[1] : "", n > 1 ? words[n - 1] : "root");
	else
		return 127;
	return 0;
}
