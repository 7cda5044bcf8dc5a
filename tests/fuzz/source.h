// SPDX-License-Identifier: Apache-2.0
/*
 * Stands between the reader and its memory file: the linker puts these in the place of pread(),
 * lseek(), fstat(), malloc() and their kind (--wrap), so that every read is seen, counted, and held
 * against the file's end, and every byte of own memory is counted.
 */
#ifndef FCP_TESTS_FUZZ_SOURCE_H
#define FCP_TESTS_FUZZ_SOURCE_H

#include "store.h"

#include "guest/memory.h"

/* No such descriptors are open: all others go to the system. */
#define SOURCE_FD 0x7f10
#define SOURCE_BASE_FD 0x7f11
/* Where the memory lies in the made-up process. */
#define SOURCE_ADDRESS UINT64_C(0x7f0000000000)
#define SOURCE_HIDDEN_MAX 32

enum source_fault {
	SOURCE_WELL,
	SOURCE_EIO,	/* that read fails, and all after it */
	SOURCE_EINTR,	/* that one is to be done again */
	SOURCE_SHORT,	/* each from there on gives half of what was asked for */
	SOURCE_CUT,	/* the file ends there from then on */
	SOURCE_NO_ROOM, /* it is the allocation of that number that fails */
	SOURCE_FAULTS,
};

/* What the memory is shown as. */
enum source_kind {
	SOURCE_FILE,
	SOURCE_LAYER, /* its base is not at hand */
	SOURCE_LAYER_AND_BASE,
	SOURCE_PROCESS,
	SOURCE_KINDS,
};

struct source {
	struct store *store;
	enum source_kind kind;
	/* Pages that only the layer's base has. */
	struct fcp_range hidden[SOURCE_HIDDEN_MAX];
	unsigned hidden_count;
	enum source_fault fault;
	uint64_t fault_at; /* the number of the call */

	struct fcp_range run;		  /* of pages, that the last look was at */
	uint64_t calls, bytes;		  /* since source_show() */
	uint64_t walked;		  /* pages that a look for a hole went through */
	uint64_t allocations, live, peak; /* own memory: how often, in bytes */
	bool counting;			  /* own memory */
	const char *wrong;		  /* the first thing that may not happen */
	void (*on_read)(uint64_t offset, uint64_t bytes); /* or NULL */
};

extern struct source source;

/* Shows store to the reader, as a file for now, with no fault; all counts are 0. */
void source_show(struct store *store);

/* Opens it as source.kind says; to be closed. false: no memory file of that size can be. */
bool source_open(struct fcp_guest_memory *memory_, struct fcp_error *err);

#endif
