// SPDX-License-Identifier: Apache-2.0
/*
 * Whether reclaim and drain are on, and with which figures: command line > environment > flags (a
 * file or a service) > off. Where a toggle and its figure have one origin, an off of either
 * (--no-..., or 0) wins.
 */
#ifndef FCP_CMD_SETTINGS_GATE_H
#define FCP_CMD_SETTINGS_GATE_H

#include "cmd/parsing/invocation.h"

/*
 * Takes the flags, if a file or a service is named, and writes the decision into the invocation's values:
 * OPT_RECLAIM, OPT_RECLAIM_TIMEOUT_MS and the caps, OPT_DRAIN and OPT_FPH_TIMEOUT_MS. A command that
 * runs one of the two by itself has it on where nothing says otherwise. Fails with --strict-flags.
 */
int gate(struct invocation *invocation, struct fcp_error *err);

#define OFF_BY_DEFAULT "off by default"

/*
 * The same for a balloon before boot: OPT_FREE_PAGE_HINTING and OPT_FREE_PAGE_REPORTING, from flags
 * that are there; else the options' defaults stay.
 */
int gate_balloon(struct invocation *invocation, struct fcp_error *err);

/* Why it is off, for people; static storage. */
const char *gate_off_reason(const struct invocation *invocation, enum option_id toggle);

#endif
