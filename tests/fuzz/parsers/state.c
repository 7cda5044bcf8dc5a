// SPDX-License-Identifier: Apache-2.0
/* State files. The first byte's lowest bit: the CRC is put right, so that the rest counts. */
#include "firecracker/state_file.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#define POLYNOMIAL UINT64_C(0xad93d23594c935a9)

static uint64_t reversed(uint64_t value)
{
	uint64_t result = 0;

	for (unsigned bit = 0; bit < 64; bit++)
		result |= (value >> bit & 1) << (63 - bit);
	return result;
}

/* From the definition, bit by bit. */
static uint64_t plain_crc(const uint8_t *data, size_t size)
{
	uint64_t crc = 0;

	for (size_t i = 0; i < size; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			uint64_t in = (uint64_t)(data[i] >> bit & 1) ^ crc >> 63;

			crc = crc << 1 ^ (in ? POLYNOMIAL : 0);
		}
	return reversed(crc);
}

static bool has_magic(const uint8_t *data)
{
	static const uint8_t x86_64[] = {0, 0, 0x64, 0x86, 0x84, 0x19, 0x10, 0x07};
	static const uint8_t aarch64[] = {0, 0, 0xaa, 0xaa, 0x84, 0x19, 0x10, 0x07};

	return memcmp(data, x86_64, 8) == 0 || memcmp(data, aarch64, 8) == 0;
}

static bool is_state(const uint8_t *data, size_t size)
{
	uint8_t crc[8];

	if (size < 24 || !(has_magic(data) || has_magic(data + 1)))
		return false;
	for (unsigned i = 0; i < 8; i++)
		crc[i] = (uint8_t)(plain_crc(data, size - 8) >> (8 * i));
	return memcmp(crc, data + size - 8, 8) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes input = {data, size};
	bool mend = take_byte(&input) & 1;
	char *state = text_of_bytes(input);
	struct fcp_error err = {0};
	bool taken;

	if (mend && input.left >= 8)
		for (unsigned i = 0; i < 8; i++)
			state[input.left - 8 + i] =
				(char)(plain_crc((uint8_t *)state, input.left - 8) >> (8 * i));
	input.at = (uint8_t *)state;
	taken = fcp_state_file_check(memfd_of(input), "vm.state", &err) == 0;
	expect(taken == is_state(input.at, input.left), "a verdict that is not the definition's");
	if (!taken)
		expect_error(&err);
	free(state);
	return 0;
}
