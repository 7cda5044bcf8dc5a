// SPDX-License-Identifier: Apache-2.0
#include "http_server.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* A child that nobody asks must end. */
#define GIVE_UP_SECONDS 60

static bool write_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t put = write(fd, bytes, length);

		if (put <= 0)
			return false;
		bytes += put;
		length -= (size_t)put;
	}
	return true;
}

/* Up to the end of the headers, and what came with them of a body. */
static void read_request(int fd)
{
	char request[65536];
	size_t held = 0;

	while (held < sizeof(request) && !memmem(request, held, "\r\n\r\n", 4)) {
		ssize_t got = read(fd, request + held, sizeof(request) - held);

		if (got <= 0)
			return;
		held += (size_t)got;
	}
}

/* Closed in two steps: what of the request was not read would otherwise reset the connection. */
static void end_connection(int fd)
{
	char rest[4096];

	shutdown(fd, SHUT_WR);
	while (read(fd, rest, sizeof(rest)) > 0)
		;
	close(fd);
}

static void serve(int listener, const struct http_answer *answer)
{
	int fd = accept(listener, NULL, NULL);

	signal(SIGPIPE, SIG_IGN);
	alarm(GIVE_UP_SECONDS);
	if (fd < 0)
		_exit(1);
	read_request(fd);
	if (answer->appended &&
	    !write_all(answer->append_fd, answer->appended, answer->appended_bytes))
		_exit(1);
	for (unsigned i = 0; answer->times == 0 || i < answer->times; i++)
		if (!write_all(fd, answer->bytes, answer->length))
			break;
	end_connection(fd);
	_exit(0);
}

struct http_server http_server_start(const struct http_answer *answer)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t bytes = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct http_server server;

	if (listener < 0 || bind(listener, (struct sockaddr *)&address, bytes) != 0 ||
	    listen(listener, 1) != 0 ||
	    getsockname(listener, (struct sockaddr *)&address, &bytes) != 0)
		abort();
	snprintf(server.url, sizeof(server.url), "http://127.0.0.1:%u", ntohs(address.sin_port));
	fflush(stdout);
	server.pid = fork();
	if (server.pid < 0)
		abort();
	if (server.pid == 0)
		serve(listener, answer);
	close(listener);
	return server;
}

void http_server_stop(struct http_server *server)
{
	waitpid(server->pid, NULL, 0);
}
