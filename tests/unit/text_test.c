// SPDX-License-Identifier: Apache-2.0
/* S2: text from outside is escaped before anybody sees it. S7: what is offered for pasting is
 * quoted. */
#include "base/text.h"

#include "base/error.h"
#include "base/outcome.h"
#include "base/shell.h"
#include "base/utf8.h"

#include "tap.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void escapes(void)
{
	static const struct {
		const char *text, *shown;
	} cases[] = {
		{"", ""},
		{"plain text, 'quoted' \\ \"so\"", "plain text, 'quoted' \\ \"so\""},
		{"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
		 "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"},
		{"\x1b]52;c;Y3VybA==\x07\x1b[2J", "\\x1b]52;c;Y3VybA==\\x07\\x1b[2J"},
		{"a\nb\rc\td\x7f", "a\\nb\\rc\\td\\x7f"},
		{"C1 \xc2\x9b"
		 "31m",
		 "C1 \\u009b31m"}, /* CSI in one character */
		{"C1 \x9b"
		 "31m",
		 "C1 \\x9b"
		 "31m"}, /* ... and as a bare byte */
		{"cut \xe2\x82", "cut \\xe2\\x82"},
		{"long \xc0\xaf \xf8\x88\x80\x80\x80", "long \\xc0\\xaf \\xf8\\x88\\x80\\x80\\x80"},
		{"surrogate \xed\xa0\x80", "surrogate \\xed\\xa0\\x80"},
		{"rlo \xe2\x80\xae"
		 "cod.exe",
		 "rlo \\u202ecod.exe"},
		{"isolate \xe2\x81\xa6"
		 "x\xe2\x81\xa9",
		 "isolate \\u2066x\\u2069"},
		{"alm \xd8\x9c", "alm \\u061c"},
		{"zwsp \xe2\x80\x8b bom \xef\xbb\xbf shy \xc2\xad",
		 "zwsp \\u200b bom \\ufeff shy \\u00ad"},
		{"line \xe2\x80\xa8 paragraph \xe2\x80\xa9", "line \\u2028 paragraph \\u2029"},
		{"R12: http://bob:s3cret@10.0.0.1:49983/x", "R12: http://***@10.0.0.1:49983/x"},
		{"R12: HTTPS://bob:s3@c/ret@h 'ftp://u@h' a://b c@d",
		 "R12: HTTPS://***@h 'ftp://***@h' a://b c@d"},
		{"tag \xf3\xa0\x81\x81", "tag \\U000e0041"},
		{"non \xef\xbf\xbe \xf4\x8f\xbf\xbf", "non \\ufffe \\U0010ffff"},
	};
	char shown[128], again[128];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fcp_text_filter(cases[i].text, shown, sizeof(shown));
		is_str(shown, cases[i].shown, "S2: escaped");
		fcp_text_filter(shown, again, sizeof(again));
		is_str(again, shown, "S2: ... once only");
	}
}

/* What a terminal must never get, looked for by other means than the filter's own. */
static bool is_tame(const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++)
		if (*c < 0x20 || *c == 0x7f || (*c == 0xc2 && c[1] < 0xa0) ||
		    (*c == 0xe2 && c[1] == 0x80 && c[2] >= 0xa8 && c[2] <= 0xae))
			return false;
	return fcp_utf8_is_valid(text);
}

/* Any bytes, whole or cut at any place: the same numbers at each run. */
static void any_bytes(void)
{
	unsigned bad = 0;
	uint32_t seed = 1;
	char text[64], shown[96];

	for (unsigned round = 0; round < 20000; round++) {
		size_t length = 0;

		while (length < 40) {
			seed = seed * 1664525 + 1013904223;
			text[length] = (char)(seed >> 24 ? seed >> 24 : 1);
			/* Often a beginning that invites a longer character. */
			if ((seed & 0x70000) == 0)
				text[length] = (char)0xe2;
			length++;
		}
		text[length] = '\0';
		fcp_text_filter(text, shown, 1 + round % sizeof(shown));
		bad += strlen(shown) > round % sizeof(shown) || !is_tame(shown);
	}
	is_u64(bad, 0, "S2: random bytes are harmless at each length");
}

/* Each character there is: escaped exactly when it is not printable. */
static void all_characters(void)
{
	char text[8], shown[16];
	unsigned bad = 0;

	for (uint32_t c = 1; c <= 0x10ffff; c++) {
		size_t length = 0;

		if (c < 0x80) {
			text[length++] = (char)c;
		} else {
			unsigned more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;

			text[length++] = (char)((0xff00u >> (more + 1)) | c >> (6 * more));
			while (more-- > 0)
				text[length++] = (char)(0x80 | ((c >> (6 * more)) & 0x3f));
		}
		text[length] = '\0';
		fcp_text_filter(text, shown, sizeof(shown));
		bad += fcp_is_printable(c) != (strcmp(text, shown) == 0);
	}
	is_u64(bad, 0, "S2: every character is printable or escaped");
}

static void messages(void)
{
	struct fcp_outcome outcome;
	struct fcp_error err;
	char wide[1200];

	fcp_error_set(&err, FCP_ERR_SERVER, 0, "envd: %s", "\x1b[2J\r\nok");
	is_str(err.message, "envd: \\x1b[2J\\r\\nok", "S2: an error's message");
	fcp_error_set(&err, FCP_ERR_IO, 2, "%s", "a\nb");
	is_str(err.message, "a\\nb: No such file or directory", "S2: ... with errno's text");
	fcp_error_wrap(&err, "%s", "\x1b]0;x\x07");
	is_str(err.message, "\\x1b]0;x\\x07: a\\nb: No such file or directory", "S2: its context");
	fcp_outcome_set(&outcome, FCP_STATUS_FAILED, "%s", "\xe2\x80\xae");
	is_str(outcome.reason, "\\u202e", "S2: an outcome's reason");
	for (size_t i = 0; i + 3 < sizeof(wide); i += 3)
		memcpy(wide + i, "\xe2\x82\xac", 4);
	fcp_error_set(&err, FCP_ERR_IO, 0, "%s", wide);
	ok(is_tame(err.message) && strlen(err.message) > sizeof(err.message) - 5,
	   "S2: a long message is cut between two characters");
	fcp_error_set(&err, FCP_ERR_IO, 2, "%s", wide);
	ok(is_tame(err.message), "S2: ... also before errno's text");
	fcp_error_wrap(&err, "%s", wide);
	ok(is_tame(err.message), "S2: ... and in its context");
}

static void lines(void)
{
	char line[32];

	fcp_text_first_line(" \r\n\t The sandbox\x1b is gone. \r\nmore", line, sizeof(line));
	is_str(line, "The sandbox\\x1b is gone.", "R11: the first line of a text");
	fcp_text_first_line(" \n \n", line, sizeof(line));
	is_str(line, "", "R11: ... where there is one");
}

/* What sh's $'...' and '...' make of the word; bash, as dash has no $'...'. */
static void read_by_shell(const char *word, char *read_back, size_t bytes)
{
	char command[1024];
	size_t length = 0;
	FILE *shell;

	snprintf(command, sizeof(command), "bash -c %s", "'eval printf %s \"$WORD\"'");
	setenv("WORD", word, 1);
	shell = popen(command, "r");
	if (shell) {
		length = fread(read_back, 1, bytes - 1, shell);
		pclose(shell);
	}
	read_back[length] = '\0';
}

static void shell_words(void)
{
	static const struct {
		const char *text, *word;
	} cases[] = {
		{"/run/fc-1.sock", "/run/fc-1.sock"},
		{"", "''"},
		{"a b", "'a b'"},
		{"it's", "'it'\\''s'"},
		{"$(reboot) `x` \"y\" \\", "'$(reboot) `x` \"y\" \\'"},
		{"caf\xc3\xa9", "'caf\xc3\xa9'"},
		{"~x;&|<>*?[]{}!#", "'~x;&|<>*?[]{}!#'"},
		{"a\nb", "$'a\\012b'"},
		{"it's\x1b"
		 "1",
		 "$'it\\'s\\0331'"},
		{"caf\xe9", "$'caf\\351'"},
		{"\xe2\x80\xae"
		 "7\\",
		 "$'\\342\\200\\2567\\\\'"},
	};
	char word[128], read_back[128];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ok(fcp_shell_quote(cases[i].text, word, sizeof(word)) == 0, "S7: it fits");
		is_str(word, cases[i].word, "S7: quoted for the shell");
		read_by_shell(word, read_back, sizeof(read_back));
		is_str(read_back, cases[i].text, "S7: ... which reads what was meant");
	}
	ok(fcp_shell_quote("a b", word, 6) == 0 && fcp_shell_quote("a b", word, 5) == -1 &&
		   *word == '\0' && fcp_shell_quote("a", word, 0) == -1,
	   "S7: a word is never cut");
}

int main(void)
{
	escapes();
	any_bytes();
	all_characters();
	messages();
	lines();
	shell_words();
	return done();
}
