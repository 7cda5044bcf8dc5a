// SPDX-License-Identifier: Apache-2.0
/* Process ids: those of the recording, and what stands for them in this run. */
#ifndef REPLAY_PIDS_H
#define REPLAY_PIDS_H

#include <jansson.h>

#include "wire.h"

/*
 * Learns the pid from the start events of a recorded stream and of a fresh one, if they have one.
 */
void pids_learn(const json_t *response_frames, const struct wire_answer *answer);

/* The text with this run's pids in the recorded ones' place, where "pid" stands before them.
 * The caller frees it. */
char *pids_map(const char *text);

#endif
