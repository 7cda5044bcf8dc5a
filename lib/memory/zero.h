// SPDX-License-Identifier: Apache-2.0
/* Finds the pages of zeros that take storage. */
#ifndef FCP_MEMORY_ZERO_H
#define FCP_MEMORY_ZERO_H

#include "base/units.h"
#include "memory/file.h"

#include <string.h>

/* Called for each run in ascending order; returning -1 with *err set ends the scan. */
typedef int (*fcp_zero_sink)(uint64_t start, uint64_t end, void *arg, struct fcp_error *err);

struct fcp_zero_scan {
	const struct fcp_file *file;
	const struct fcp_ranges *skip; /* not read, not reported; sorted, whole pages; or NULL */
	fcp_zero_sink sink;
	void *sink_arg;
};

/*
 * Reads what is data (SEEK_DATA) and reports the longest runs of whole 4 KiB pages of zeros. Holes
 * cost nothing and are in no run; a partial page at the end is ignored. Reads in a few threads; the
 * sink is called in this one. Needs at most 12 MiB of memory. FCP_ERR_BUSY: the file was truncated
 * during the scan; FCP_ERR_IO, FCP_ERR_MEMORY, and the errors of fcp_file_poll() and the sink.
 */
int fcp_zero_scan(const struct fcp_zero_scan *scan, struct fcp_error *err);

/*
 * For FCP_PAGE_BYTES. The C library's memcmp uses each CPU's widest compares (AVX2 and more; NEON
 * on arm64) and stops at the first difference, in most pages of data the first word.
 */
static inline bool fcp_page_is_zero(const unsigned char *page)
{
	static const unsigned char zeros[FCP_PAGE_BYTES];

	return memcmp(page, zeros, sizeof(zeros)) == 0;
}

#endif
