// SPDX-License-Identifier: Apache-2.0
/* What a lock file says: who holds it, and what they did to the VM. */
#ifndef FCP_BASE_LOCK_RECORD_H
#define FCP_BASE_LOCK_RECORD_H

#include "base/lock.h"

/* "process 1234 (fcpause) on HOST since 2026-01-31T12:00:00Z", printable; "" when the file does not say. */
void fcp_lock_record_holder(int fd, char holder_[192]);

/*
 * Whether the process that wrote the record has ended. Who holds the lock then is its guard, which puts
 * the VM back. False where that cannot be seen: on another host, in another pid namespace.
 */
bool fcp_lock_record_is_orphaned(int fd);

/* The note in it, when it is about that vm; else "". */
void fcp_lock_record_note(int fd, const char *vm, char note_[FCP_LOCK_NOTE_BYTES]);

/* Replaces all of it by one write: this process, the vm, and the note. False when that failed. */
bool fcp_lock_record_write(int fd, const char *vm, const char *note);

/*
 * The process that holds a flock on the file, as far as the kernel shows it (/proc/locks: not those
 * of other pid namespaces): "process 1234 (fcpause)", or "".
 */
void fcp_lock_record_flock(int fd, char holder_[192]);

#endif
