// SPDX-License-Identifier: Apache-2.0
/* Library settings from an invocation, for steps that several commands use. */
#ifndef FCP_CMD_SETTINGS_STEP_SETTINGS_H
#define FCP_CMD_SETTINGS_STEP_SETTINGS_H

#include "cmd/parsing/invocation.h"

/*
 * Fills invocation->steps, which the settings borrow. FCP_ERR_USAGE: --steps has an unknown step,
 * or a step twice.
 */
int reclaim_settings(struct invocation *invocation, struct fcp_reclaim_settings *settings_,
		     struct fcp_error *err);

void drain_settings(const struct invocation *invocation,
		    struct fcp_balloon_drain_settings *settings_);

/* After gate(), which decides what is on. */
void quiesce_settings(const struct invocation *invocation, struct fcp_quiesce_settings *settings_);

/* FCP_ERR_USAGE: --find has an unsupported kind; or as share_settings(). */
int snapshot_settings(const struct invocation *invocation, struct fcp_snapshot_settings *settings_,
		      struct fcp_error *err);

/* FCP_ERR_USAGE: --find has a kind that cannot be found or released, --min-run is not a multiple of
 * a page, or --align is not a power of two. The caller sets the base. */
int madvise_ranges_settings(const struct invocation *invocation,
			    struct fcp_madvise_ranges_settings *settings_, struct fcp_error *err);

/* FCP_ERR_USAGE: --share names no file or too many, or --min-run is not a multiple of a page. */
int share_settings(const struct invocation *invocation, struct fcp_share_settings *settings_,
		   struct fcp_error *err);

/* As share_settings(), but without --share too. The caller sets the memory file and the cells of
 * the map. */
int inspect_settings(const struct invocation *invocation, struct fcp_inspect_settings *settings_,
		     struct fcp_error *err);

#endif
