// SPDX-License-Identifier: Apache-2.0
#include "base/list.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

#define ALIGNMENT alignof(max_align_t)

static size_t aligned(size_t bytes)
{
	return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

void *fcp_list_new(size_t count, size_t item_bytes)
{
	size_t stride = aligned(item_bytes), head, bytes;
	void **list;

	if (__builtin_mul_overflow(count, sizeof(*list), &head) ||
	    head > SIZE_MAX - ALIGNMENT - sizeof(*list) ||
	    __builtin_mul_overflow(count, stride, &bytes))
		return NULL;
	head = aligned(head + sizeof(*list)); /* never 0: a list of no items is not NULL */
	if (__builtin_add_overflow(bytes, head, &bytes))
		return NULL;
	list = calloc(1, bytes);
	for (size_t i = 0; list && i < count; i++)
		list[i] = (char *)list + head + i * stride;
	return list;
}
