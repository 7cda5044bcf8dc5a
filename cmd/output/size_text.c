// SPDX-License-Identifier: Apache-2.0
#include "cmd/output/size_text.h"

#include <stdio.h>

/* Scales to the largest unit of which there is at least one. Returns its letter, or 0 for bytes. */
static char scale(double *value)
{
	static const char units[] = "KMGTPE";
	int unit = -1;

	while (*value >= 1024 && unit < 5) {
		*value /= 1024;
		unit++;
	}
	return unit < 0 ? '\0' : units[unit];
}

const char *size_text(int64_t bytes, char text[SIZE_TEXT_BYTES])
{
	const char *sign = bytes < 0 ? "-" : "";
	double value = bytes < 0 ? -(double)bytes : (double)bytes;
	char unit = scale(&value);

	if (unit)
		snprintf(text, SIZE_TEXT_BYTES, "%s%.1f %ciB", sign, value, unit);
	else
		snprintf(text, SIZE_TEXT_BYTES, "%s%.0f", sign, value);
	return text;
}

const char *round_size_text(uint64_t bytes, char text[SIZE_TEXT_BYTES])
{
	double value = (double)bytes;
	char unit = scale(&value);

	if (unit)
		snprintf(text, SIZE_TEXT_BYTES, "%.5g %ciB", value, unit);
	else
		snprintf(text, SIZE_TEXT_BYTES, "%.0f", value);
	return text;
}

const char *short_size_text(uint64_t bytes, char text[SIZE_TEXT_BYTES])
{
	double value = (double)bytes;
	char unit = scale(&value);

	if (unit)
		snprintf(text, SIZE_TEXT_BYTES, "%.*f %ciB", value < 10, value, unit);
	else
		snprintf(text, SIZE_TEXT_BYTES, "%.0f", value);
	return text;
}

double share_of(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}
