// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_FLAGS_FILE_H
#define FCP_FLAGS_FILE_H

#include "flags/values.h"

/*
 * Reads LaunchDarkly's data-file form, {"flagValues": {NAME: VALUE}}, and hands on each flag.
 * FCP_ERR_INPUT: no regular file of 1 MiB or less, or no such JSON; FCP_ERR_USAGE: path is NULL.
 */
int fcp_flags_file_read(const char *path, struct fcp_flag_reader *reader, struct fcp_error *err);

#endif
