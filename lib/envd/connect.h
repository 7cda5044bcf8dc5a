// SPDX-License-Identifier: Apache-2.0
/*
 * The Connect protocol's streams (connectrpc.com/docs/protocol): envelopes of a flags byte, a
 * big-endian length of four bytes, and that many bytes of message.
 */
#ifndef FCP_ENVD_CONNECT_H
#define FCP_ENVD_CONNECT_H

#include "base/error.h"

#define FCP_CONNECT_PREFIX_BYTES 5
#define FCP_CONNECT_COMPRESSED 0x01
#define FCP_CONNECT_END_STREAM 0x02

/* Writes the prefix of an envelope with flags 0. */
void fcp_connect_prefix(uint8_t prefix[FCP_CONNECT_PREFIX_BYTES], uint32_t message_bytes);

/* One whole envelope; message is borrowed. -1 stops the stream with *err. */
typedef int (*fcp_connect_handler)(uint8_t flags, const char *message, size_t message_bytes,
				   void *arg, struct fcp_error *err);

/* Cuts a byte stream into envelopes; zero-initialise, then set the first three. */
struct fcp_connect_reader {
	fcp_connect_handler handler;
	void *arg;
	size_t message_max_bytes; /* a longer one is FCP_ERR_PROTOCOL */
	uint8_t prefix[FCP_CONNECT_PREFIX_BYTES];
	size_t prefix_bytes;
	char *message; /* owned */
	size_t message_bytes;
};

/* Takes the next bytes of the stream; calls the handler for each envelope that they complete. */
int fcp_connect_feed(struct fcp_connect_reader *reader, const void *data, size_t length,
		     struct fcp_error *err);

/* Is the stream between two envelopes (and not within one)? */
bool fcp_connect_at_boundary(const struct fcp_connect_reader *reader);

/* Frees what the reader holds. */
void fcp_connect_clear(struct fcp_connect_reader *reader);

#endif
