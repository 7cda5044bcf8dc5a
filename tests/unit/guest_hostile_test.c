// SPDX-License-Identifier: Apache-2.0
/*
 * Guests that lie: what the fuzzer and a look for such cases found, each by itself; the inputs that
 * the fuzzer kept (tests/fuzz/corpus, tests/fuzz/check.h says what may not come out of them); and
 * some thousand changes at random, the same each time.
 */
#include "base/deadline.h"
#include "guest_fixture.h"
#include "tap.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/patch.h"
#include "tests/fuzz/source.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#define CORPUS "tests/fuzz/corpus"
#define RANDOM_ROUNDS 1500
/* A walk that does not end is to end the test. */
#define GIVE_UP_SECONDS 300

/* ---- the fuzzer's ------------------------------------------------------------------------- */

static void replay(const char *name)
{
	char path[512];
	uint8_t data[sizeof(struct input)];
	uint64_t passed = check_most.passed;
	const char *why;
	FILE *file;
	size_t size;

	snprintf(path, sizeof(path), "%s/%s", CORPUS, name);
	file = fopen(path, "re");
	if (!file) {
		ok(false, "%s can be read", path);
		return;
	}
	size = fread(data, 1, sizeof(data), file);
	fclose(file);
	why = check_input(data, size);
	/* A memory as it is, or with changes that are nothing but another state of the same guest. */
	if (!why && strncmp(name, "plain-", 6) == 0 && check_most.passed == passed)
		why = "not all gates passed";
	if (!ok(!why, "%s", name))
		printf("# %s\n", why);
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

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	return *state ^= *state << 17;
}

/* On the made-up memories that are scanned quickly. */
static void random_changes(void)
{
	uint64_t state = 1;
	unsigned wrong = 0;

	for (unsigned i = 0; i < RANDOM_ROUNDS; i++) {
		struct input input = {.base = (uint8_t)(i % 4),
				      .shown = (uint8_t)(i / 4 % SOURCE_KINDS)};
		unsigned count = 1 + (unsigned)(next_random(&state) % 4);
		const char *why;

		for (unsigned at = 0; at < count; at++)
			input.patches[at] = (struct patch){
				.kind = (uint8_t)next_random(&state),
				.how = (uint8_t)next_random(&state),
				.index = (uint16_t)next_random(&state),
				.other = (uint32_t)next_random(&state) % 4096,
				.value = next_random(&state) >> next_random(&state) % 64,
			};
		why = check_input((const uint8_t *)&input,
				  INPUT_HEAD_BYTES + count * sizeof(struct patch));
		if (why) {
			printf("# round %u: %s\n", i, why);
			wrong++;
		}
	}
	is_u64(wrong, 0, "nothing comes out wrong of random changes");
}

int main(void)
{
	alarm(GIVE_UP_SECONDS);
	replay_corpus();
	random_changes();
	printf("# most: %llu reads, %llu KiB read, %llu KiB of own memory, %.0f ms\n",
	       (unsigned long long)check_most.calls, (unsigned long long)check_most.bytes >> 10,
	       (unsigned long long)check_most.own_bytes >> 10, check_most.ms);
	return done();
}
