// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"
#include "jail_mounts.h"

static const char *const host_tools[] = {
	"sh",	  "timeout", "cat",   "head",	"tail", "tr",	  "sleep",   "grep",
	"sed",	  "awk",     "cut",   "wc",	"sort", "uniq",	  "rm",	     "ls",
	"mkdir",  "rmdir",   "touch", "printf", "echo", "true",	  "false",   "test",
	"[",	  "expr",    "env",   "seq",	"date", "stat",	  "dirname", "basename",
	"tee",	  "chmod",   "cp",    "mv",	"ln",	"mktemp", "yes",     "od",
	"base64", "find",    "xargs", "uname",	"nice", NULL,
};

static const char *const own_tools[] = {
	"sync", "fstrim", "free", "id", "ps", "uptime", "guest-vm", NULL,
};

struct client {
	struct guest *guest;
	int fd;
};

static bool is_missing(const struct guest *guest, const char *name)
{
	const char *list = guest->vm->options.guest_missing;
	size_t len = strlen(name);

	for (const char *p = list; p && *p; p += *p == ',') {
		size_t n = strcspn(p, ",");

		if (n == len && !strncmp(p, name, n))
			return true;
		p += n;
	}
	return false;
}

static int link_tool(const struct guest *guest, const char *name, const char *target)
{
	char path[GUEST_PATH_MAX + 64];

	if (is_missing(guest, name))
		return 0;
	snprintf(path, sizeof(path), "%s/%s", guest->bin, name);
	return symlink(target, path);
}

static bool find_on_host(const char *name, char *ret, size_t size)
{
	static const char *const dirs[] = {"/usr/bin", "/bin", "/usr/sbin", "/sbin", NULL};

	for (size_t i = 0; dirs[i]; i++) {
		snprintf(ret, size, "%s/%s", dirs[i], name);
		if (!access(ret, X_OK))
			return true;
	}
	return false;
}

/* GNU dd tells more than the guest's: a script makes it be as silent. */
static int write_dd(const struct guest *guest)
{
	char path[GUEST_PATH_MAX + 64], real[64];
	FILE *out;

	if (is_missing(guest, "dd") || !find_on_host("dd", real, sizeof(real)))
		return 0;
	snprintf(path, sizeof(path), "%s/dd", guest->bin);
	out = fopen(path, "we");
	if (!out)
		return -1;
	fprintf(out, "#!/bin/sh\nexec %s \"$@\" status=noxfer\n", real);
	fchmod(fileno(out), 0755);
	return fclose(out);
}

static int make_tools(const struct guest *guest)
{
	char path[64];
	int ret = 0;

	for (size_t i = 0; own_tools[i]; i++)
		ret |= link_tool(guest, own_tools[i], "/guest/sim");
	for (size_t i = 0; host_tools[i]; i++) {
		if (find_on_host(host_tools[i], path, sizeof(path)))
			ret |= link_tool(guest, host_tools[i], path);
	}
	return ret | write_dd(guest);
}

static int make_directories(struct guest *guest)
{
	/* The last two are files in a guest; as directories, a write that misses the mapping to
	 * guest-vm fails instead of doing nothing. */
	static const char *const dirs[] = {
		"/guest",
		GUEST_BIN,
		"/etc",
		"/tmp",
		"/var",
		"/var/tmp",
		"/run",
		"/srv",
		"/root",
		"/home",
		"/home/user",
		"/proc",
		JAIL_PROC,
		JAIL_PROC "/sys",
		JAIL_PROC "/sys/vm",
		JAIL_PROC "/sys/vm/drop_caches",
		JAIL_PROC "/sys/vm/compact_memory",
		NULL,
	};
	char path[GUEST_PATH_MAX + 64];

	for (size_t i = 0; dirs[i]; i++) {
		snprintf(path, sizeof(path), "%s%s", guest->dir, dirs[i]);
		if (mkdir(path, 0755))
			return -1;
	}
	return 0;
}

static int write_file(const struct guest *guest, const char *name, const char *text)
{
	char path[GUEST_PATH_MAX + 64];
	FILE *out;

	snprintf(path, sizeof(path), "%s%s", guest->dir, name);
	out = fopen(path, "we");
	if (!out)
		return -1;
	fputs(text, out);
	return fclose(out);
}

static int write_accounts(const struct guest *guest)
{
	return write_file(guest, "/etc/passwd",
			  "root:x:0:0:root:/root:/bin/sh\n"
			  "user:x:1000:1000::/home/user:/bin/sh\n") ||
	       write_file(guest, "/etc/group", "root:x:0:\nuser:x:1000:\n");
}

/* cp, which knows links, modes and holes. */
static int copy_files(const struct guest *guest)
{
	const char *files = guest->vm->options.guest_files;
	char from[4096];
	pid_t pid;
	int status;

	if (!files)
		return 0;
	snprintf(from, sizeof(from), "%s/.", files);
	pid = fork();
	if (pid == 0) {
		execlp("cp", "cp", "-a", from, guest->dir, NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -1;
	errno = EINVAL;
	return status ? -1 : 0;
}

static size_t blanks(const char *p)
{
	return strspn(p, " \t");
}

static size_t quote(const char *p)
{
	size_t n = strspn(p, "\\");

	return p[n] == '"' || p[n] == '\'' ? n + 1 : 0;
}

/* The length of a redirection into /proc/sys/vm/NAME at p, and NAME; 0: there is none. */
static size_t redirection(const char *p, const char **ret_name, size_t *ret_len)
{
	static const char prefix[] = "/proc/sys/vm/";
	const char *from = p;
	size_t open_quote;

	p += strspn(p, ">");
	if (p == from)
		return 0;
	p += blanks(p);
	open_quote = quote(p);
	p += open_quote;
	if (strncmp(p, prefix, strlen(prefix)))
		return 0;
	p += strlen(prefix);
	*ret_name = p;
	*ret_len = strspn(p, "abcdefghijklmnopqrstuvwxyz_");
	p += *ret_len;
	p += open_quote ? quote(p) : 0;
	return *ret_len ? (size_t)(p - from) : 0;
}

char *guest_map(const char *text)
{
	char *mapped = NULL;
	size_t size, len, n;
	const char *name;
	FILE *out = open_memstream(&mapped, &size);

	if (!out)
		return NULL;
	for (const char *p = text; *p;) {
		n = redirection(p, &name, &len);
		if (n) {
			fprintf(out, "| guest-vm %.*s", (int)len, name);
			p += n;
			continue;
		}
		fputc(*p++, out);
	}
	fclose(out);
	return mapped;
}

/* In place, because it is mounted; the text always has one length. */
void guest_refresh(struct guest *guest)
{
	char path[GUEST_PATH_MAX + 32];
	char *text = guest_meminfo(guest->vm);
	int fd;

	snprintf(path, sizeof(path), "%s" JAIL_PROC "/meminfo", guest->dir);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0444);
	if (fd >= 0 && text && write(fd, text, strlen(text)) < 0)
		perror("fcpause-sim: meminfo");
	if (fd >= 0)
		close(fd);
	free(text);
}

static void send_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		data += n;
		len -= (size_t)n;
	}
}

/* A call is one line: the tool's name and its arguments. */
static int read_line(int fd, char *line, size_t size)
{
	size_t n = 0;

	while (n + 1 < size) {
		ssize_t got = recv(fd, line + n, 1, 0);

		if (got <= 0)
			return -1;
		if (line[n] == '\n')
			break;
		n++;
	}
	line[n] = '\0';
	return 0;
}

static void *serve_client(void *arg)
{
	struct client *client = arg;
	char line[512], head[16];
	char *output = NULL;

	if (!read_line(client->fd, line, sizeof(line))) {
		int code = guest_tool_answer(client->guest->vm, client->fd, line, &output);
		int n = snprintf(head, sizeof(head), "%d\n", code);

		send_all(client->fd, head, (size_t)n);
		if (output)
			send_all(client->fd, output, strlen(output));
	}
	free(output);
	close(client->fd);
	free(client);
	return NULL;
}

static void serve(struct guest *guest, int fd)
{
	struct client *client = malloc(sizeof(*client));
	pthread_attr_t attr;
	pthread_t thread;

	if (!client) {
		close(fd);
		return;
	}
	*client = (struct client){guest, fd};
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &attr, serve_client, client)) {
		close(fd);
		free(client);
	}
	pthread_attr_destroy(&attr);
}

static void *accept_clients(void *arg)
{
	struct guest *guest = arg;
	struct pollfd fds[2] = {{.fd = guest->listen_fd, .events = POLLIN},
				{.fd = guest->vm->stop_fd, .events = POLLIN}};

	while (poll(fds, 2, -1) >= 0 || errno == EINTR) {
		int fd;

		if (fds[1].revents)
			break;
		fd = accept4(guest->listen_fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			serve(guest, fd);
	}
	return NULL;
}

static int listen_for_tools(struct guest *guest)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", guest->socket);
	guest->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (guest->listen_fd < 0 ||
	    bind(guest->listen_fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    listen(guest->listen_fd, 64))
		return -1;
	return pthread_create(&guest->thread, NULL, accept_clients, guest);
}

/* TMPDIR, where it is short (a socket is put there) and safe inside a command's text. */
static const char *base_directory(void)
{
	static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				   "0123456789/._-";
	const char *dir = getenv("TMPDIR");

	if (!dir || *dir != '/' || strlen(dir) > 40 || dir[strspn(dir, safe)])
		return "/tmp";
	return dir;
}

int guest_start(struct guest *guest, struct vm *vm)
{
	*guest = (struct guest){.vm = vm};
	snprintf(guest->dir, sizeof(guest->dir), "%s/fcpause-sim.XXXXXX", base_directory());
	if (!mkdtemp(guest->dir))
		return -1;
	snprintf(guest->bin, sizeof(guest->bin), "%.64s" GUEST_BIN, guest->dir);
	snprintf(guest->socket, sizeof(guest->socket), "%.64s" GUEST_SOCKET, guest->dir);
	if (make_directories(guest) || make_tools(guest) || write_accounts(guest) ||
	    copy_files(guest))
		return -1;
	guest_refresh(guest);
	jail_start(&guest->jail, guest->dir, vm->options.guest_share);
	return listen_for_tools(guest);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void guest_stop(struct guest *guest)
{
	jail_stop(&guest->jail);
	pthread_join(guest->thread, NULL);
	close(guest->listen_fd);
	nftw(guest->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}
