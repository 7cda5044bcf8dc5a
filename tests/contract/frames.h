// SPDX-License-Identifier: Apache-2.0
/* Connect streams, in the form in which a recorded one and a fresh one can be compared. */
#ifndef REPLAY_FRAMES_H
#define REPLAY_FRAMES_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/* The request's envelopes as they went over the wire. NULL: they were not recorded in full. */
char *frames_encode(const json_t *request_frames, size_t *ret_len);

/* One line a frame. Process ids are N; neighbouring data of one stream is one line; with
 * guest_state, digits in data are N and blanks are squeezed. The caller frees it. */
char *frames_describe_recorded(const json_t *response_frames, bool guest_state);
char *frames_describe_wire(const char *body, size_t len, bool guest_state);

/* Runs of digits become N, runs of blanks one blank; in place. */
void squeeze(char *text);

#endif
