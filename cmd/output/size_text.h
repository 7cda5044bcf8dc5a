// SPDX-License-Identifier: Apache-2.0
/* Short forms of sizes, for tables and pictures. */
#ifndef FCP_CMD_OUTPUT_SIZE_TEXT_H
#define FCP_CMD_OUTPUT_SIZE_TEXT_H

#include <stdint.h>

#define SIZE_TEXT_BYTES 24

/* "0", "4.0 KiB", "136.5 MiB", "-1.2 GiB". */
const char *size_text(int64_t bytes, char text[SIZE_TEXT_BYTES]);

/* The same for round figures, without ".0": "32 MiB". */
const char *round_size_text(uint64_t bytes, char text[SIZE_TEXT_BYTES]);

/* For values that change while being read: "4.1 KiB", "137 MiB". */
const char *short_size_text(uint64_t bytes, char text[SIZE_TEXT_BYTES]);

/* In percent; 0 if whole is 0. */
double share_of(uint64_t part, uint64_t whole);

#endif
