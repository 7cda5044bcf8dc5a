// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "wire.h"

#define TIMEOUT_S 60

static int open_unix(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(addr.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(addr.sun_path, path, strlen(path));
	return connect(fd, (struct sockaddr *)&addr, sizeof(addr)) ? -1 : fd;
}

static int open_tcp(const char *host_and_port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	char host[64];
	unsigned short port;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (sscanf(host_and_port, "%63[^:]:%hu", host, &port) != 2 ||
	    inet_pton(AF_INET, host, &addr.sin_addr) != 1) {
		errno = EINVAL;
		return -1;
	}
	addr.sin_port = htons(port);
	return connect(fd, (struct sockaddr *)&addr, sizeof(addr)) ? -1 : fd;
}

static int send_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n < 0)
			return -1;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static char *read_all(int fd, size_t *ret_len)
{
	char *data = NULL, buf[65536];
	size_t len;
	FILE *out = open_memstream(&data, &len);
	ssize_t n;

	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0)
		fwrite(buf, 1, (size_t)n, out);
	fclose(out);
	*ret_len = len;
	if (n == 0)
		return data;
	free(data);
	return NULL;
}

/* Puts chunks together, in place. Returns the length, or -1: they do not end as they must. */
static long join_chunks(char *body, size_t len)
{
	size_t in = 0, out = 0;

	for (;;) {
		char *end;
		size_t n;

		if (in >= len)
			return -1;
		n = strtoul(body + in, &end, 16);
		if (strncmp(end, "\r\n", 2))
			return -1;
		in = (size_t)(end + 2 - body);
		if (n == 0)
			return (long)out;
		if (in + n + 2 > len)
			return -1;
		memmove(body + out, body + in, n);
		out += n;
		in += n + 2;
	}
}

/* Cuts the answer's text into its parts; takes the text over. */
static int parse(char *text, size_t len, struct wire_answer *ret)
{
	char *headers = strstr(text, "\r\n"), *body = strstr(text, "\r\n\r\n"), *coding;
	int at = 0;
	long joined;

	if (!body || sscanf(text, "HTTP/1.1 %d%n", &ret->status, &at) != 1)
		return -1;
	*headers = '\0';
	ret->reason = strdup(text + at + strspn(text + at, " "));
	ret->headers = strndup(headers + 2, body > headers ? (size_t)(body - headers) : 0);
	for (char *p = ret->headers, *q = p;; p++) {
		if (*p != '\r')
			*q++ = *p;
		if (!*p)
			break;
	}
	ret->len = len - (size_t)(body + 4 - text);
	ret->body = malloc(ret->len + 1);
	memcpy(ret->body, body + 4, ret->len);
	ret->body[ret->len] = '\0';
	coding = wire_header(ret, "Transfer-Encoding");
	joined = coding ? join_chunks(ret->body, ret->len) : (long)ret->len;
	free(coding);
	if (joined < 0)
		return -1;
	ret->len = (size_t)joined;
	ret->body[ret->len] = '\0';
	return 0;
}

char *wire_header(const struct wire_answer *answer, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = answer->headers; p && *p; p += strcspn(p, "\n"), p += *p == '\n') {
		const char *value;
		size_t len;

		if (strncasecmp(p, name, n) || p[n] != ':')
			continue;
		value = p + n + 1;
		value += strspn(value, " ");
		len = strcspn(value, "\n");
		while (len && value[len - 1] == ' ')
			len--;
		return strndup(value, len);
	}
	return NULL;
}

void wire_free(struct wire_answer *answer)
{
	free(answer->reason);
	free(answer->headers);
	free(answer->body);
	*answer = (struct wire_answer){ 0 };
}

int wire_exchange(const char *target, const char *head, const char *body, size_t len,
		  struct wire_answer *ret)
{
	struct timeval limit = { .tv_sec = TIMEOUT_S };
	int fd = !strncmp(target, "unix:", 5) ? open_unix(target + 5) : open_tcp(target + 7);
	char *text;
	size_t text_len;
	int parsed;

	*ret = (struct wire_answer){ 0 };
	if (fd < 0) {
		printf("# %s: %s\n", target, strerror(errno));
		return -1;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (send_all(fd, head, strlen(head)) || send_all(fd, "\r\n", 2) ||
	    send_all(fd, body, len)) {
		printf("# %s: sending: %s\n", target, strerror(errno));
		close(fd);
		return -1;
	}
	text = read_all(fd, &text_len);
	close(fd);
	if (!text) {
		printf("# %s: reading: %s\n", target, strerror(errno));
		return -1;
	}
	parsed = parse(text, text_len, ret);
	if (parsed)
		printf("# %s: no HTTP answer, or a broken one:\n# %s\n", target, text);
	free(text);
	return parsed;
}
