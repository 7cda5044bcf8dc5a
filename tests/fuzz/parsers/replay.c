// SPDX-License-Identifier: Apache-2.0
/*
 * Runs a target without a fuzzer: each input of its corpus (tests/fuzz/corpora/NAME, NAME being
 * the program's own), each of them cut anywhere, and some thousand changes at random, the same
 * each time. With names of files: these only. What is wrong aborts.
 */
#include "fuzz.h"
#include "tests/unit/tap.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define INPUT_MAX_BYTES 65536
#define CHANGES_EACH 200
/* An input that does not end is to end the test. */
#define GIVE_UP_SECONDS 300

static uint64_t state = 1;

static uint64_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

/* On a copy of just this size, so that a sanitizer sees a byte too many. */
static void run(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static void run_cuts(const uint8_t *data, size_t size)
{
	size_t step = size / 64 + 1;

	for (size_t cut = 0; cut < size; cut += step)
		run(data, cut);
}

static void run_changes(const uint8_t *data, size_t size)
{
	uint8_t changed[INPUT_MAX_BYTES];

	for (unsigned round = 0; round < CHANGES_EACH && size > 0; round++) {
		memcpy(changed, data, size);
		for (uint64_t i = next_random() % 4; i < 4; i++) {
			size_t at = next_random() % size, from = next_random() % size;
			size_t most = size - (at > from ? at : from);

			if (next_random() % 2)
				changed[at] = (uint8_t)next_random();
			else
				memmove(changed + at, changed + from, next_random() % most);
		}
		run(changed, size);
	}
}

static bool replay(const char *path, bool all)
{
	static uint8_t data[INPUT_MAX_BYTES];
	FILE *file = fopen(path, "re");
	size_t size;

	if (!file)
		return ok(false, "%s: %s", path, strerror(errno));
	size = fread(data, 1, sizeof(data), file);
	fclose(file);
	/* Told first: what aborts does so in this one. */
	printf("# %s\n", path);
	fflush(stdout);
	run(data, size);
	if (all) {
		run_cuts(data, size);
		run_changes(data, size);
	}
	return ok(true, "%s", path);
}

static void replay_corpus(const char *name)
{
	char directory[256], path[1024];
	const struct dirent *entry;
	unsigned count = 0;
	DIR *corpus;

	snprintf(directory, sizeof(directory), "tests/fuzz/corpora/%s", name);
	corpus = opendir(directory);
	while (corpus && (entry = readdir(corpus)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		count += replay(path, true);
	}
	ok(count > 0, "%s: its corpus has %u inputs", name, count);
	if (corpus)
		closedir(corpus);
}

int main(int argc, char **argv)
{
	alarm(GIVE_UP_SECONDS);
	run((const uint8_t *)"", 0);
	for (int i = 1; i < argc; i++)
		replay(argv[i], false);
	if (argc < 2)
		replay_corpus(program_invocation_short_name);
	return done();
}
