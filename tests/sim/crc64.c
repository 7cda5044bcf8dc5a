// SPDX-License-Identifier: Apache-2.0
#include "crc64.h"

/* 0xad93d23594c935a9 with its bits in reverse order. */
#define POLYNOMIAL 0x95ac9329ac4bc9b5u

uint64_t crc64(uint64_t crc, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++) {
		crc ^= p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
	}
	return crc;
}
