// SPDX-License-Identifier: Apache-2.0
#include "envd/connect.h"

#include "tap.h"

#include <stdlib.h>

#define MAX_BYTES 64

/* What came, as text: "FLAGS:MESSAGE|". */
struct seen {
	char text[512];
	int refuse_at; /* the message that the handler refuses; -1: none */
	int count;
};

static int on_message(uint8_t flags, const char *message, size_t bytes, void *arg,
		      struct fcp_error *err)
{
	struct seen *seen = arg;
	size_t used = strlen(seen->text);

	if (seen->count++ == seen->refuse_at)
		return fcp_error_set(err, FCP_ERR_SERVER, 0, "refused");
	if (strlen(message) != bytes)
		return fcp_error_set(err, FCP_ERR_PROTOCOL, 0, "no NUL behind it");
	snprintf(seen->text + used, sizeof(seen->text) - used, "%u:%s|", flags, message);
	return 0;
}

static struct fcp_connect_reader reader_of(struct seen *seen)
{
	*seen = (struct seen){.refuse_at = -1};
	return (struct fcp_connect_reader){.handler = on_message,
					   .arg = seen,
					   .message_max_bytes = MAX_BYTES};
}

static void prefixes(void)
{
	static const uint8_t small[5] = {0, 0, 0, 0, 9}, large[5] = {0, 0x12, 0x34, 0x56, 0x78};
	uint8_t prefix[FCP_CONNECT_PREFIX_BYTES];

	fcp_connect_prefix(prefix, 9);
	ok(memcmp(prefix, small, 5) == 0, "the prefix of 9 bytes");
	fcp_connect_prefix(prefix, 0x12345678);
	ok(memcmp(prefix, large, 5) == 0, "a length is big-endian");
}

static const char stream[] = "\0\0\0\0\3one\0\0\0\0\0\2\0\0\0\2{}";
#define STREAM_BYTES (sizeof(stream) - 1)
#define STREAM_TEXT "0:one|0:|2:{}|"

/* Cut anywhere, the messages are the same. */
static void pieces(void)
{
	struct fcp_error err;
	struct seen seen;

	for (size_t piece = 1; piece <= STREAM_BYTES; piece++) {
		struct fcp_connect_reader reader = reader_of(&seen);
		int bad = 0;

		for (size_t at = 0; at < STREAM_BYTES; at += piece) {
			size_t bytes = STREAM_BYTES - at < piece ? STREAM_BYTES - at : piece;
			/* Exactly as long, so that a read behind it is seen. */
			char *copy = malloc(bytes);

			memcpy(copy, stream + at, bytes);
			bad |= fcp_connect_feed(&reader, copy, bytes, &err);
			free(copy);
		}
		ok(!bad && strcmp(seen.text, STREAM_TEXT) == 0 && fcp_connect_at_boundary(&reader),
		   "in pieces of %zu", piece);
		fcp_connect_clear(&reader);
	}
}

static void cut_off(void)
{
	struct fcp_error err;
	struct seen seen;

	for (size_t length = 0; length < STREAM_BYTES; length++) {
		struct fcp_connect_reader reader = reader_of(&seen);
		bool boundary = length == 0 || length == 8 || length == 13;

		fcp_connect_feed(&reader, stream, length, &err);
		ok(fcp_connect_at_boundary(&reader) == boundary, "cut at %zu: %s a boundary",
		   length, boundary ? "is" : "is not");
		fcp_connect_clear(&reader);
	}
}

static void refused(const void *bytes, size_t length, enum fcp_error_class error_class,
		    const char *what)
{
	struct seen seen;
	struct fcp_connect_reader reader = reader_of(&seen);
	struct fcp_error err = {0};

	ok(fcp_connect_feed(&reader, bytes, length, &err) == -1 && err.error_class == error_class,
	   "%s", what);
	fcp_connect_clear(&reader);
}

static void hostile(void)
{
	struct seen seen;
	struct fcp_connect_reader reader = reader_of(&seen);
	char message[5 + MAX_BYTES] = {0, 0, 0, 0, MAX_BYTES};
	struct fcp_error err;

	refused("\0\0\0\0\x41", 5, FCP_ERR_PROTOCOL, "a message of one byte more than allowed");
	refused("\0\xff\xff\xff\xff", 5, FCP_ERR_PROTOCOL, "a message of 4 GiB");
	refused("\1\0\0\0\1x", 6, FCP_ERR_PROTOCOL, "a compressed one");
	memset(message + 5, 'm', MAX_BYTES);
	ok(fcp_connect_feed(&reader, message, sizeof(message), &err) == 0 && seen.count == 1,
	   "as long as allowed is fine");
	seen.refuse_at = 1;
	ok(fcp_connect_feed(&reader, stream, STREAM_BYTES, &err) == -1 &&
		   err.error_class == FCP_ERR_SERVER,
	   "the handler's error stops the stream");
	is_u64((uint64_t)seen.count, 2, "... and nothing behind it is handled");
	fcp_connect_clear(&reader);
	fcp_connect_clear(&reader);
	ok(true, "cleared twice");
}

int main(void)
{
	prefixes();
	pieces();
	cut_off();
	hostile();
	return done();
}
