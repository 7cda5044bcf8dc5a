// SPDX-License-Identifier: Apache-2.0
#include "cmd/telemetry/trace_context.h"

#include "base/deadline.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define HEX "0123456789abcdef"

/* Does text consist of that many hexadecimal digits followed by end (or for '\0', nothing)? */
static bool is_hex(const char *text, size_t digits, char end)
{
	return strspn(text, HEX) == digits && text[digits] == end;
}

static bool is_zero(const char *digits, size_t count)
{
	return strspn(digits, "0") >= count;
}

/* Where each part begins in the text. */
enum { TRACE_AT = 3, SPAN_AT = 36, FLAGS_AT = 53, VERSION_00_LENGTH = 55 };

bool traceparent_parse(const char *text, struct trace_context *context_)
{
	bool version_00 = strncmp(text, "00-", 3) == 0;
	char last;

	if (strlen(text) < VERSION_00_LENGTH || !is_hex(text, 2, '-') ||
	    strncmp(text, "ff", 2) == 0 || !is_hex(text + TRACE_AT, 32, '-') ||
	    !is_hex(text + SPAN_AT, 16, '-') || strspn(text + FLAGS_AT, HEX) != 2)
		return false;
	last = text[VERSION_00_LENGTH];
	if (last != '\0' && (version_00 || last != '-'))
		return false;
	if (is_zero(text + TRACE_AT, 32) || is_zero(text + SPAN_AT, 16))
		return false;
	*context_ = (struct trace_context){0};
	memcpy(context_->trace_id, text + TRACE_AT, 32);
	memcpy(context_->span_id, text + SPAN_AT, 16);
	context_->sampled = (strchr(HEX, text[FLAGS_AT + 1]) - HEX) & 1;
	return true;
}

void traceparent_write(const struct trace_context *context, char text[TRACEPARENT_BYTES])
{
	snprintf(text, TRACEPARENT_BYTES, "00-%s-%s-%02x", context->trace_id, context->span_id,
		 (unsigned)context->sampled);
}

/* Ids tell spans apart and are not secret: the clock will do if there is no randomness yet. */
static void random_hex(char *id, size_t digits)
{
	unsigned char bytes[16];

	if (getrandom(bytes, digits / 2, GRND_NONBLOCK) != (ssize_t)(digits / 2)) {
		uint64_t seed = fcp_now_ns() ^ ((uint64_t)getpid() << 32);

		for (size_t i = 0; i < digits / 2; i++, seed = seed * 6364136223846793005 + 1)
			bytes[i] = (unsigned char)(seed >> 56);
	}
	bytes[0] |= 1;
	for (size_t i = 0; i < digits / 2; i++)
		snprintf(id + 2 * i, 3, "%02x", bytes[i]);
}

void trace_id_new(char id[TRACE_ID_BYTES])
{
	random_hex(id, TRACE_ID_BYTES - 1);
}

void span_id_new(char id[SPAN_ID_BYTES])
{
	random_hex(id, SPAN_ID_BYTES - 1);
}
