// SPDX-License-Identifier: Apache-2.0
/*
 * Streams of the Connect protocol (connectrpc.com/docs/protocol): envelopes of one byte of flags,
 * the length in four bytes, big-endian, and a message of that length.
 */
#ifndef FCP_ENVD_CONNECT_H
#define FCP_ENVD_CONNECT_H

#include "base/error.h"

#define FCP_CONNECT_PREFIX_BYTES 5
#define FCP_CONNECT_COMPRESSED 0x01
#define FCP_CONNECT_END_STREAM 0x02

/* Writes the prefix of an envelope with flags 0. */
void fcp_connect_prefix(uint8_t prefix[FCP_CONNECT_PREFIX_BYTES], uint32_t message_bytes);

/* One complete envelope; message is borrowed. Returning -1 stops the stream with *err. */
typedef int (*fcp_connect_handler)(uint8_t flags, const char *message, size_t message_bytes,
				   void *arg, struct fcp_error *err);

/* Splits a byte stream into envelopes. Zero-initialise it and set the first three members. */
struct fcp_connect_reader {
	fcp_connect_handler handler;
	void *arg;
	size_t message_max_bytes; /* a longer one is FCP_ERR_PROTOCOL */
	uint8_t prefix[FCP_CONNECT_PREFIX_BYTES];
	size_t prefix_bytes;
	char *message; /* owned */
	size_t message_bytes;
};

/* Takes the next bytes of the stream, and calls the handler for each envelope they complete. */
int fcp_connect_feed(struct fcp_connect_reader *reader, const void *data, size_t length,
		     struct fcp_error *err);

/* Is the stream between two envelopes? */
bool fcp_connect_at_boundary(const struct fcp_connect_reader *reader);

/* Frees the reader's memory. */
void fcp_connect_clear(struct fcp_connect_reader *reader);

#endif
