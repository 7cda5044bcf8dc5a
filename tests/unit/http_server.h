// SPDX-License-Identifier: Apache-2.0
/*
 * A server for unit tests: a child process that answers one request at 127.0.0.1 with the bytes
 * given, and ends the connection. What is asked for is read and passed over.
 */
#ifndef FCP_TESTS_UNIT_HTTP_SERVER_H
#define FCP_TESTS_UNIT_HTTP_SERVER_H

#include <stddef.h>
#include <sys/types.h>

struct http_server {
	pid_t pid;
	char url[40];
};

struct http_answer {
	const char *bytes;
	size_t length;
	/* So often after each other; 0: until the client goes. */
	unsigned times;
	/* Written to this descriptor first; NULL: nothing. */
	int append_fd;
	const char *appended;
	size_t appended_bytes;
};

/* Aborts when it cannot be started. */
struct http_server http_server_start(const struct http_answer *answer);

/* Waits for its end, which is that of the connection. */
void http_server_stop(struct http_server *server);

#endif
