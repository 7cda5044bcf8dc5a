// SPDX-License-Identifier: Apache-2.0
/*
<<<<<<< HEAD
 * Whether reclaim and drain are on, and with which figures: command line > environment > flags (a
 * file or a service) > off. Where a toggle and its figure have one origin, an off of either
 * (--no-..., or 0) wins.
=======
 * Decides whether reclaim and drain are on, and with which figures: command line > environment >
 * flags file > off. If a toggle and its figure have the same origin and either is off (--no-..., or
 * 0), the step is off.
>>>>>>> fc42aff (cmd: comments of parsing, settings, signals and telemetry in plain English)
 */
#ifndef FCP_CMD_SETTINGS_GATE_H
#define FCP_CMD_SETTINGS_GATE_H

#include "cmd/parsing/invocation.h"

/*
<<<<<<< HEAD
 * Takes the flags, if a file or a service is named, and writes the decision into the invocation's values:
=======
 * Reads the flags file, if one is given, and stores the decision in the invocation's values:
>>>>>>> fc42aff (cmd: comments of parsing, settings, signals and telemetry in plain English)
 * OPT_RECLAIM, OPT_RECLAIM_TIMEOUT_MS and the caps, OPT_DRAIN and OPT_FPH_TIMEOUT_MS. A command that
 * runs only one of the two has it on by default. Fails only with --strict-flags.
 */
int gate(struct invocation *invocation, struct fcp_error *err);

#define OFF_BY_DEFAULT "off by default"

<<<<<<< HEAD
	/*
 * The same for a balloon before boot: OPT_FREE_PAGE_HINTING and OPT_FREE_PAGE_REPORTING, from flags
 * that are there; else the options' defaults stay.
 */
	int
	gate_balloon(struct invocation *invocation, struct fcp_error *err);

/* Why it is off, for people; static storage. */
=======
/* Why the step is off, as text; static storage. */
>>>>>>> fc42aff (cmd: comments of parsing, settings, signals and telemetry in plain English)
const char *gate_off_reason(const struct invocation *invocation, enum option_id toggle);

#endif
