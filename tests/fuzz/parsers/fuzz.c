// SPDX-License-Identifier: Apache-2.0
#include "fuzz.h"

#include "base/enums.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

uint8_t take_byte(struct bytes *bytes)
{
	if (bytes->left == 0)
		return 0;
	bytes->left--;
	return *bytes->at++;
}

uint64_t take_u64(struct bytes *bytes)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < 8; i++)
		value |= (uint64_t)take_byte(bytes) << (8 * i);
	return value;
}

struct bytes take_until(struct bytes *bytes, uint8_t separator)
{
	const uint8_t *found = bytes->left ? memchr(bytes->at, separator, bytes->left) : NULL;
	struct bytes part = {bytes->at, found ? (size_t)(found - bytes->at) : bytes->left};

	bytes->at += part.left + (found != NULL);
	bytes->left -= part.left + (found != NULL);
	return part;
}

char *text_of_bytes(struct bytes bytes)
{
	char *text = malloc(bytes.left + 1);

	if (!text)
		abort();
	if (bytes.left > 0)
		memcpy(text, bytes.at, bytes.left);
	text[bytes.left] = '\0';
	return text;
}

static int the_memfd(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("input", MFD_CLOEXEC);
	if (fd < 0)
		abort();
	return fd;
}

int memfd_of(struct bytes bytes)
{
	int fd = the_memfd();

	if (ftruncate(fd, 0) != 0 || pwrite(fd, bytes.at, bytes.left, 0) != (ssize_t)bytes.left ||
	    lseek(fd, 0, SEEK_SET) != 0)
		abort();
	return fd;
}

const char *memfd_path(void)
{
	static char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", the_memfd());
	return path;
}

void expect(bool right, const char *what)
{
	if (right)
		return;
	fprintf(stderr, "wrong: %s\n", what);
	abort();
}

void expect_error(const struct fcp_error *err)
{
	expect(err->error_class != FCP_ERR_NONE, "a failure without a class");
	expect(err->message[0] != '\0', "a failure without a message");
	expect(strnlen(err->message, sizeof(err->message)) < sizeof(err->message),
	       "a message without an end");
	expect(fcp_text_is_printable(err->message), "a message that drives a terminal");
}

static void expect_flag(const struct fcp_flag *flag)
{
	uint32_t most = 24 * 3600 * 1000;

	expect(flag->timeout_ms <= most, "a ceiling of more than a day");
	expect(flag->cap_count <= FCP_RECLAIM_KINDS, "a step twice");
	for (size_t i = 0; i < flag->cap_count; i++)
		expect(flag->caps[i].cap_ms <= most, "a cap of more than a day");
	expect(!flag->on || flag->timeout_ms > 0 || flag->cap_count > 0,
	       "a flag that is on with no figure");
}

void expect_flags(const struct fcp_flags *flags)
{
	expect_flag(&flags->reclaim_on_pause);
	expect_flag(&flags->free_page_hinting);
	expect(flags->warning_count <= 16, "more warnings than there is room for");
	for (size_t i = 0; i < flags->warning_count; i++)
		expect(fcp_text_is_printable(flags->warnings[i]),
		       "a warning that drives a terminal");
}
