// SPDX-License-Identifier: Apache-2.0
#include "base/enums.h"

#include <string.h>

static const struct {
	const char *name;
	uint32_t default_cap_ms;
} kinds[FCP_RECLAIM_KINDS] = {
	[FCP_RECLAIM_SYNC] = {"sync", 500},
	[FCP_RECLAIM_DROP_CACHES] = {"drop_caches", 200},
	[FCP_RECLAIM_COMPACT_MEMORY] = {"compact_memory", 1000},
	[FCP_RECLAIM_FSTRIM] = {"fstrim", 500},
};

const char *fcp_reclaim_kind_name(enum fcp_reclaim_kind kind)
{
	return (unsigned)kind < FCP_RECLAIM_KINDS ? kinds[kind].name : "unknown";
}

uint32_t fcp_reclaim_default_cap_ms(enum fcp_reclaim_kind kind)
{
	return (unsigned)kind < FCP_RECLAIM_KINDS ? kinds[kind].default_cap_ms : 0;
}

bool fcp_reclaim_kind_find(const char *name, enum fcp_reclaim_kind *kind_)
{
	for (size_t i = 0; name && i < FCP_RECLAIM_KINDS; i++)
		if (strcmp(kinds[i].name, name) == 0) {
			*kind_ = (enum fcp_reclaim_kind)i;
			return true;
		}
	return false;
}
