// SPDX-License-Identifier: Apache-2.0
/* Connect's framing of a stream: flags, length (big-endian), JSON. */
#ifndef SIM_CONNECT_H
#define SIM_CONNECT_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#define CONNECT_PREFIX 5
#define CONNECT_END_OF_STREAM 2

struct frames {
	char *data;
	size_t len;
};

/* Appends a frame with the JSON, which it takes over. */
void frames_add(struct frames *f, uint8_t flags, json_t *message);
void frames_add_error(struct frames *f, const char *code, const char *message);

json_t *event_start(int pid);
json_t *event_data(int stream, const char *data, size_t len);
json_t *event_keepalive(void);
json_t *event_end(int wait_status);

/* The message of a request that is one frame. NULL: malformed, with envd's words for it. */
json_t *connect_decode(const char *body, size_t len, char *ret_message, size_t size);

/* The user of a basic authorization. 0, or -1: there is none. */
int connect_user(const char *authorization, char *ret, size_t size);

#endif
