// SPDX-License-Identifier: Apache-2.0
#include "firecracker/state_file.h"

#include "tap.h"

#include <endian.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define STATE_BYTES 200

/* A state file with its magic number at offset `at`, and a CRC that is right but for `flip`. */
static int state_fd(size_t at, uint64_t magic, uint64_t flip)
{
	unsigned char state[STATE_BYTES];
	uint64_t value = htole64(magic);
	int fd = memfd_create("state", MFD_CLOEXEC);

	for (size_t i = 0; i < sizeof(state); i++)
		state[i] = (unsigned char)(i * 7);
	memcpy(state + at, &value, sizeof(value));
	value = htole64(fcp_crc64(0, state, sizeof(state) - 8) ^ flip);
	memcpy(state + sizeof(state) - 8, &value, sizeof(value));
	if (write(fd, state, sizeof(state)) != (ssize_t)sizeof(state))
		abort();
	return fd;
}

static void check(int fd, const char *fault, const char *what)
{
	struct fcp_error err = {0};
	int result = fcp_state_file_check(fd, "vm.snap", &err);

	if (!fault)
		ok(result == 0, "%s", what);
	else if (ok(result != 0 && err.error_class == FCP_ERR_PROTOCOL, "%s: refused", what))
		has_str(err.message, fault, what);
	close(fd);
}

static int without_last_byte(int fd)
{
	if (ftruncate(fd, STATE_BYTES - 1) != 0)
		abort();
	return fd;
}

int main(void)
{
	const uint64_t x86_64 = UINT64_C(0x0710198486640000),
		       aarch64 = UINT64_C(0x07101984aaaa0000);

	is_u64(fcp_crc64(0, "123456789", 9), UINT64_C(0xe9c6d914c4b8d9ca), "the CRC's check value");
	is_u64(fcp_crc64(fcp_crc64(0, "1234", 4), "56789", 5), UINT64_C(0xe9c6d914c4b8d9ca),
	       "it can be continued");
	check(state_fd(0, x86_64, 0), NULL, "an older version's state");
	check(state_fd(1, x86_64, 0), NULL, "a state of 1.16");
	check(state_fd(1, aarch64, 0), NULL, "an aarch64 host's state");
	check(state_fd(2, x86_64, 0), "no magic number", "a magic number elsewhere");
	check(state_fd(1, x86_64 + 1, 0), "no magic number", "another magic number");
	check(state_fd(1, x86_64, 1), "CRC-64 is wrong", "one bit of the CRC");
	check(without_last_byte(state_fd(1, x86_64, 0)), "CRC-64 is wrong", "a byte is missing");
	check(memfd_create("empty", MFD_CLOEXEC), "0 bytes", "an empty file");
	return done();
}
