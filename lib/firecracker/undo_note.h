// SPDX-License-Identifier: Apache-2.0
/* What to undo on a VM, as a line in its lock file: "paused hinting fifo=PATH". */
#ifndef FCP_FIRECRACKER_UNDO_NOTE_H
#define FCP_FIRECRACKER_UNDO_NOTE_H

#include "base/lock.h"

/* undo: FCP_UNDO_... (guard.h); fifo: its path. Writes "" for nothing. Returns note_. */
const char *fcp_undo_note_write(unsigned undo, const char *fifo, char note_[FCP_LOCK_NOTE_BYTES]);

/*
 * Returns FCP_UNDO_...; *fifo_ points to the path in the note, "" without FCP_UNDO_FIFO. Unknown
 * words are skipped.
 */
unsigned fcp_undo_note_read(const char *note, const char **fifo_);

#endif
