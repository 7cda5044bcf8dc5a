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

/* Of a key that the note has makes one that nobody looks for. */
static void hide_key(struct fixture *fixture, const char *key)
{
	char text[6000];
	char *at;

	fixture_read(fixture, FIXTURE_NOTE, text, sizeof(text));
	at = memmem(text, sizeof(text), key, strlen(key));
	if (at)
		fixture_write(fixture, FIXTURE_NOTE + (uint64_t)(at - text), "X", 1);
}

static void refuses(struct fixture *fixture, const char *reason, const char *what)
{
	struct fcp_guest_free found;
	struct fcp_error err = {0};

	ok(fixture_find(fixture, FCP_HOLES_ZERO, &found, &err) < 0 &&
		   err.error_class == FCP_ERR_UNSUPPORTED && found.ranges.count == 0,
	   "refused: %s", what);
	has_str(err.message, reason, "with the reason");
	fcp_guest_free_clear(&found);
	fixture_close(fixture);
}

/* A size that is missing while another symbol stands in for the array's: node_data was read with a
 * length of -1 onto the stack, mem_section divided by zero. */
static void sizes_missing(void)
{
	struct fixture fixture;

	fixture_build(&fixture, &(struct fixture_settings){
					.note_edit = "NUMBER(sme_mask)=0\nSYMBOL(contig_page_data)="
						     "ffff888001500000"});
	hide_key(&fixture, "LENGTH(node_data)");
	refuses(&fixture, "LENGTH(node_data)", "node_data of no length");

	fixture_build(&fixture,
		      &(struct fixture_settings){.note_edit = "NUMBER(sme_mask)=0\nSYMBOL(mem_map)="
							      "ffffffff81203040"});
	hide_key(&fixture, "SIZE(mem_section)");
	refuses(&fixture, "mem_section", "mem_section of no size");
	fixture_build(&fixture,
		      &(struct fixture_settings){.note_edit = "NUMBER(sme_mask)=0\nSYMBOL(mem_map)="
							      "ffffffff81203040"});
	hide_key(&fixture, "NUMBER(SECTION_SIZE_BITS)");
	refuses(&fixture, "mem_section", "mem_section without the sections' size");
}

/* Page tables of which each entry leads to the root itself map all of the kernel's half, page by
 * page: a walk of text that begins outside of the image did not end for minutes. */
static void endless_text(void)
{
	char edit[256];
	struct fixture fixture;
	/* Through entry 257 and then entry 0, each level: the root's own page. */
	uint64_t text = UINT64_C(0xffff808000000000);

	snprintf(edit, sizeof(edit), "SYMBOL(_stext)=%llx", (unsigned long long)text);
	fixture_build(&fixture, &(struct fixture_settings){.note_edit = edit});
	for (uint64_t i = 0; i < 511; i++)
		fixture_write_word(&fixture, FIXTURE_ROOT + i * 8, FIXTURE_ROOT | 0x63);
	/* The edits of the others, of the same length. */
	hide_key(&fixture, "NUMBER(phys_base)=0");
	hide_key(&fixture, "SYMBOL(swapper_pg_dir)");
	{
		uint32_t bytes;
		char more[200];
		int length =
			snprintf(more, sizeof(more),
				 "NUMBER(phys_base)=%lld\nSYMBOL(swapper_pg_dir)=%llx\n",
				 (long long)(FIXTURE_ROOT - (text - UINT64_C(0xffffffff80000000))),
				 (unsigned long long)text);

		fixture_read(&fixture, FIXTURE_NOTE + 4, &bytes, sizeof(bytes));
		fixture_write(&fixture, FIXTURE_NOTE + 24 + bytes, more, (size_t)length);
		bytes += (uint32_t)length;
		fixture_write(&fixture, FIXTURE_NOTE + 4, &bytes, sizeof(bytes));
	}
	refuses(&fixture, "_stext", "text outside of the kernel's image");
}

/* A layer that is full of data, without a note: tmpfs goes through all of it when it is asked where
 * the data ends, which was done for each page; 128 MiB took a minute. */
static void full_layer(void)
{
	const struct fcp_guest_free_settings settings = {.cancel_fd = -1};
	struct store *store = store_new(16 * FIXTURE_MIB);
	struct fcp_guest_free found = {0};
	struct fcp_guest_memory memory;
	struct fcp_error err = {0};

	for (uint64_t at = 0; at < store->bytes; at += STORE_PAGE)
		store_write(store, at, "x", 1);
	source_show(store);
	source.kind = SOURCE_LAYER;
	ok(source_open(&memory, &err) &&
		   fcp_guest_find_free(&memory, &settings, &found, &err) < 0 &&
		   err.error_class == FCP_ERR_UNSUPPORTED,
	   "refused: a full layer without a note");
	ok(source.walked <= 8 * store->bytes / STORE_PAGE,
	   "and the end of its data is not sought anew");
	fcp_guest_free_clear(&found);
	store_free(store);
}

/* Struct pages whose addresses go on past the last one there is: the reads of them came back with
 * what the read before had brought. */
static void memmap_past_the_end(void)
{
	struct fcp_guest_kernel kernel = {.note = {.struct_page_bytes = 64}};
	uint64_t section = 0 - UINT64_C(64) * 64; /* one page of struct pages before the end */
	struct fcp_guest_memmap memmap = {.kernel = &kernel,
					  .section_pages = 1 << 15,
					  .section_count = 1,
					  .sections = &section};
	struct fcp_error err = {0};
	uint64_t next;

	ok(fcp_guest_memmap_read(&memmap, 32, 64, &err) < 0 &&
		   err.error_class == FCP_ERR_UNSUPPORTED,
	   "refused: struct pages past the last address");
	ok(fcp_guest_memmap_skip_holes(&memmap, 32, 96, &next, &err) == 0 && next == 32,
	   "and they are no hole");
}

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
	/*
	 * A memory as it is, or with changes that are nothing but another state of the same guest.
	 */
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
	sizes_missing();
	endless_text();
	full_layer();
	memmap_past_the_end();
	replay_corpus();
	random_changes();
	printf("# most: %llu reads, %llu KiB read, %llu KiB of own memory, %.0f ms\n",
	       (unsigned long long)check_most.calls, (unsigned long long)check_most.bytes >> 10,
	       (unsigned long long)check_most.own_bytes >> 10, check_most.ms);
	return done();
}
