// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"

#include "tap.h"

static void characters(void)
{
	static const struct {
		const char *bytes;
		size_t length, count;
	} cases[] = {
		{"a", 1, 1},
		{"\0", 1, 1},
		{"\x7f", 1, 1},
		{"\xc3\xa4z", 3, 2},
		{"\xe2\x82\xac", 3, 3},
		{"\xf0\x9f\x98\x80", 4, 4},
		{"\xf4\x8f\xbf\xbf", 4, 4},
		{"", 0, 0},
		{"\x80", 1, 0},
		{"\xc3", 1, 0},
		{"\xc3z", 2, 0},
		{"\xe2\x82", 2, 0},
		{"\xc0\x80", 2, 0},
		{"\xc1\xbf", 2, 0},
		{"\xe0\x9f\xbf", 3, 0},
		{"\xf0\x8f\xbf\xbf", 4, 0},
		{"\xed\xa0\x80", 3, 0},
		{"\xf4\x90\x80\x80", 4, 0},
		{"\xf5\x80\x80\x80", 4, 0},
		{"\xff", 1, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ok(fcp_utf8_decode(cases[i].bytes, cases[i].length, NULL) == cases[i].count,
		   "case %zu: %zu bytes", i, cases[i].count);
}

int main(void)
{
	characters();
	ok(fcp_utf8_is_valid("") && fcp_utf8_is_valid("a\xc3\xa4\xe2\x82\xac"), "text");
	ok(!fcp_utf8_is_valid("a\xc3") && !fcp_utf8_is_valid("\xe4 b"), "what is none");
	return done();
}
