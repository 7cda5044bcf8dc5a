// SPDX-License-Identifier: Apache-2.0
/*
 * A guest that lies: bytes as changes to a made-up guest's memory, for the fuzzer and for the
 * replay of what it found.
 *
 * The first byte picks the memory (four or five levels, with and without a trampoline, across the
 * hole below 4 GiB) and the reader (whole file or layer). Then changes, each: page (2 bytes, little
 * endian; taken modulo the pages that hold data), offset (2 bytes, modulo 4096), how (1 byte: below
 * 0xf0 so many bytes follow and are copied, else a word is set to one of some values that are
 * likely to matter: 0, -1, a pointer to the memmap, to the page itself, ...).
 */
#ifndef FCP_TESTS_UNIT_GUEST_PATCH_H
#define FCP_TESTS_UNIT_GUEST_PATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Applies the changes, scans, takes them back. false when what came out cannot be: ranges that are
 * not sorted, not whole pages, beyond the file, or figures that disagree; *why_ says which.
 */
bool guest_patch_run(const uint8_t *data, size_t size, const char **why_);

#endif
