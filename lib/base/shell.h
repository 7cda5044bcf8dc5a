// SPDX-License-Identifier: Apache-2.0
/* Quoting for commands that a message offers to paste. */
#ifndef FCP_BASE_SHELL_H
#define FCP_BASE_SHELL_H

#include <stddef.h>

/*
 * Writes text as one word of a shell command, in printable characters only: unquoted if that is
 * safe, else 'quoted', else (with control characters or bytes that are not UTF-8) as $'...', which
 * bash, zsh, ksh, busybox and POSIX.1-2024 support. Returns -1, with word "", if it does not fit: a
 * truncated word would name something else. 4 * strlen(text) + 4 bytes are always enough.
 */
int fcp_shell_quote(const char *text, char *word, size_t word_bytes);

#endif
