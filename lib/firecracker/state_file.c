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
#define WINDOW_BYTES (64 << 10)

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

/* The file, read once, front to back. */
struct state_reader {
	int fd;
	const char *name; /* for messages */
	size_t bytes;
	uint64_t crc; /* of what was read but for the last CRC_BYTES of the file */
	char window[WINDOW_BYTES];
};

/* Fills the window from offset on, as far as the file goes; returns how much that is. */
static ssize_t read_window(struct state_reader *reader, size_t offset, struct fcp_error *err)
{
	size_t left = reader->bytes - offset, wanted = left < WINDOW_BYTES ? left : WINDOW_BYTES;
	size_t held = 0;

	while (held < wanted) {
		ssize_t got = pread(reader->fd, reader->window + held, wanted - held,
				    (off_t)(offset + held));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return fcp_error_set(err, FCP_ERR_IO, got < 0 ? errno : 0,
					     "%.200s: cannot read the state file", reader->name);
		held += (size_t)got;
	}
	return (ssize_t)held;
}

static int check_magic(const struct state_reader *reader, struct fcp_error *err)
{
	if (is_magic(le64_at(reader->window)) || is_magic(le64_at(reader->window + 1)))
		return 0;
	return fcp_error_set(err, FCP_ERR_PROTOCOL, 0,
			     "%.200s: not a state file of Firecracker (no magic number)",
			     reader->name);
}

/* The CRC lies behind what it is of, and may lie across two windows: it is read again. */
static int check_crc(struct state_reader *reader, struct fcp_error *err)
{
	if (read_window(reader, reader->bytes - CRC_BYTES, err) < 0)
		return -1;
	if (reader->crc == le64_at(reader->window))
		return 0;
	return fcp_error_set(
		err, FCP_ERR_PROTOCOL, 0,
		"%.200s: the state file is damaged or incomplete (its CRC-64 is wrong)",
		reader->name);
}

static int check_state(struct state_reader *reader, struct fcp_error *err)
{
	size_t end = reader->bytes - CRC_BYTES;

	for (size_t offset = 0; offset < end; offset += WINDOW_BYTES) {
		size_t left = end - offset;

		if (read_window(reader, offset, err) < 0 ||
		    (offset == 0 && check_magic(reader, err) != 0))
			return -1;
		reader->crc = fcp_crc64(reader->crc, reader->window,
					left < WINDOW_BYTES ? left : WINDOW_BYTES);
	}
	return check_crc(reader, err);
}

int fcp_state_file_check(int fd, const char *name, struct fcp_error *err)
{
	FCP_CLEANUP(free) struct state_reader *reader = NULL;
	struct stat file;

	if (fstat(fd, &file) != 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "%.200s", name);
	if (file.st_size < 3 * CRC_BYTES || file.st_size > STATE_MAX_BYTES)
		return fcp_error_set(err, FCP_ERR_PROTOCOL, 0,
				     "%.200s: a state file of %lld bytes is not Firecracker's",
				     name, (long long)file.st_size);
	reader = calloc(1, sizeof(*reader));
	if (!reader)
		return fcp_error_nomem(err);
	reader->fd = fd;
	reader->name = name;
	reader->bytes = (size_t)file.st_size;
	return check_state(reader, err);
}
