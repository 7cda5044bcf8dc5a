// SPDX-License-Identifier: Apache-2.0
#include "envd/connect.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

void fcp_connect_prefix(uint8_t prefix[FCP_CONNECT_PREFIX_BYTES], uint32_t message_bytes)
{
	uint32_t length = htonl(message_bytes);

	prefix[0] = 0;
	memcpy(prefix + 1, &length, sizeof(length));
}

static size_t message_length(const struct fcp_connect_reader *reader)
{
	uint32_t length;

	memcpy(&length, reader->prefix + 1, sizeof(length));
	return ntohl(length);
}

static size_t take_frame_bytes(void *to, size_t *have, size_t wanted, const char *data,
			       size_t length)
{
	size_t bytes = wanted - *have < length ? wanted - *have : length;

	memcpy((char *)to + *have, data, bytes);
	*have += bytes;
	return bytes;
}

/* The prefix is complete: makes room for its message. */
static int begin_message(struct fcp_connect_reader *reader, struct fcp_error *err)
{
	size_t length = message_length(reader);

	if (length > reader->message_max_bytes)
		return fcp_error_set(err, FCP_ERR_PROTOCOL, 0,
				     "envd: a message of %zu bytes is longer than the %zu allowed",
				     length, reader->message_max_bytes);
	if (reader->prefix[0] & FCP_CONNECT_COMPRESSED)
		return fcp_error_set(err, FCP_ERR_PROTOCOL, 0,
				     "envd: a compressed message, which was not asked for");
	reader->message = malloc(length + 1);
	return reader->message ? 0 : fcp_error_nomem(err);
}

static int end_message(struct fcp_connect_reader *reader, struct fcp_error *err)
{
	int result;

	reader->message[reader->message_bytes] = '\0';
	result = reader->handler(reader->prefix[0], reader->message, reader->message_bytes,
				 reader->arg, err);
	fcp_connect_clear(reader);
	return result;
}

int fcp_connect_feed(struct fcp_connect_reader *reader, const void *data, size_t length,
		     struct fcp_error *err)
{
	const char *next = data;
	const char *end = next + length;

	for (;;) {
		if (!reader->message) {
			next += take_frame_bytes(reader->prefix, &reader->prefix_bytes,
						 FCP_CONNECT_PREFIX_BYTES, next,
						 (size_t)(end - next));
			if (reader->prefix_bytes < FCP_CONNECT_PREFIX_BYTES)
				return 0;
			if (begin_message(reader, err) != 0)
				return -1;
		}
		next += take_frame_bytes(reader->message, &reader->message_bytes,
					 message_length(reader), next, (size_t)(end - next));
		if (reader->message_bytes < message_length(reader))
			return 0;
		if (end_message(reader, err) != 0)
			return -1;
	}
}

bool fcp_connect_at_boundary(const struct fcp_connect_reader *reader)
{
	return reader->prefix_bytes == 0;
}

void fcp_connect_clear(struct fcp_connect_reader *reader)
{
	free(reader->message);
	reader->message = NULL;
	reader->message_bytes = 0;
	reader->prefix_bytes = 0;
}
