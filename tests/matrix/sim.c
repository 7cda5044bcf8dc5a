// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "matrix.h"

#define BALLOON                                                                  \
	"{\"amount_mib\":0,\"deflate_on_oom\":false,\"free_page_hinting\":true," \
	"\"free_page_reporting\":false}"
#define DEADLINE_S 60

/* ---- asking ---- */

static int connect_to(const char *socket_path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval limit = {.tv_sec = DEADLINE_S};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path);
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0 &&
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

int sim_ask(const char *socket_path, const char *request, const char *body, json_t **answer_)
{
	static char text[65536];
	int fd = connect_to(socket_path), status = -1;
	size_t used = 0;
	ssize_t got;

	if (answer_)
		*answer_ = NULL;
	if (fd < 0)
		return -1;
	used = (size_t)snprintf(text, sizeof(text),
				"%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
				"Content-Length: %zu\r\n\r\n%s",
				request, body ? strlen(body) : 0, body ? body : "");
	if (send(fd, text, used, MSG_NOSIGNAL) == (ssize_t)used) {
		used = 0;
		while (used < sizeof(text) - 1 &&
		       (got = read(fd, text + used, sizeof(text) - 1 - used)) > 0)
			used += (size_t)got;
		text[used] = '\0';
		if (sscanf(text, "HTTP/1.1 %d", &status) != 1)
			status = -1;
		if (answer_ && strstr(text, "\r\n\r\n"))
			*answer_ = json_loads(strstr(text, "\r\n\r\n") + 4, 0, NULL);
	}
	close(fd);
	return status;
}

static void must(const char *socket_path, const char *request, const char *body)
{
	int status = sim_ask(socket_path, request, body, NULL);

	if (status >= 200 && status < 300)
		return;
	fprintf(stderr, "matrix: %s %s: %d\n", request, body ? body : "", status);
	_exit(1);
}

bool sim_lives(const struct sim *sim)
{
	siginfo_t info = {0};

	return sim->pid > 0 &&
	       waitid(P_PID, (id_t)sim->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == 0;
}

/* ---- starting ---- */

static void exec_sim(const char *socket_path, bool boot, bool envd, int out)
{
	const char *args[24] = {getenv("FCPAUSE_SIM"), "--api-sock", socket_path, "--memory", "16",
				"--die-with-parent"};
	const char *booted[] = {"--boot", "--workload", "4,2,0", "--hinting-ms",
				"5",	  "--balloon",	BALLOON};
	size_t count = 6;

	if (strcmp(socket_path, "api.sock") == 0) {
		args[count++] = "--request-log";
		args[count++] = "requests";
	}
	if (!envd)
		args[count++] = "--no-envd";
	for (size_t i = 0; boot && i < sizeof(booted) / sizeof(booted[0]); i++)
		args[count++] = booted[i];
	dup2(out, STDOUT_FILENO);
	execv(args[0], (char **)args);
	die(args[0]);
}

static void wait_ready(int fd, char *envd_, size_t bytes)
{
	struct pollfd fds = {.fd = fd, .events = POLLIN};
	char line[1024];
	ssize_t got = poll(&fds, 1, DEADLINE_S * 1000) == 1 ? read(fd, line, sizeof(line) - 1) : -1;
	json_t *ready =
		got > 0 ? json_loadb(line, (size_t)got, JSON_DISABLE_EOF_CHECK, NULL) : NULL;
	const char *url = json_string_value(json_object_get(ready, "envd"));

	if (!ready) {
		fprintf(stderr, "matrix: the simulator did not become ready\n");
		_exit(1);
	}
	snprintf(envd_, bytes, "%s", url ? url : "");
	json_decref(ready);
	close(fd);
}

static pid_t start(const char *socket_path, bool boot, bool envd, char *envd_, size_t bytes)
{
	int ready[2];
	pid_t pid;

	unlink(socket_path);
	if (pipe2(ready, O_CLOEXEC) != 0 || (pid = fork()) < 0)
		die("fork");
	if (pid == 0)
		exec_sim(socket_path, boot, envd, ready[1]);
	close(ready[1]);
	wait_ready(ready[0], envd_, bytes);
	return pid;
}

static void end(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGTERM);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}

#define LOAD(directory)                                                                         \
	"{\"snapshot_path\":\"" directory "/snap\",\"mem_backend\":{\"backend_type\":\"File\"," \
	"\"backend_path\":\"" directory "/mem\"},\"resume_vm\":true}"

/* What a clean snapshot holds: the guest writes nothing by itself, once it was resumed. */
static void take_reference(const char *directory)
{
	char body[128];

	snprintf(body, sizeof(body),
		 "{\"snapshot_type\":\"Full\",\"snapshot_path\":\"%s/snap\","
		 "\"mem_file_path\":\"%s/mem\"}",
		 directory, directory);
	clear_directory(directory);
	must("api.sock", "PATCH /vm", "{\"state\":\"Paused\"}");
	must("api.sock", "PATCH /vm", "{\"state\":\"Resumed\"}");
	must("api.sock", "PATCH /vm", "{\"state\":\"Paused\"}");
	must("api.sock", "PUT /snapshot/create", body);
	must("api.sock", "PATCH /vm", "{\"state\":\"Resumed\"}");
}

int sim_start(struct sim *sim, size_t mode)
{
	const struct mode *m = &modes[mode];

	sim_stop(sim);
	sim->pid = start("api.sock", true, m->pause, sim->envd, sizeof(sim->envd));
	sim->mode = mode;
	take_reference(m->restored ? "base" : "ref");
	if (!m->restored)
		return 0;
	end(sim->pid);
	sim->pid = start("api.sock", false, false, sim->envd, sizeof(sim->envd));
	must("api.sock", "PUT /snapshot/load", LOAD("base"));
	must("api.sock", "PUT /sim/workload", "{\"fill_mib\":1}");
	take_reference("ref");
	return 0;
}

void sim_stop(struct sim *sim)
{
	end(sim->pid);
	sim->pid = 0;
}

bool sim_loads(void)
{
	char unused[64];
	json_t *state = NULL;
	pid_t pid = start("load.sock", false, false, unused, sizeof(unused));
	bool loaded = sim_ask("load.sock", "PUT /snapshot/load", LOAD("d"), NULL) == 204 &&
		      sim_ask("load.sock", "GET /sim/state", NULL, &state) == 200 &&
		      json_is_true(json_object_get(state, "checksum_ok")) &&
		      json_integer_value(json_object_get(state, "used_bytes")) > 0;

	json_decref(state);
	end(pid);
	return loaded;
}
