// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/text.h"
#include "net/json.h"

#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_MAX_BYTES (1 << 20)
#define TIMEOUT_MAX_MS (24 * 3600 * 1000)

#define RECLAIM_ON_PAUSE "reclaim-on-pause"
#define FREE_PAGE_HINTING "free-page-hinting"

struct reader {
	struct fcp_flags *flags;
	const char *use; /* "pause" or "build" */
};

/* The object form of one flag, while its members are visited. */
struct flag_reader {
	struct reader *reader;
	const char *name;
	struct fcp_flag *flag;
	bool disabled; /* "enabled": false, or 0 for this use */
};

static void warn(struct fcp_flags *flags, const char *format, ...) FCP_PRINTF(2, 3);

static void warn(struct fcp_flags *flags, const char *format, ...)
{
	char *warning = flags->warnings[flags->warning_count];
	char text[2 * sizeof(flags->warnings[0])];
	va_list args;

	if (flags->warning_count == FCP_FLAGS_WARNINGS)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fcp_text_filter(text, warning, sizeof(flags->warnings[0]));
	flags->warning_count++;
}

/* A number of ms; 0 (off) for what is below 1, or, with a warning, no such number. */
static uint32_t read_ms(struct fcp_flags *flags, const char *flag, const char *key,
			const struct fcp_json *value)
{
	double ms;

	if (fcp_json_number(value, &ms) && ms >= 0 && ms <= TIMEOUT_MAX_MS)
		return (uint32_t)ms;
	warn(flags, "flag %s%s%s: no number of milliseconds from 0 to %d; taken as off", flag,
	     key ? "." : "", key ? key : "", TIMEOUT_MAX_MS);
	return 0;
}

static void on_member(const char *key, const struct fcp_json *value, void *arg)
{
	struct flag_reader *at = arg;
	struct fcp_flags *flags = at->reader->flags;
	enum fcp_reclaim_kind kind;
	bool enabled;

	if (strcmp(key, "enabled") == 0) {
		if (!fcp_json_bool(value, &enabled))
			warn(flags, "flag %s.enabled: no true or false; taken as off", at->name);
		at->disabled |= !fcp_json_bool(value, &enabled) || !enabled;
	} else if (strcmp(key, "pause") == 0 || strcmp(key, "build") == 0) {
		uint32_t ms = read_ms(flags, at->name, key, value);

		if (strcmp(key, at->reader->use) == 0) {
			at->flag->timeout_ms = ms;
			at->disabled |= ms == 0;
		}
	} else if (at->flag == &flags->reclaim_on_pause && fcp_reclaim_kind_find(key, &kind)) {
		at->flag->has_caps = true;
		at->flag->caps_ms[kind] = read_ms(flags, at->name, key, value);
	} else {
		warn(flags, "flag %s.%s: no such key; passed over", at->name, key);
	}
}

static bool any_cap(const struct fcp_flag *flag)
{
	for (size_t i = 0; i < FCP_RECLAIM_KINDS; i++)
		if (flag->has_caps && flag->caps_ms[i] != 0)
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
		flag->timeout_ms = read_ms(reader->flags, name, NULL, value);
	flag->on = !at.disabled && (flag->timeout_ms != 0 || any_cap(flag));
	if (fcp_json_is_object(value) && !at.disabled && !flag->on)
		warn(reader->flags, "flag %s: no figure for %s in it; taken as off", name, reader->use);
}

static void on_flag(const char *name, const struct fcp_json *value, void *arg)
{
	struct reader *reader = arg;

	if (strcmp(name, RECLAIM_ON_PAUSE) == 0)
		read_flag(reader, name, value, &reader->flags->reclaim_on_pause);
	else if (strcmp(name, FREE_PAGE_HINTING) == 0)
		read_flag(reader, name, value, &reader->flags->free_page_hinting);
	else
		warn(reader->flags, "flag %s: no such flag; passed over", name);
}

/* The file's text, owned; NULL with *err. */
static char *read_file(const char *path, size_t *bytes_, struct fcp_error *err)
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
		fcp_error_set(err, FCP_ERR_INPUT, 0, "flags file %s: not a regular file of 1 MiB or less", path);
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
	text = read_file(path, &bytes, err);
	/* The byte order mark that editors of Windows put before UTF-8 (RFC 8259: may be ignored). */
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

int fcp_flags_read(const char *path, enum fcp_flags_use use, bool strict, struct fcp_flags *flags_,
		   struct fcp_error *err)
{
	struct fcp_flags flags = {0};
	struct reader reader = {&flags, use == FCP_USE_BUILD ? "build" : "pause"};
	struct fcp_error why;

	if (read_flags(path, &reader, &why) != 0) {
		flags = (struct fcp_flags){0};
		warn(&flags, "%s; both flags are off", why.message);
	}
	if (strict && flags.warning_count > 0)
		return fcp_error_set(err, FCP_ERR_INPUT, 0, "%s", flags.warnings[0]);
	*flags_ = flags;
	return 0;
}
