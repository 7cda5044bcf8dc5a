// SPDX-License-Identifier: Apache-2.0
/* One HTTP exchange over a raw socket. */
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

/* target: "unix:PATH" or "http://HOST:PORT". head: the request line and headers, each with CRLF,
 * without the empty line. Returns 0, or -1 with the reason printed. */
int wire_exchange(const char *target, const char *head, const char *body, size_t len,
		  struct wire_answer *ret);
void wire_free(struct wire_answer *answer);

/* The header's value, in a new string; NULL: it is not there. */
char *wire_header(const struct wire_answer *answer, const char *name);

#endif
