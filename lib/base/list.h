// SPDX-License-Identifier: Apache-2.0
/*
 * The lists that results hand out: arrays of pointers, so that a program that was built against an
 * older fcpause.h, with shorter items, finds each of them.
 */
#ifndef FCP_BASE_LIST_H
#define FCP_BASE_LIST_H

#include <stddef.h>

/*
 * count pointers to items of item_bytes each, all zeros, in one block: free(3) the list alone.
 * NULL: out of memory. A list of no items is not NULL.
 */
void *fcp_list_new(size_t count, size_t item_bytes);

#endif
