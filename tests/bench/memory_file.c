// SPDX-License-Identifier: Apache-2.0
/*
 * Writes a file as a Full snapshot's memory file is: every page written, PERCENT of them data and
 * the others zeros, in runs of 4 KiB to 2 MiB. The same bytes each time.
 *
 *   memory_file FILE MIB PERCENT
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PAGE_WORDS 512

static uint64_t state = 1;

static uint64_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

static void fill(uint64_t *words, int data)
{
	for (size_t i = 0; i < PAGE_WORDS; i++)
		words[i] = data ? next_random() : 0;
}

int main(int argc, char **argv)
{
	uint64_t pages = argc == 4 ? strtoull(argv[2], NULL, 10) * 256 : 0;
	uint64_t percent = argc == 4 ? strtoull(argv[3], NULL, 10) : 0;
	uint64_t words[PAGE_WORDS], data_pages = 0, at = 0;
	FILE *out = argc == 4 ? fopen(argv[1], "we") : NULL;

	if (!out || pages == 0) {
		fprintf(stderr, "usage: memory_file FILE MIB PERCENT\n");
		return 1;
	}
	while (at < pages) {
		uint64_t order = next_random() % 9;
		uint64_t run = (UINT64_C(1) << order) + next_random() % (UINT64_C(1) << order);
		int data = data_pages * 100 < at * percent;

		for (; run > 0 && at < pages; run--, at++) {
			fill(words, data);
			data_pages += (uint64_t)data;
			if (fwrite(words, sizeof(words), 1, out) != 1)
				break;
		}
		if (ferror(out))
			break;
	}
	if (fclose(out) != 0 || at < pages) {
		perror(argv[1]);
		return 1;
	}
	return 0;
}
