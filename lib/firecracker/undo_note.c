// SPDX-License-Identifier: Apache-2.0
#include "firecracker/undo_note.h"

#include "firecracker/guard.h"

#include <stdio.h>
#include <string.h>

static const char fifo_key[] = "fifo=";

const char *fcp_undo_note_write(unsigned undo, const char *fifo, char note_[FCP_LOCK_NOTE_BYTES])
{
	bool with_fifo = (undo & FCP_UNDO_FIFO) && fifo[0];

	snprintf(note_, FCP_LOCK_NOTE_BYTES, "%s%s%s%s", undo & FCP_UNDO_PAUSE ? "paused " : "",
		 undo & FCP_UNDO_HINTING ? "hinting " : "", with_fifo ? fifo_key : "",
		 with_fifo ? fifo : "");
	return note_;
}

unsigned fcp_undo_note_read(const char *note, const char **fifo_)
{
	const char *fifo = strstr(note, fifo_key);
	unsigned undo = fifo ? FCP_UNDO_FIFO : 0;
	size_t words = fifo ? (size_t)(fifo - note) : strlen(note);

	/* The path is the rest of the line, blanks included. */
	if (memmem(note, words, "paused ", 7))
		undo |= FCP_UNDO_PAUSE;
	if (memmem(note, words, "hinting ", 8))
		undo |= FCP_UNDO_HINTING;
	*fifo_ = fifo ? fifo + strlen(fifo_key) : "";
	return undo;
}
