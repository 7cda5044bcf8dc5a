// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
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
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
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
	struct sockaddr_in addr = {.sin_family = AF_INET};
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

/* Puts chunks together, in place. Returns the length, or -1: they do not end as they must. Where
 * the answer goes on (whole is false), they may end anywhere. */
static long join_chunks(char *body, size_t len, bool whole)
{
	size_t in = 0, out = 0;

	for (;;) {
		char *end;
		size_t n;

		if (in >= len)
			return whole ? -1 : (long)out;
		n = strtoul(body + in, &end, 16);
		if (strncmp(end, "\r\n", 2))
			return whole ? -1 : (long)out;
		in = (size_t)(end + 2 - body);
		if (n == 0)
			return (long)out;
		if (in + n + 2 > len)
			return whole ? -1 : (long)out;
		memmove(body + out, body + in, n);
		out += n;
		in += n + 2;
	}
}

/* Cuts the answer's text into its parts. */
static int parse(char *text, size_t len, bool whole, struct wire_answer *ret)
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
	joined = coding ? join_chunks(ret->body, ret->len, whole) : (long)ret->len;
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
	*answer = (struct wire_answer){0};
}

int wire_begin(const char *target, const char *head, const char *body, size_t len,
	       struct wire_call *ret)
{
	struct timeval limit = {.tv_sec = TIMEOUT_S};
	int fd = !strncmp(target, "unix:", 5) ? open_unix(target + 5) : open_tcp(target + 7);

	*ret = (struct wire_call){.target = target, .fd = fd};
	if (fd < 0) {
		printf("# %s: %s\n", target, strerror(errno));
		return -1;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (!send_all(fd, head, strlen(head)) && !send_all(fd, "\r\n", 2) &&
	    !send_all(fd, body, len))
		return 0;
	printf("# %s: sending: %s\n", target, strerror(errno));
	close(fd);
	return -1;
}

/* The number of bytes that came next; 0: no more will come; -1 with the reason printed. */
static ssize_t read_more(struct wire_call *call)
{
	char buf[65536], *text;
	ssize_t n = recv(call->fd, buf, sizeof(buf), 0);

	if (n < 0)
		printf("# %s: reading: %s\n", call->target, strerror(errno));
	text = n < 0 ? NULL : realloc(call->text, call->len + (size_t)n + 1);
	if (!text)
		return -1;
	memcpy(text + call->len, buf, (size_t)n);
	call->text = text;
	call->len += (size_t)n;
	text[call->len] = '\0';
	return n;
}

int wire_peek(const struct wire_call *call, struct wire_answer *ret)
{
	char *text = malloc(call->len + 1);
	int parsed = -1;

	*ret = (struct wire_answer){0};
	if (text && call->text) {
		memcpy(text, call->text, call->len + 1);
		parsed = parse(text, call->len, false, ret);
	}
	free(text);
	return parsed;
}

static bool has_frames(const struct wire_call *call, size_t frames)
{
	struct wire_answer answer;
	size_t at = 0;

	if (!wire_peek(call, &answer)) {
		for (uint32_t be; frames && at + 5 <= answer.len; frames--) {
			memcpy(&be, answer.body + at + 1, sizeof(be));
			at += 5 + ntohl(be);
			if (at > answer.len)
				break;
		}
	}
	wire_free(&answer);
	return !frames;
}

int wire_wait_frames(struct wire_call *call, size_t frames)
{
	while (!has_frames(call, frames)) {
		ssize_t n = read_more(call);

		if (!n)
			printf("# %s: the stream ended before its frame %zu\n", call->target,
			       frames);
		if (n <= 0)
			return -1;
	}
	return 0;
}

void wire_close(struct wire_call *call)
{
	if (call->fd >= 0)
		close(call->fd);
	free(call->text);
	*call = (struct wire_call){.fd = -1};
}

int wire_end(struct wire_call *call, struct wire_answer *ret)
{
	ssize_t n;
	int parsed = -1;

	*ret = (struct wire_answer){0};
	do {
		n = read_more(call);
	} while (n > 0);
	if (!n)
		parsed = parse(call->text, call->len, true, ret);
	if (!n && parsed)
		printf("# %s: no HTTP answer, or a broken one:\n# %s\n", call->target, call->text);
	wire_close(call);
	return parsed;
}

int wire_exchange(const char *target, const char *head, const char *body, size_t len,
		  struct wire_answer *ret)
{
	struct wire_call call;

	*ret = (struct wire_answer){0};
	return wire_begin(target, head, body, len, &call) ? -1 : wire_end(&call, ret);
}
