// SPDX-License-Identifier: Apache-2.0
/* What the values of flags mean: a file's, a service's, a cache's. */
#ifndef FCP_FLAGS_VALUES_H
#define FCP_FLAGS_VALUES_H

#include "base/enums.h"
#include "net/json.h"

/* A longer file than anybody writes does not fill the caller's memory, or log. */
#define FCP_FLAG_WARNINGS_MAX 16
#define FCP_FLAG_WARNING_BYTES 256

/* What one name says of its behaviour. */
struct fcp_flag_found {
	bool there;
	bool on;
	uint32_t timeout_ms;
	bool capped[FCP_RECLAIM_KINDS]; /* the steps that are named */
	uint32_t caps_ms[FCP_RECLAIM_KINDS];
};

/* Zero-initialise it, set the first members, hand on each flag, then make the flags. */
struct fcp_flag_reader {
	const char *source; /* named in warnings, borrowed */
	enum fcp_flags_use use;
	bool strict;	 /* a warning will be an error: nothing follows from it */
	bool others_too; /* a service tells all flags that there are: unknown ones are no mistake */
	/* By the behaviour's first name, and by its successor's. */
	struct fcp_flag_found reclaim[2], hinting[2];
	enum fcp_flag_state arm_hinting, free_page_reporting, freeze, freeze_hierarchy, collapse;
	uint32_t freeze_timeout_ms, freeze_max_cgroups, collapse_timeout_ms; /* 0: the default */
	size_t warning_count;
	char warnings[FCP_FLAG_WARNINGS_MAX][FCP_FLAG_WARNING_BYTES];
};

/* One flag; value NULL: the service could not say, problem is why. arg: the reader. */
void fcp_flag_take(const char *name, const struct fcp_json *value, const char *problem, void *arg);

/* Forgets what was read; the one warning that is left says why, and that both flags are off. */
void fcp_flags_discard(struct fcp_flag_reader *reader, const char *why);

/*
 * Fills *flags, which is initialised, with what was read and warned of. Of two names of one
 * behaviour the successor counts, with a warning. FCP_ERR_MEMORY.
 */
int fcp_flags_make(struct fcp_flag_reader *reader, struct fcp_flags *flags, struct fcp_error *err);

#endif
