// SPDX-License-Identifier: Apache-2.0
#include "base/units.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool fcp_add_u64(uint64_t a, uint64_t b, uint64_t *result_)
{
	uint64_t sum;

	if (__builtin_add_overflow(a, b, &sum))
		return false;
	*result_ = sum;
	return true;
}

/* The factor of "", "K", "KiB", "M", ...; 0 for anything else. */
static uint64_t suffix_factor(const char *suffix)
{
	static const char letters[] = "KMGT";
	const char *letter;

	if (*suffix == '\0')
		return 1;
	letter = strchr(letters, toupper((unsigned char)*suffix));
	if (!letter || (suffix[1] != '\0' && strcmp(suffix + 1, "iB") != 0))
		return 0;
	return UINT64_C(1) << (10 * (letter - letters + 1));
}

bool fcp_parse_u64(const char *text, bool suffixes, uint64_t *value_)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *digits = hex ? text + 2 : text;
	unsigned long long value;
	uint64_t factor;
	char *end;

	/* strtoull accepts blanks and signs, and "0x" alone as 0: requiring a digit rules them out.
	 * It gets the prefix too, since it would accept a second one. */
	if (hex ? !isxdigit((unsigned char)*digits) : !isdigit((unsigned char)*digits))
		return false;
	errno = 0;
	value = strtoull(text, &end, hex ? 16 : 10);
	if (errno != 0)
		return false;
	factor = suffixes ? suffix_factor(end) : *end == '\0';
	if (factor == 0 || __builtin_mul_overflow(value, factor, &value))
		return false;
	*value_ = value;
	return true;
}
