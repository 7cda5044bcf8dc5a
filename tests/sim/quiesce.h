// SPDX-License-Identifier: Apache-2.0
#ifndef SIM_QUIESCE_H
#define SIM_QUIESCE_H

#include "http.h"

/*
 * POST /freeze, /unfreeze, /collapse, /fsfreeze, /fsthaw: as envd with two cgroups of its own and
 * no other in the guest answers. What is frozen is in GET /sim/state. false: another path.
 */
bool quiesce_answer(struct http_call *call, struct http_reply *reply);

#endif
