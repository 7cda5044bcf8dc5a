// SPDX-License-Identifier: Apache-2.0
/* Commands that a message offers for pasting. */
#ifndef FCP_BASE_SHELL_H
#define FCP_BASE_SHELL_H

#include <stddef.h>

/*
 * Writes text as one word of a shell command, in printable characters only: as it is where that is
 * safe, else 'quoted', else (with control characters or bytes that are not UTF-8) as $'...', which
 * bash, zsh, ksh, busybox and POSIX.1-2024 know. Returns -1 where it does not fit, with word "": a
 * word that was cut would name something else. 4 bytes for each of text's, and 4 more, always do.
 */
int fcp_shell_quote(const char *text, char *word, size_t word_bytes);

#endif
