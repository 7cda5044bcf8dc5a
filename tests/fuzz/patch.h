// SPDX-License-Identifier: Apache-2.0
/*
 * An input of the fuzzer: which memory, shown as what, and a list of changes to it, each aimed at a
 * place that matters. A change is of fixed size and any bytes are one, so that the fuzzer can take
 * them apart and put them together.
 */
#ifndef FCP_TESTS_FUZZ_PATCH_H
#define FCP_TESTS_FUZZ_PATCH_H

#include "base.h"

#define PATCHES_MAX 48

enum patch_kind {
	/* A word of a place of that kind: PLACE_ENTRY ... PLACE_DATA. */
	PATCH_PLACE,
	PATCH_STRUCT_PAGE = PLACE_DATA + 1, /* a field of a struct page */
	PATCH_NOTE_KEY,	 /* a key that is looked at: another value, gone, there */
	PATCH_NOTE_LINE, /* any line: gone, twice, joined with the next */
	PATCH_NOTE_BYTE,
	PATCH_NOTE_HEADER,
	PATCH_BLOCK,	  /* a free block more or less, in all structures or but one */
	PATCH_FREE_BYTES, /* what free pages hold */
	PATCH_COPY,	  /* a page over another */
	PATCH_BOOT,	  /* a command line where Firecracker puts it */
	PATCH_MAP,	  /* where a virtual page of the memmap or of the image leads */
	PATCH_SIZE,	  /* the file's size */
	PATCH_PUNCH,	  /* pages become holes */
	PATCH_HIDE,	  /* pages are in the layer's base only */
	PATCH_FAULT,	  /* of the source */
	PATCH_WORD,	  /* anywhere where there is data */
	PATCH_KINDS,
};

struct patch {
	uint8_t kind; /* modulo PATCH_KINDS */
	uint8_t how;
	uint16_t index; /* of the place */
	uint32_t other; /* of a second place, or a count */
	uint64_t value;
};

/* The kernel is found by the search of all pages only: nothing points to its note. */
#define SHOWN_NO_POINTER 0x40
/* Somebody asks for an end from the start on. */
#define SHOWN_CANCELLED 0x20
/* All pages are to be classed, too. */
#define SHOWN_CLASSES 0x80

struct input {
	uint8_t base, shown; /* shown: source_kind modulo, and: */
	uint8_t reserved[6];
	struct patch patches[PATCHES_MAX];
};

#define INPUT_HEAD_BYTES offsetof(struct input, patches)

/* Applies an input (size bytes; what is no whole patch is left out) to its base and shows it to the
 * reader. */
struct base *patch_apply(const struct input *input, size_t size);

#endif
