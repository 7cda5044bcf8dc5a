// SPDX-License-Identifier: Apache-2.0
#include "base/call.h"
#include "base/cleanup.h"
#include "base/enums.h"
#include "base/list.h"
#include "base/nearest.h"
#include "base/text.h"
#include "base/units.h"
#include "net/json.h"

#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_MAX_BYTES (1 << 20)
#define TIMEOUT_MAX_MS (24 * 3600 * 1000)

#define RECLAIM_ON_PAUSE "reclaim-on-pause"
#define FREE_PAGE_HINTING "free-page-hinting"

/* A longer file than anybody writes does not fill the caller's memory, or log. */
#define WARNINGS_MAX 16
#define WARNING_BYTES 256

struct reader {
	struct fcp_flags *flags;
	const char *path;
	const char *use; /* "pause" or "build" */
	bool strict;
	/* Of reclaim-on-pause: which steps are named, and their figures. */
	bool capped[FCP_RECLAIM_KINDS];
	uint32_t caps_ms[FCP_RECLAIM_KINDS];
	char warnings[WARNINGS_MAX][WARNING_BYTES];
	size_t warning_count;
};

/* The object form of one flag, while its members are visited. */
struct flag_reader {
	struct reader *reader;
	const char *name;
	struct fcp_flag *flag;
	bool disabled; /* "enabled": false, or 0 for this use */
};

/* What follows from it is said of a warning; with strict it is an error, and nothing follows. */
static void warn(struct reader *reader, const char *consequence, const char *format, ...)
	FCP_PRINTF(3, 4);

static void warn(struct reader *reader, const char *consequence, const char *format, ...)
{
	char text[2 * WARNING_BYTES];
	size_t room;
	va_list args;

	if (reader->warning_count == WARNINGS_MAX)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	room = sizeof(text) - strlen(text);
	snprintf(text + strlen(text), room, "%s%s (%.100s)", reader->strict ? "" : "; ",
		 reader->strict ? "" : consequence, reader->path);
	fcp_text_filter(text, reader->warnings[reader->warning_count++], WARNING_BYTES);
}

/* "1.5s": with a unit, as a text that is only digits is rather a number in the wrong type. */
static bool parse_text(const struct fcp_json *value, double *ms_)
{
	const char *text = fcp_json_string(value);
	uint64_t ms;

	if (!text || text[strspn(text, "0123456789")] == '\0' || !fcp_parse_ms(text, &ms))
		return false;
	*ms_ = (double)ms;
	return true;
}

/* A duration in ms; 0 (off) for what is below 1, or, with a warning, not a duration. */
static uint32_t read_ms(struct reader *reader, const char *flag, const char *key,
			const struct fcp_json *value)
{
	const char *dot = key ? "." : "", *member = key ? key : "";
	bool on;
	double ms;

	if (!fcp_json_number(value, &ms) && !parse_text(value, &ms)) {
		if (fcp_json_bool(value, &on) && on)
			warn(reader, "treated as off",
			     "flag %s%s%s: true is not enough: give milliseconds, such as 2000",
			     flag, dot, member);
		else
			warn(reader, "treated as off",
			     "flag %s%s%s: not a duration (2000, or \"1.5s\")", flag, dot, member);
		return 0;
	}
	if (!(ms >= 0 && ms <= TIMEOUT_MAX_MS)) {
		warn(reader, "treated as off", "flag %s%s%s: not from 0 to %d milliseconds (24 h)",
		     flag, dot, member, TIMEOUT_MAX_MS);
		return 0;
	}
	if (ms != (uint32_t)ms)
		warn(reader, "the fraction is dropped",
		     "flag %s%s%s: %g is in milliseconds (for seconds: \"%gs\")", flag, dot, member,
		     ms, ms);
	return (uint32_t)ms;
}

static const char *hint_for(const char *word, const char *const *known,
			    char hint[FCP_NEAREST_HINT_BYTES])
{
	struct fcp_nearest nearest = {word, strlen(word), FCP_NEAREST_NONE, ""};

	for (; *known; known++)
		fcp_nearest_try(&nearest, *known);
	return fcp_nearest_hint(&nearest, hint);
}

/* hint may be "". */
static void warn_unknown(struct reader *reader, const char *what, const char *name,
			 const char *hint)
{
	char ignored[FCP_NEAREST_HINT_BYTES + 16];

	snprintf(ignored, sizeof(ignored), "ignored%s", hint);
	warn(reader, ignored, "flag %s: unknown%s%s", name, what, reader->strict ? hint : "");
}

static void unknown_key(struct flag_reader *at, const char *key)
{
	const char *known[4 + FCP_RECLAIM_KINDS] = {"enabled", "pause", "build"};
	char hint[FCP_NEAREST_HINT_BYTES], name[160];

	for (size_t i = 0;
	     i < FCP_RECLAIM_KINDS && at->flag == &at->reader->flags->reclaim_on_pause; i++)
		known[3 + i] = fcp_reclaim_kind_name((enum fcp_reclaim_kind)i);
	snprintf(name, sizeof(name), "%s.%.100s", at->name, key);
	warn_unknown(at->reader, " key", name, hint_for(key, known, hint));
}

static void on_member(const char *key, const struct fcp_json *value, void *arg)
{
	struct flag_reader *at = arg;
	struct reader *reader = at->reader;
	enum fcp_reclaim_kind kind;
	bool enabled;

	if (strcmp(key, "enabled") == 0) {
		if (!fcp_json_bool(value, &enabled))
			warn(reader, "treated as off", "flag %s.enabled: not true or false",
			     at->name);
		at->disabled |= !fcp_json_bool(value, &enabled) || !enabled;
	} else if (strcmp(key, "pause") == 0 || strcmp(key, "build") == 0) {
		uint32_t ms = read_ms(reader, at->name, key, value);

		if (strcmp(key, reader->use) == 0) {
			at->flag->timeout_ms = ms;
			at->disabled |= ms == 0;
		}
	} else if (at->flag == &reader->flags->reclaim_on_pause &&
		   fcp_reclaim_kind_find(key, &kind)) {
		reader->capped[kind] = true;
		reader->caps_ms[kind] = read_ms(reader, at->name, key, value);
	} else {
		unknown_key(at, key);
	}
}

static bool any_cap(const struct reader *reader, const struct fcp_flag *flag)
{
	for (size_t i = 0; i < FCP_RECLAIM_KINDS; i++)
		if (flag == &reader->flags->reclaim_on_pause && reader->caps_ms[i] != 0)
			return true;
	return false;
}

static void read_flag(struct reader *reader, const char *name, const struct fcp_json *value,
		      struct fcp_flag *flag)
{
	struct flag_reader at = {reader, name, flag, false};

	if (fcp_json_is_object(value))
		fcp_json_each(value, on_member, &at);
	else
		flag->timeout_ms = read_ms(reader, name, NULL, value);
	flag->on = !at.disabled && (flag->timeout_ms != 0 || any_cap(reader, flag));
	if (fcp_json_is_object(value) && !at.disabled && !flag->on)
		warn(reader, "treated as off", "flag %s: no figure for %s in it", name,
		     reader->use);
}

static void on_flag(const char *name, const struct fcp_json *value, void *arg)
{
	static const char *const known[] = {RECLAIM_ON_PAUSE, FREE_PAGE_HINTING, NULL};
	struct reader *reader = arg;
	char hint[FCP_NEAREST_HINT_BYTES];

	if (strcmp(name, RECLAIM_ON_PAUSE) == 0)
		read_flag(reader, name, value, &reader->flags->reclaim_on_pause);
	else if (strcmp(name, FREE_PAGE_HINTING) == 0)
		read_flag(reader, name, value, &reader->flags->free_page_hinting);
	else if (*hint_for(name, known, hint))
		warn_unknown(reader, "", name, hint);
	else
		warn_unknown(reader, " (known: " RECLAIM_ON_PAUSE ", " FREE_PAGE_HINTING ")", name,
			     "");
}

/* The file's text, owned; NULL with *err. */
static char *read_flags_file(const char *path, size_t *bytes_, struct fcp_error *err)
{
	FCP_CLEANUP(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	FCP_CLEANUP(free) char *text = NULL;
	struct stat file;
	ssize_t length;

	if (fd < 0 || fstat(fd, &file) != 0) {
		fcp_error_set(err, FCP_ERR_INPUT, errno, "flags file %s", path);
		return NULL;
	}
	if (!S_ISREG(file.st_mode) || file.st_size > FILE_MAX_BYTES) {
		fcp_error_set(err, FCP_ERR_INPUT, 0,
			      "flags file %s: not a regular file of 1 MiB or less", path);
		return NULL;
	}
	text = malloc((size_t)file.st_size + 1);
	length = text ? read(fd, text, (size_t)file.st_size) : -1;
	if (length < 0) {
		fcp_error_set(err, FCP_ERR_INPUT, errno, "flags file %s", path);
		return NULL;
	}
	*bytes_ = (size_t)length;
	return fcp_steal_pointer(&text);
}

static int read_flags(const char *path, struct reader *reader, struct fcp_error *err)
{
	FCP_CLEANUP(free) char *text = NULL;
	FCP_CLEANUP(json) struct fcp_json *json = NULL;
	const struct fcp_json *values;
	size_t bytes, mark;

	if (!path)
		return fcp_error_set(err, FCP_ERR_USAGE, 0, "no flags file given");
	text = read_flags_file(path, &bytes, err);
	/* The byte order mark that editors of Windows put before UTF-8 (RFC 8259 allows it). */
	mark = text && bytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	if (!text || fcp_json_parse(text + mark, bytes - mark, path, &json, err) != 0) {
		err->error_class = FCP_ERR_INPUT;
		return -1;
	}
	values = fcp_json_get(json, "flagValues");
	if (!fcp_json_is_object(values))
		return fcp_error_set(err, FCP_ERR_INPUT, 0,
				     "flags file %s: no \"flagValues\" object in it", path);
	fcp_json_each(values, on_flag, reader);
	return 0;
}

/* ---- what was read, as the caller gets it ---- */

static int take_caps(const struct reader *reader, struct fcp_flag *flag, struct fcp_error *err)
{
	for (unsigned i = 0; i < FCP_RECLAIM_KINDS; i++) {
		if (!reader->capped[i])
			continue;
		if (!flag->caps)
			flag->caps = calloc(FCP_RECLAIM_KINDS, sizeof(*flag->caps));
		if (!flag->caps)
			return fcp_error_nomem(err);
		flag->caps[flag->cap_count++] =
			(struct fcp_reclaim_step){(enum fcp_reclaim_kind)i, reader->caps_ms[i]};
	}
	return 0;
}

static int take_warnings(const struct reader *reader, struct fcp_flags *flags,
			 struct fcp_error *err)
{
	flags->warnings = fcp_list_new(reader->warning_count, WARNING_BYTES);
	if (!flags->warnings)
		return fcp_error_nomem(err);
	flags->warning_count = reader->warning_count;
	for (size_t i = 0; i < flags->warning_count; i++)
		memcpy(flags->warnings[i], reader->warnings[i], WARNING_BYTES);
	return 0;
}

static int read_own_flags(const char *path, struct reader *reader, bool strict,
			  struct fcp_error *err)
{
	struct fcp_error why;

	if (read_flags(path, reader, &why) != 0) {
		memset(reader->capped, 0, sizeof(reader->capped));
		*reader->flags = (struct fcp_flags)FCP_FLAGS_INIT;
		reader->warning_count = 1;
		snprintf(reader->warnings[0], WARNING_BYTES, "%.200s%s", why.message,
			 strict ? "" : "; both flags are off");
	}
	if (strict && reader->warning_count > 0)
		return fcp_error_set(err, FCP_ERR_INPUT, 0, "%s", reader->warnings[0]);
	if (take_caps(reader, &reader->flags->reclaim_on_pause, err) != 0)
		return -1;
	return take_warnings(reader, reader->flags, err);
}

int fcp_flags_read(const char *path, enum fcp_flags_use use, bool strict, struct fcp_flags *flags_,
		   struct fcp_error *err)
{
	struct fcp_flags own = FCP_FLAGS_INIT;
	struct reader reader = {.flags = &own,
				.path = path,
				.use = use == FCP_USE_BUILD ? "build" : "pause",
				.strict = strict};
	int ran = fcp_output_begin(flags_, err);

	if (ran != 0)
		return ran;
	ran = read_own_flags(path, &reader, strict, err);
	if (ran == 0)
		fcp_output_end(flags_, &own, sizeof(own));
	fcp_flags_clear(&own);
	return ran;
}

void fcp_flags_clear(struct fcp_flags *flags)
{
	struct fcp_flags own = FCP_FLAGS_INIT;

	if (!flags)
		return;
	fcp_result_take_back(&own, sizeof(own), flags);
	free(own.reclaim_on_pause.caps);
	free(own.warnings);
}
