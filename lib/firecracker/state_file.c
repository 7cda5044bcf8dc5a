// SPDX-License-Identifier: Apache-2.0
#include "firecracker/state_file.h"

#include "base/cleanup.h"

#include <endian.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

/* 0xad93d23594c935a9 with its bits in reverse order. */
#define CRC64_JONES_REFLECTED UINT64_C(0x95ac9329ac4bc9b5)
#define MAGIC_X86_64 UINT64_C(0x0710198486640000)
#define MAGIC_AARCH64 UINT64_C(0x07101984aaaa0000)
#define CRC_BYTES 8
/* Firecracker 1.16 writes about 20 kB; with many devices and vCPUs a few hundred. */
#define STATE_MAX_BYTES (64 << 20)

static uint64_t crc_table[256];
static pthread_once_t crc_table_once = PTHREAD_ONCE_INIT;

static void fill_crc_table(void)
{
	for (unsigned byte = 0; byte < 256; byte++) {
		uint64_t crc = byte;

		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ CRC64_JONES_REFLECTED : crc >> 1;
		crc_table[byte] = crc;
	}
}

uint64_t fcp_crc64(uint64_t crc, const void *data, size_t bytes)
{
	const unsigned char *at = data;

	pthread_once(&crc_table_once, fill_crc_table);
	for (size_t i = 0; i < bytes; i++)
		crc = crc_table[(crc ^ at[i]) & 0xff] ^ crc >> 8;
	return crc;
}

static uint64_t le64_at(const char *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return le64toh(value);
}

static bool is_magic(uint64_t value)
{
	return value == MAGIC_X86_64 || value == MAGIC_AARCH64;
}

static int check_state_bytes(const char *state, size_t bytes, const char *name,
			     struct fcp_error *err)
{
	if (!is_magic(le64_at(state)) && !is_magic(le64_at(state + 1)))
		return fcp_error_set(err, FCP_ERR_PROTOCOL, 0,
				     "%.200s: not a state file of Firecracker (no magic number)",
				     name);
	if (fcp_crc64(0, state, bytes - CRC_BYTES) != le64_at(state + bytes - CRC_BYTES))
		return fcp_error_set(
			err, FCP_ERR_PROTOCOL, 0,
			"%.200s: the state file is damaged or incomplete (its CRC-64 is wrong)",
			name);
	return 0;
}

int fcp_state_file_check(int fd, const char *name, struct fcp_error *err)
{
	FCP_CLEANUP(free) char *state = NULL;
	struct stat file;
	size_t bytes, held = 0;

	if (fstat(fd, &file) != 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%.200s", name);
	if (file.st_size < 3 * CRC_BYTES || file.st_size > STATE_MAX_BYTES)
		return fcp_error_set(err, FCP_ERR_PROTOCOL, 0,
				     "%.200s: a state file of %lld bytes is not Firecracker's",
				     name, (long long)file.st_size);
	bytes = (size_t)file.st_size;
	state = malloc(bytes);
	if (!state)
		return fcp_error_nomem(err);
	while (held < bytes) {
		ssize_t got = pread(fd, state + held, bytes - held, (off_t)held);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return fcp_error_set(err, FCP_ERR_IO, got < 0 ? errno : 0,
					     "%.200s: cannot read the state file", name);
		held += (size_t)got;
	}
	return check_state_bytes(state, bytes, name, err);
}
