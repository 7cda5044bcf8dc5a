// SPDX-License-Identifier: Apache-2.0
/* What stands in a lock file, which another may have written, and the note in it of what to
 * undo. */
#include "base/lock_record.h"
#include "base/text.h"
#include "firecracker/guard.h"
#include "firecracker/undo_note.h"
#include "fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_of((struct bytes){data, size});
	char holder[192], note[FCP_LOCK_NOTE_BYTES], again[FCP_LOCK_NOTE_BYTES];
	const char *fifo, *same;
	unsigned undo;

	fcp_lock_record_holder(fd, holder);
	expect(memchr(holder, '\0', sizeof(holder)) && fcp_text_is_printable(holder),
	       "a holder that drives a terminal");
	fcp_lock_record_is_orphaned(fd);
	fcp_lock_record_note(fd, "vm", note);
	expect(memchr(note, '\0', sizeof(note)) && fcp_text_is_printable(note),
	       "a note that drives a terminal");
	undo = fcp_undo_note_read(note, &fifo);
	expect(fifo >= note && fifo <= note + strlen(note) ? true : *fifo == '\0',
	       "a path from elsewhere");
	/* What is noted of it says the same. */
	fcp_undo_note_write(undo, fifo, again);
	expect(fcp_undo_note_read(again, &same) == (*fifo ? undo : undo & ~FCP_UNDO_FIFO) ||
		       strlen(again) + 1 == sizeof(again),
	       "another undo");
	return 0;
}
