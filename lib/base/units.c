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

/* The unit's ms, and its length; 0 for anything else. */
static uint64_t duration_unit(const char *text, size_t *length_)
{
	static const struct {
		const char *name;
		uint64_t ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"min", 60000}, {"h", 3600000}};

	*length_ = strspn(text, "abcdefghijklmnopqrstuvwxyz");
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strlen(units[i].name) == *length_ &&
		    strncmp(text, units[i].name, *length_) == 0)
			return units[i].ms;
	return 0;
}

static uint64_t saturating_sum(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return fcp_add_u64(a, b, &sum) ? sum : UINT64_MAX;
}

/* Of unit_ms, the fraction whose digits these are; false: no whole number of ms. */
static bool fraction_of(const char *digits, size_t length, uint64_t unit_ms, uint64_t *ms_)
{
	uint64_t numerator = 0, denominator = 1;

	for (size_t i = 0; i < length; i++) {
		if (i == 9)
			return false;
		numerator = numerator * 10 + (uint64_t)(digits[i] - '0');
		denominator *= 10;
	}
	*ms_ = numerator * unit_ms / denominator;
	return numerator * unit_ms % denominator == 0;
}

/* One "1.5s" at *text_, which is moved past it; without a unit where nothing follows it. */
static bool read_duration(const char **text_, uint64_t *ms_)
{
	const char *text = *text_, *fraction = NULL;
	size_t digits = strspn(text, "0123456789"), fraction_digits = 0, unit_length;
	uint64_t whole, unit_ms, part_ms = 0;

	if (digits == 0)
		return false;
	whole = strtoull(text, NULL, 10); /* ULLONG_MAX when it is too large */
	text += digits;
	if (*text == '.') {
		fraction = text + 1;
		fraction_digits = strspn(fraction, "0123456789");
		text = fraction + fraction_digits;
		if (fraction_digits == 0)
			return false;
	}
	unit_ms = duration_unit(text, &unit_length);
	if (unit_ms == 0 ||
	    (fraction && !fraction_of(fraction, fraction_digits, unit_ms, &part_ms)))
		return false;
	*text_ = text + unit_length;
	if (__builtin_mul_overflow(whole, unit_ms, &whole))
		whole = UINT64_MAX;
	*ms_ = saturating_sum(whole, part_ms);
	return true;
}

bool fcp_parse_ms(const char *text, uint64_t *ms_)
{
	uint64_t sum = 0, ms;

	if (fcp_parse_u64(text, false, ms_))
		return true;
	if (*text != '\0' && text[strspn(text, "0123456789")] == '\0') {
		*ms_ = UINT64_MAX;
		return true;
	}
	do {
		if (!read_duration(&text, &ms))
			return false;
		sum = saturating_sum(sum, ms);
	} while (*text != '\0');
	*ms_ = sum;
	return true;
}
