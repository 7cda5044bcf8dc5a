// SPDX-License-Identifier: Apache-2.0
/* The contents of a lock file: who holds it, and what they did to the VM. */
#ifndef FCP_BASE_LOCK_RECORD_H
#define FCP_BASE_LOCK_RECORD_H

#include "base/lock.h"

/* "process 1234 (fcpause) on HOST since 2026-01-31T12:00:00Z", printable; "" if unknown. */
void fcp_lock_record_holder(int fd, char holder_[192]);

/*
 * Has the process that wrote the record ended? Then the lock is held by its guard, which is
 * restoring the VM's state. Returns false if unknown: on another host or in another PID namespace.
 */
bool fcp_lock_record_is_orphaned(int fd);

/* The note, if it is about this vm; else "". */
void fcp_lock_record_note(int fd, const char *vm, char note_[FCP_LOCK_NOTE_BYTES]);

/*
 * Replaces the record, in one write, by this process, the vm and the note. Returns false on
 * failure.
 */
bool fcp_lock_record_write(int fd, const char *vm, const char *note);

/*
 * The process that holds a flock on the file, from /proc/locks, which omits other PID namespaces:
 * "process 1234 (fcpause)", or "".
 */
void fcp_lock_record_flock(int fd, char holder_[192]);

#endif
