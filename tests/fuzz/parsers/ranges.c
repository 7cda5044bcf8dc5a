// SPDX-License-Identifier: Apache-2.0
/* Lists of ranges. The first byte: how long the file is that they are of. */
#include "fuzz.h"
#include "memory/identity.h"
#include "memory/range.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int read_list(struct bytes text, uint64_t limit_bytes, struct fcp_file_identity *made_of,
		     struct fcp_ranges *ranges, struct fcp_error *err)
{
	return fcp_ranges_read(&(struct fcp_ranges_text){.fd = memfd_of(text),
							 .name = "list",
							 .limit_bytes = limit_bytes,
							 .cancel_fd = -1,
							 .made_of_ = made_of},
			       ranges, err);
}

/* The same list, written as `--list` does. */
static void check_written(const struct fcp_ranges *ranges, const struct fcp_file_identity *made_of)
{
	struct fcp_ranges again = {0};
	struct fcp_file_identity same;
	struct fcp_error err;
	char identity[FCP_IDENTITY_BYTES], *text;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	if (!out)
		abort();
	if (fcp_identity_is_known(made_of))
		fprintf(out, "# file %s\n", fcp_identity_text(made_of, identity));
	for (size_t i = 0; i < ranges->count; i++)
		fprintf(out, "%" PRIu64 " 0x%" PRIx64 "\n", ranges->items[i].start,
			ranges->items[i].end - ranges->items[i].start);
	fclose(out);
	expect(read_list((struct bytes){(uint8_t *)text, bytes}, UINT64_MAX, &same, &again, &err) ==
		       0,
	       "a list that is not read when it is written again");
	expect(fcp_identity_equal(made_of, &same), "another identity");
	expect(again.count == ranges->count, "another number of ranges");
	for (size_t i = 0; i < again.count; i++)
		expect(again.items[i].start == ranges->items[i].start &&
			       again.items[i].end == ranges->items[i].end,
		       "another range");
	fcp_ranges_clear(&again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes input = {data, size};
	unsigned limit = take_byte(&input);
	uint64_t limit_bytes = limit & 0x80 ? UINT64_MAX : (uint64_t)4096 << (limit & 31);
	struct fcp_file_identity made_of = {0};
	struct fcp_ranges ranges = {0};
	struct fcp_error err = {0};

	if (read_list(input, limit_bytes, &made_of, &ranges, &err) != 0) {
		expect_error(&err);
		expect(!ranges.items && ranges.count == 0, "ranges of a list that was refused");
		return 0;
	}
	if (fcp_identity_is_known(&made_of))
		limit_bytes = made_of.size_bytes;
	for (size_t i = 0; i < ranges.count; i++) {
		const struct fcp_range *range = &ranges.items[i];

		expect(range->start < range->end && range->end <= limit_bytes,
		       "a range past the limit");
		expect(range->start % 4096 == 0 && range->end % 4096 == 0,
		       "a range of no whole pages");
		expect(i == 0 || range->start > ranges.items[i - 1].end, "ranges out of order");
	}
	check_written(&ranges, &made_of);
	fcp_ranges_clear(&ranges);
	return 0;
}
