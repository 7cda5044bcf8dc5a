// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_BASE_UNITS_H
#define FCP_BASE_UNITS_H

#include <stdbool.h>
#include <stdint.h>

/* The guest's pages. Those of the host may be larger: sysconf(_SC_PAGESIZE). */
#define FCP_PAGE_BYTES UINT64_C(4096)
#define FCP_MIB (UINT64_C(1) << 20)

/*
 * Parses all of text as an unsigned number, decimal or 0x: no sign, no blanks, no wrap-around. With
 * suffixes, one of K, M, G, T, KiB, MiB, ... (powers of 1024) may follow.
 * Returns false, with *value_ untouched, for anything else.
 */
bool fcp_parse_u64(const char *text, bool suffixes, uint64_t *value_);

/* a + b; false, with *result_ untouched, when it does not fit. */
bool fcp_add_u64(uint64_t a, uint64_t b, uint64_t *result_);

static inline uint64_t fcp_align_down(uint64_t value, uint64_t unit)
{
	return value - value % unit;
}

/* value + unit - 1 must not wrap. */
static inline uint64_t fcp_align_up(uint64_t value, uint64_t unit)
{
	return fcp_align_down(value + unit - 1, unit);
}

/*
 * A duration in ms: "1500" is ms; with units "1500ms", "1.5s", "2m" or "2min", "1h", and several in
 * a row, "1m30s". false: it is none, or no whole number of ms. One of more than UINT64_MAX is that.
 */
bool fcp_parse_ms(const char *text, uint64_t *ms_);

#endif
