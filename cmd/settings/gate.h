// SPDX-License-Identifier: Apache-2.0
/*
 * Decides whether reclaim and drain are on, and with which figures: command line > environment >
 * flags (a file or a service) > off. If a toggle and its figure have the same origin and either is
 * off (--no-..., or 0), the step is off.
 */
#ifndef FCP_CMD_SETTINGS_GATE_H
#define FCP_CMD_SETTINGS_GATE_H

#include "cmd/parsing/invocation.h"

/*
 * Reads the flags, if a file or a service is given, and stores the decision in the invocation's
 * values: OPT_RECLAIM, OPT_RECLAIM_TIMEOUT_MS and the caps, OPT_DRAIN and OPT_FPH_TIMEOUT_MS, and
 * of a pause what is frozen. A command that runs only one of the two has it on by default. Fails
 * only with --strict-flags.
 */
int gate(struct invocation *invocation, struct fcp_error *err);

#define OFF_BY_DEFAULT "off by default"

/*
 * The same for a balloon before boot: OPT_FREE_PAGE_HINTING and OPT_FREE_PAGE_REPORTING, from flags
 * that are set; otherwise the options keep their defaults.
 */
int gate_balloon(struct invocation *invocation, struct fcp_error *err);

/* Why the step is off, as text; static storage. */
const char *gate_off_reason(const struct invocation *invocation, enum option_id toggle);

#endif
