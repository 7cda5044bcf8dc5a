// SPDX-License-Identifier: Apache-2.0
/* Arrays that grow as items are added. */
#ifndef FCP_BASE_ARRAY_H
#define FCP_BASE_ARRAY_H

#include "base/error.h"

#include <stdlib.h>

/*
 * Makes room for one more item: when count items fill items, an array of *capacity items of
 * item_bytes each, it is reallocated to twice that capacity. Returns the array, owned by the
 * caller; NULL with FCP_ERR_MEMORY leaves items as it was.
 */
static inline void *fcp_array_grow(void *items, size_t count, size_t *capacity, size_t item_bytes,
				   struct fcp_error *err)
{
	size_t more = *capacity > 0 ? 2 * *capacity : 64;
	void *grown;

	if (count < *capacity)
		return items;
	grown = reallocarray(items, more, item_bytes);
	if (grown)
		*capacity = more;
	else
		fcp_error_nomem(err);
	return grown;
}

#endif
