// SPDX-License-Identifier: Apache-2.0
/* Putting right what a run left that was killed together with its guard (guard.h). */
#ifndef FCP_FIRECRACKER_RECOVER_H
#define FCP_FIRECRACKER_RECOVER_H

#include "base/lock.h"
#include "firecracker/client.h"

/*
 * Undoes what the VM's lock notes as left by a run before: a FIFO that Firecracker waits at, an
 * open hinting run, a pause; nothing that the note does not name, as a pause can be an operator's.
 * The note is removed then, and lock->warning says what was put right. Fails as fcp_firecracker_call();
 * the note stays then. Asks nothing where nothing is noted.
 */
int fcp_firecracker_recover(struct fcp_firecracker *firecracker, struct fcp_lock *lock,
			    struct fcp_error *err);

#endif
