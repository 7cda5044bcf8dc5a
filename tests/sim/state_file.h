// SPDX-License-Identifier: Apache-2.0
/*
 * The state file: at its ends what Firecracker's is (its magic number after one byte, in old
 * versions at the beginning; a CRC-64 of all before as the last 8 bytes), JSON in between.
 */
#ifndef SIM_STATE_FILE_H
#define SIM_STATE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "options.h"

/* Writes len bytes at `at`. 0, or -1 (errno). */
int write_all(int fd, const void *data, size_t len, off_t at);

/* Writes text as the whole file. 0, or -1 (errno). */
int state_file_write(int fd, const char *text, const struct sim_options *o);

/* The JSON in a file, from malloc; NULL with Firecracker's words of what is wrong. */
char *state_file_read(const char *path, char *ret_message, size_t message_size);

#endif
