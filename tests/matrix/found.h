// SPDX-License-Identifier: Apache-2.0
/* What was found after the run of a cell, and the rules for it. */
#ifndef MATRIX_FOUND_H
#define MATRIX_FOUND_H

#include "matrix.h"

struct found {
	const struct mode *mode;
	struct cell *cell;
	struct ended ended;
	json_t *out;
	char *err;
	bool lives;	     /* the simulator */
	const char *state;   /* of the VM, as the simulator says; "dead" */
	json_t *sim;	     /* GET /sim/state */
	bool old, none, new; /* which pair is there */
	char names[512];
};

/* Looks at the files, the output, the simulator and its VM. */
void look(const struct sim *sim, struct found *found);
void forget(struct found *found);
/* Is such a line in the request log? */
bool asked_for(const char *request);

/* Writes what is not as it must be to the cell. Runs fcpause again where that is a part of it. */
void judge(const struct sim *sim, struct found *found);

#endif
