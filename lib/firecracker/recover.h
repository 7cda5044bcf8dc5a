// SPDX-License-Identifier: Apache-2.0
/* Undoing what a run left behind that was killed together with its guard (guard.h). */
#ifndef FCP_FIRECRACKER_RECOVER_H
#define FCP_FIRECRACKER_RECOVER_H

#include "base/lock.h"
#include "firecracker/client.h"

/*
 * Undoes what the VM's lock notes as left behind: a FIFO that Firecracker waits at, an open hinting
 * run, a pause; nothing that the note does not name, since a pause can be an operator's. The note
 * is then removed, and lock->warning says what was undone. Fails as fcp_firecracker_call(), and
 * then the note stays. Makes no request without a note.
 */
int fcp_firecracker_recover(struct fcp_firecracker *firecracker, struct fcp_lock *lock,
			    struct fcp_error *err);

#endif
