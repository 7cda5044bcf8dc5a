// SPDX-License-Identifier: Apache-2.0
#include "base/list.h"

#include "tap.h"

#include <stdalign.h>
#include <stdlib.h>

struct item {
	char name[5];
	uint64_t bytes;
};

static void items(void)
{
	struct item **list = fcp_list_new(3, sizeof(**list));
	bool apart = true, zero = true;

	for (size_t i = 0; i < 3; i++) {
		zero = zero && list[i]->name[0] == '\0' && list[i]->bytes == 0;
		apart = apart && (uintptr_t)list[i] % alignof(max_align_t) == 0 &&
			(char *)list[i] >= (char *)&list[3] &&
			(i == 0 || (char *)list[i] >= (char *)list[i - 1] + sizeof(**list));
		memset(list[i], 0xff, sizeof(**list));
	}
	ok(zero, "items are zeros");
	ok(apart, "... apart from each other and from the pointers, and aligned");
	for (size_t i = 0; i < 3; i++)
		apart = apart && list[i]->bytes == UINT64_MAX;
	ok(apart, "... and can be filled");
	free(list);
}

static void none(void)
{
	void *list = fcp_list_new(0, 100);

	ok(list != NULL, "a list of no items is not NULL");
	free(list);
}

/* Counts that a caller gives, which wrap around once multiplied. */
static void too_many(void)
{
	const size_t counts[] = {SIZE_MAX, SIZE_MAX / 8, SIZE_MAX / 8 + 1, SIZE_MAX / 16,
				 SIZE_MAX / 2};

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		ok(!fcp_list_new(counts[i], sizeof(struct item)), "%zu items", counts[i]);
	ok(!fcp_list_new(2, SIZE_MAX / 2 + 1), "huge items");
}

int main(void)
{
	items();
	none();
	too_many();
	return done();
}
