// SPDX-License-Identifier: Apache-2.0
/* Library settings from an invocation, for the commands that share a step. */
#ifndef FCP_CMD_SETTINGS_STEP_SETTINGS_H
#define FCP_CMD_SETTINGS_STEP_SETTINGS_H

#include "cmd/parsing/invocation.h"

/*
 * Fills invocation->steps, which the settings borrow. FCP_ERR_USAGE: --steps names what is no step,
 * or a step twice.
 */
int reclaim_settings(struct invocation *invocation, struct fcp_reclaim_settings *settings_,
		     struct fcp_error *err);

void drain_settings(const struct invocation *invocation,
		    struct fcp_balloon_drain_settings *settings_);

/* FCP_ERR_USAGE: --find names what cannot be found; and as share_settings(). */
int snapshot_settings(const struct invocation *invocation, struct fcp_snapshot_settings *settings_,
		      struct fcp_error *err);

/* FCP_ERR_USAGE: --find names what cannot be found, or not be released; --min-run is no multiple of a page,
 * --align no power of two. The base is the caller's to set. */
int madvise_ranges_settings(const struct invocation *invocation,
			    struct fcp_madvise_ranges_settings *settings_, struct fcp_error *err);

/* FCP_ERR_USAGE: --share names too many files or none, --min-run is no multiple of a page. */
int share_settings(const struct invocation *invocation, struct fcp_share_settings *settings_,
		   struct fcp_error *err);

/* As share_settings(), but there may be no file. The memory file and the map's cells are
 * the caller's to set. */
int inspect_settings(const struct invocation *invocation, struct fcp_inspect_settings *settings_,
		     struct fcp_error *err);

#endif
