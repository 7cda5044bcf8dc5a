// SPDX-License-Identifier: Apache-2.0
/*
 * The guest of guest_fixture.h as an arm64 one, as Firecracker lays it out: RAM from 2 GiB on, 64
 * MiB of it. GPAs are given as offsets in the memory file, as there. What is otherwise:
 *
 *   1 MiB      text, 64 pages               18 MiB + 64 KiB   the kernel's log
 *   62 MiB     the device tree
 */
#ifndef FCP_TESTS_UNIT_GUEST_ARM64_H
#define FCP_TESTS_UNIT_GUEST_ARM64_H

#include "guest_fixture.h"

#define ARM64_RAM UINT64_C(0x80000000)
#define ARM64_TEXT FIXTURE_MIB
#define ARM64_LOG (FIXTURE_DATA + 0x10000)
#define ARM64_DESCS (ARM64_LOG + 0x1000)
#define ARM64_LOG_TEXT (ARM64_LOG + 0x2000)
#define ARM64_TREE (62 * FIXTURE_MIB)
#define ARM64_LOG_RECORDS 16u
#define ARM64_LOG_BYTES 1024u

struct arm64_settings {
	bool va39;		  /* addresses of 39 bits, not of 48 */
	bool names_node;	  /* the note has SYMBOL(node_data) */
	const char *note_edit;	  /* as struct fixture_settings has it */
	const char *command_line; /* NULL: there is no device tree */
	const char *log;	  /* one more record, the newest */
};

void arm64_build(struct fixture *fixture, const struct arm64_settings *settings);

/* Adds a record to the log. */
void arm64_log(struct fixture *fixture, const char *text);

/* The entry of the kernel's page tables for an address, and the bits of a page. */
uint64_t arm64_entry(struct fixture *fixture, uint64_t address, unsigned level);
#define ARM64_PAGE (UINT64_C(0x60000000000703)) /* and never executable */

#endif
