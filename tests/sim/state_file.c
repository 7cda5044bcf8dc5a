// SPDX-License-Identifier: Apache-2.0
#include <endian.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crc64.h"
#include "state_file.h"

#define MAGIC 0x0710198486640000u
#define MAX_BYTES 10000000u
#define LOAD "Failed to load snapshot state from file: "
#define CRC_BYTES sizeof(uint64_t)

int write_all(int fd, const void *data, size_t len, off_t at)
{
	const char *p = data;

	while (len) {
		ssize_t n = pwrite(fd, p, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		p += n;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

int state_file_write(int fd, const char *text, const struct sim_options *o)
{
	const size_t before = o->old_state_file ? 0 : 1, len = strlen(text);
	const size_t crc_at = before + sizeof(uint64_t) + len;
	uint8_t *all = calloc(1, crc_at + CRC_BYTES);
	uint64_t magic = htole64(o->state_damage == SIM_DAMAGE_MAGIC ? MAGIC + 1 : MAGIC), crc;
	int ret;

	if (!all)
		return -1;
	memcpy(all + before, &magic, sizeof(magic));
	memcpy(all + before + sizeof(magic), text, len);
	crc = htole64(crc64(0, all, crc_at) ^ (o->state_damage == SIM_DAMAGE_CRC));
	memcpy(all + crc_at, &crc, sizeof(crc));
	ret = write_all(fd, all,
			o->state_damage == SIM_DAMAGE_CUT ? crc_at / 2 : crc_at + CRC_BYTES, 0);
	free(all);
	return ret;
}

static uint64_t number_at(const uint8_t *p)
{
	uint64_t n;

	memcpy(&n, p, sizeof(n));
	return le64toh(n);
}

static char *take_text(const uint8_t *all, size_t len, char *ret_message, size_t message_size)
{
	size_t magic_at;

	if (len < 1 + sizeof(uint64_t) + CRC_BYTES) {
		snprintf(ret_message, message_size, LOAD "IO Error: File too short to contain CRC");
		return NULL;
	}
	magic_at = number_at(all) == MAGIC ? 0 : 1;
	if (number_at(all + magic_at) != MAGIC) {
		snprintf(ret_message, message_size, LOAD "Magic value does not match arch: %llu",
			 (unsigned long long)number_at(all + magic_at));
		return NULL;
	}
	/* Over the CRC too it is 0. */
	if (crc64(0, all, len)) {
		snprintf(ret_message, message_size, LOAD "CRC64 validation failed");
		return NULL;
	}
	magic_at += sizeof(uint64_t);
	return strndup((const char *)all + magic_at, len - CRC_BYTES - magic_at);
}

char *state_file_read(const char *path, char *ret_message, size_t message_size)
{
	FILE *in = fopen(path, "re");
	uint8_t *all;
	char *text = NULL;

	if (!in) {
		snprintf(ret_message, message_size,
			 "Failed to open snapshot file: %s (os error %d)", strerror(errno), errno);
		return NULL;
	}
	all = malloc(MAX_BYTES);
	if (all)
		text = take_text(all, fread(all, 1, MAX_BYTES, in), ret_message, message_size);
	free(all);
	fclose(in);
	return text;
}
