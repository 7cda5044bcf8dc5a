// SPDX-License-Identifier: Apache-2.0
/*
 * Guests that lie: the cases that the fuzzer found (tests/fuzz/corpus), and some thousand changes
 * at random, the same each time. Nothing may crash, take long, or come out wrong.
 */
#include "base/deadline.h"
#include "guest_patch.h"
#include "tap.h"

#include <dirent.h>
#include <stdlib.h>

#define CORPUS "tests/fuzz/corpus"
#define ROUNDS 3000
/* 1 s a GiB is the bound; these are small, and a sanitizer may be watching. */
#define SLOWEST_MS 1000.0

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	return *state ^= *state << 17;
}

static double run_ms(const uint8_t *data, size_t size, const char **why_)
{
	uint64_t start = fcp_now_ns();

	guest_patch_run(data, size, why_);
	return fcp_ms_since(start);
}

static void replay(const char *name)
{
	char path[512];
	uint8_t data[65536];
	const char *why;
	FILE *file;
	size_t size;
	double ms;

	snprintf(path, sizeof(path), "%s/%s", CORPUS, name);
	file = fopen(path, "re");
	if (!file) {
		ok(false, "%s can be read", path);
		return;
	}
	size = fread(data, 1, sizeof(data), file);
	fclose(file);
	ms = run_ms(data, size, &why);
	if (!ok(!why && ms < SLOWEST_MS, "%s", name))
		printf("# %s, %.0f ms\n", why ? why : "slow", ms);
}

static void replay_corpus(void)
{
	DIR *corpus = opendir(CORPUS);
	const struct dirent *entry;

	if (!corpus) {
		skip("the fuzzer's cases", "no " CORPUS " here");
		return;
	}
	while ((entry = readdir(corpus)))
		if (entry->d_name[0] != '.')
			replay(entry->d_name);
	closedir(corpus);
}

static void random_changes(void)
{
	uint64_t state = 1;
	double slowest = 0;
	unsigned wrong = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		uint8_t data[80];
		const char *why;
		double ms;

		for (size_t at = 0; at < sizeof(data); at++)
			data[at] = (uint8_t)next_random(&state);
		/* Mostly likely words, some bytes. */
		for (size_t at = 5; i % 4 != 0 && at < sizeof(data); at += 5)
			data[at] |= 0xf0;
		ms = run_ms(data, 1 + next_random(&state) % (sizeof(data) - 1), &why);
		slowest = ms > slowest ? ms : slowest;
		if (why) {
			printf("# round %u: %s\n", i, why);
			wrong++;
		}
	}
	is_u64(wrong, 0, "nothing comes out wrong of random changes");
	ok(slowest < SLOWEST_MS, "none takes long");
	printf("# the slowest took %.1f ms\n", slowest);
}

int main(void)
{
	replay_corpus();
	random_changes();
	return done();
}
