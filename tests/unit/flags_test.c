// SPDX-License-Identifier: Apache-2.0
#include "fcpause.h"

#include "tap.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

static char path[PATH_MAX];

static void write_file(const char *text)
{
	FILE *file = fopen(path, "we");

	fputs(text, file);
	fclose(file);
}

/* Owned by this function, until the next call. */
static struct fcp_flags read_flags(const char *text, enum fcp_flags_use use)
{
	static struct fcp_flags flags = FCP_FLAGS_INIT;
	struct fcp_error err;

	write_file(text);
	fcp_flags_clear(&flags);
	if (fcp_flags_read(path, use, false, &flags, &err) != 0)
		ok(false, "without strict it never fails: %s", err.message);
	return flags;
}

static uint32_t cap_of(const struct fcp_flag *flag, enum fcp_reclaim_kind kind)
{
	for (size_t i = 0; i < flag->cap_count; i++)
		if (flag->caps[i].kind == kind)
			return flag->caps[i].cap_ms;
	return 0;
}

/* "on 500", "off": of one flag; caps as "on 0 [1 2 3 4]", 0 for those that are not named. */
static const char *told(const struct fcp_flag *flag)
{
	static char text[128];

	if (!flag->on)
		return "off";
	snprintf(text, sizeof(text), "on %u", flag->timeout_ms);
	if (flag->cap_count > 0)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " [%u %u %u %u]",
			 cap_of(flag, FCP_RECLAIM_SYNC), cap_of(flag, FCP_RECLAIM_DROP_CACHES),
			 cap_of(flag, FCP_RECLAIM_COMPACT_MEMORY),
			 cap_of(flag, FCP_RECLAIM_FSTRIM));
	return text;
}

static void shapes(void)
{
	static const struct {
		const char *value, *pause, *build;
	} cases[] = {
		{"2000", "on 2000", "on 2000"},
		{"0", "off", "off"},
		{"0.99", "off", "off"},
		{"1.99", "on 1", "on 1"},
		{"86400000", "on 86400000", "on 86400000"},
		{"86400001", "off", "off"},
		{"-1", "off", "off"},
		{"1e300", "off", "off"},
		{"true", "off", "off"},
		{"null", "off", "off"},
		{"\"5\"", "off", "off"},
		{"[5]", "off", "off"},
		{"{}", "off", "off"},
		{"{\"sync\":5}", "on 0 [5 0 0 0]", "on 0 [5 0 0 0]"},
		{"{\"sync\":0,\"fstrim\":0.5}", "off", "off"},
		{"{\"fstrim\":4,\"compact_memory\":3,\"drop_caches\":2,\"sync\":1}",
		 "on 0 [1 2 3 4]", "on 0 [1 2 3 4]"},
		{"{\"enabled\":true,\"pause\":5,\"build\":0}", "on 5", "off"},
		{"{\"enabled\":true,\"pause\":0,\"build\":6}", "off", "on 6"},
		{"{\"enabled\":false,\"pause\":5,\"build\":6}", "off", "off"},
		{"{\"pause\":5}", "on 5", "off"},
		{"{\"enabled\":true}", "off", "off"},
		{"{\"enabled\":1,\"pause\":5}", "off", "off"},
		{"{\"pause\":7,\"sync\":5}", "on 7 [5 0 0 0]", "on 0 [5 0 0 0]"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[256], what[300];
		struct fcp_flags flags;

		snprintf(text, sizeof(text), "{\"flagValues\":{\"reclaim-on-pause\":%s}}",
			 cases[i].value);
		flags = read_flags(text, FCP_USE_PAUSE);
		snprintf(what, sizeof(what), "%s, for a pause", cases[i].value);
		is_str(told(&flags.reclaim_on_pause), cases[i].pause, what);
		ok(!flags.free_page_hinting.on, "... the other flag is off");
		flags = read_flags(text, FCP_USE_BUILD);
		snprintf(what, sizeof(what), "%s, for a build", cases[i].value);
		is_str(told(&flags.reclaim_on_pause), cases[i].build, what);
	}
}

static void warnings(void)
{
	static const struct {
		const char *text, *warning;
	} cases[] = {
		{"{\"flagValues\":{\"reclaim-on-pause\":\"5\"}}", "reclaim-on-pause"},
		{"{\"flagValues\":{\"free-page-hinting\":{\"sync\":5,\"pause\":1}}}",
		 "free-page-hinting.sync"},
		{"{\"flagValues\":{\"free-page-hinting\":{\"pause\":\"x\"}}}",
		 "free-page-hinting.pause"},
		{"{\"flagValues\":{\"reclaim\":5}}", "flag reclaim:"},
		{"{\"flagValues\":5}", "flagValues"},
		{"{}", "flagValues"},
		{"", "invalid JSON"},
		{"{\"flagValues\":{}", "invalid JSON"},
		{"{\"flagValues\":{}}{}", "invalid JSON"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fcp_flags flags = read_flags(cases[i].text, FCP_USE_PAUSE), kept = flags;
		struct fcp_error err;

		ok(flags.warning_count > 0, "a warning: %s", cases[i].text);
		has_str(flags.warnings[0], cases[i].warning, "... that says what is wrong");
		ok(fcp_flags_read(path, FCP_USE_PAUSE, true, &flags, &err) == -1 &&
			   err.error_class == FCP_ERR_INPUT,
		   "... an error with strict");
		ok(memcmp(&flags, &kept, sizeof(flags)) == 0, "... which leaves what was there");
	}
}

static void good_file(void)
{
	struct fcp_flags flags = FCP_FLAGS_INIT;
	struct fcp_error err;

	write_file("{\"flagValues\":{\"reclaim-on-pause\":2000,\"free-page-hinting\":1500},"
		   "\"segments\":{}}");
	ok(fcp_flags_read(path, FCP_USE_PAUSE, true, &flags, &err) == 0,
	   "the design's own example, with strict");
	ok(flags.reclaim_on_pause.on && flags.reclaim_on_pause.timeout_ms == 2000 &&
		   flags.free_page_hinting.on && flags.free_page_hinting.timeout_ms == 1500 &&
		   flags.warning_count == 0,
	   "... is both on, without a warning");
	fcp_flags_clear(&flags);
}

static void no_file(void)
{
	struct fcp_flags flags = FCP_FLAGS_INIT;
	struct fcp_error err;

	unlink(path);
	ok(fcp_flags_read(path, FCP_USE_PAUSE, false, &flags, &err) == 0 &&
		   !flags.reclaim_on_pause.on && !flags.free_page_hinting.on &&
		   flags.warning_count == 1,
	   "no file: both off, one warning");
	fcp_flags_clear(&flags);
	ok(fcp_flags_read(path, FCP_USE_PAUSE, true, &flags, &err) == -1,
	   "... an error with strict");
	ok(fcp_flags_read("/dev/zero", FCP_USE_PAUSE, false, &flags, &err) == 0 &&
		   flags.warning_count == 1,
	   "a device is not read");
	fcp_flags_clear(&flags);
}

static void too_many_warnings(void)
{
	char text[8192] = "{\"flagValues\":{";
	struct fcp_flags flags;

	for (int i = 0; i < 100; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "\"f%d\":1,", i);
	strcat(text, "\"free-page-hinting\":7}}");
	flags = read_flags(text, FCP_USE_PAUSE);
	is_u64(flags.warning_count, 16, "as many warnings as there is room for");
	is_u64(flags.free_page_hinting.timeout_ms, 7, "... and what is behind them counts");
}

static void long_names(void)
{
	char text[4096] = "{\"flagValues\":{\"";
	struct fcp_flags flags;

	memset(text + strlen(text), 'n', 3000);
	strcat(text, "\":1}}");
	flags = read_flags(text, FCP_USE_PAUSE);
	ok(flags.warning_count == 1 && strlen(flags.warnings[0]) == 255,
	   "a name of 3000 letters is cut in the warning");
}

static void byte_order_mark(void)
{
	struct fcp_flags flags =
		read_flags("\xef\xbb\xbf{\"flagValues\":{\"reclaim-on-pause\":2000}}",
			   FCP_USE_PAUSE);

	ok(flags.reclaim_on_pause.on && flags.reclaim_on_pause.timeout_ms == 2000 &&
		   flags.warning_count == 0,
	   "R13: a byte order mark is passed over");
	flags = read_flags("\xef\xbb{}", FCP_USE_PAUSE);
	ok(flags.warning_count == 1 && strstr(flags.warnings[0], "\xef") == NULL,
	   "R13: half a mark is none, and is not shown as it is");
	flags = read_flags("\xef\xbb\xbf", FCP_USE_PAUSE);
	ok(flags.warning_count == 1, "R13: a mark alone is no JSON");
}

int main(void)
{
	const char *directory = getenv("TMPDIR");

	snprintf(path, sizeof(path), "%s/fcpause-flags-test.%d", directory ? directory : "/tmp",
		 (int)getpid());
	shapes();
	warnings();
	good_file();
	too_many_warnings();
	long_names();
	no_file();
	byte_order_mark();
	return done();
}
