// SPDX-License-Identifier: Apache-2.0
/* HTTP exchanges over raw sockets: one at once, or one that others come into. */
#ifndef REPLAY_WIRE_H
#define REPLAY_WIRE_H

#include <stddef.h>

struct wire_answer {
	int status;
	char *reason;  /* what follows the status on the first line */
	char *headers; /* "Name: value\n"… */
	char *body;    /* NUL after it; chunks put together */
	size_t len;
};

/* An exchange under way; the members are wire.c's. */
struct wire_call {
	const char *target;
	int fd;
	char *text;
	size_t len;
};

/* target: "unix:PATH" or "http://HOST:PORT". head: the request line and headers, each with CRLF,
 * without the empty line. Returns 0, or -1 with the reason printed. */
int wire_begin(const char *target, const char *head, const char *body, size_t len,
	       struct wire_call *ret);
/* Until that many envelopes of a stream have come. */
int wire_wait_frames(struct wire_call *call, size_t frames);
/* What has come so far. */
int wire_peek(const struct wire_call *call, struct wire_answer *ret);
/* Until the end of the answer; closes the call, on failure too. */
int wire_end(struct wire_call *call, struct wire_answer *ret);
void wire_close(struct wire_call *call);

/* wire_begin and wire_end. */
int wire_exchange(const char *target, const char *head, const char *body, size_t len,
		  struct wire_answer *ret);
void wire_free(struct wire_answer *answer);

/* The header's value, in a new string; NULL: it is not there. */
char *wire_header(const struct wire_answer *answer, const char *name);

#endif
