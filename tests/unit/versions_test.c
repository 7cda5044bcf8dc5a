// SPDX-License-Identifier: Apache-2.0
/*
 * Each public function takes the structs of a program that was built against another version of
 * fcpause.h; call_test.c has the details, of one function.
 */
#include "fcpause.h"

#include "tap.h"

/* Every result begins with them. */
struct head {
	size_t size;
	struct fcp_outcome outcome;
};

/* A function, its settings and its result as bytes, in the sizes of this version. */
struct call {
	const char *name;
	int (*run)(const void *settings, void *result, struct fcp_error *err);
	void (*clear)(void *result); /* NULL: it owns nothing */
	const void *settings;	     /* as FCP_..._SETTINGS_INIT makes them */
	size_t settings_bytes;
	size_t result_bytes;
};

/* A struct with a member more than this version knows. */
union later {
	size_t size;
	unsigned char bytes[65536];
};

static union later settings, result;
static struct fcp_error err;

static int run(const struct call *call)
{
	err = (struct fcp_error){0};
	return call->run(&settings, &result, &err);
}

static void begin(const struct call *call, size_t more_bytes)
{
	memset(&settings, 0, sizeof(settings));
	memcpy(&settings, call->settings, call->settings_bytes);
	settings.size = call->settings_bytes + more_bytes;
	memset(&result, 0, sizeof(result));
	result.size = call->result_bytes;
}

static void end(const struct call *call)
{
	if (call->clear)
		call->clear(&result);
}

/*
 * Nothing can be done with the defaults: a function ends with an error of its own, or is skipped.
 */
static bool is_understood(int ran)
{
	return ran == FCP_STATUS_SKIPPED ||
	       (ran == -1 && err.message[0] && !strstr(err.message, "does not know") &&
		!strstr(err.message, "size is not set"));
}

static bool is_unknown(void)
{
	return err.error_class == FCP_ERR_USAGE && strstr(err.message, "does not know");
}

static void longer(const struct call *call)
{
	begin(call, 24);
	ok(is_understood(run(call)), "%s: longer, and zero: %s", call->name, err.message);
	end(call);
	for (size_t at = 0; at < 24; at += 23) {
		begin(call, 24);
		settings.bytes[call->settings_bytes + at] = 1;
		ok(run(call) == -1 && is_unknown(), "%s: unknown byte %zu is not: %s", call->name,
		   at, err.message);
		end(call);
	}
}

static void shorter(const struct call *call)
{
	begin(call, 0);
	settings.size = sizeof(size_t);
	ok(is_understood(run(call)), "%s: settings of nothing but their size: %s", call->name,
	   err.message);
	end(call);
	begin(call, 0);
	memset(result.bytes + sizeof(struct head), 0x5a, 64);
	result.size = sizeof(struct head);
	ok(is_understood(run(call)) && result.bytes[sizeof(struct head)] == 0x5a &&
		   result.size == sizeof(struct head),
	   "%s: of a shorter result nothing behind its end is written", call->name);
	end(call);
}

static void not_set(const struct call *call)
{
	begin(call, 0);
	settings.size = 0;
	ok(run(call) == -1 && err.error_class == FCP_ERR_USAGE &&
		   strstr(err.message, "size is not set"),
	   "%s: settings without a size: %s", call->name, err.message);
	end(call);
	begin(call, 0);
	result.size = 0;
	ok(run(call) == -1 && err.error_class == FCP_ERR_USAGE &&
		   strstr(err.message, "size is not set"),
	   "%s: a result without one: %s", call->name, err.message);
	end(call);
}

/* clang-format off */
#define CALLS(WITH, WITHOUT) \
	WITH(reclaim, RECLAIM) WITHOUT(exec, EXEC) WITHOUT(balloon_install, BALLOON_INSTALL) \
	WITHOUT(balloon_drain, BALLOON_DRAIN) WITH(snapshot, SNAPSHOT) \
	WITH(free_pages, FREE_PAGES) WITH(madvise_ranges, MADVISE_RANGES) WITH(inspect, INSPECT) \
	WITH(merge, MERGE) WITH(share, SHARE) WITHOUT(status, STATUS) WITH(doctor, DOCTOR) \
	WITHOUT(resume, RESUME) WITH(pause, PAUSE)
#define RUN(name, NAME) \
	static const struct fcp_##name##_settings name##_settings = FCP_##NAME##_SETTINGS_INIT; \
	static int run_##name(const void *given, void *taken, struct fcp_error *why) \
	{ \
		return fcp_##name(given, taken, why); \
	}
#define RUN_AND_CLEAR(name, NAME) \
	RUN(name, NAME) \
	static void clear_##name(void *taken) \
	{ \
		fcp_##name##_result_clear(taken); \
	}
#define ENTRY(name, clear) \
	{#name, run_##name, clear, &name##_settings, sizeof(name##_settings), \
	 sizeof(struct fcp_##name##_result)},
#define WITH_CLEAR(name, NAME) ENTRY(name, clear_##name)
#define WITHOUT_CLEAR(name, NAME) ENTRY(name, NULL)

CALLS(RUN_AND_CLEAR, RUN)

static const struct call calls[] = {CALLS(WITH_CLEAR, WITHOUT_CLEAR)};
/* clang-format on */

/* Of a pause, the settings of its steps too; of free pages, the sources. */
static void inner(void)
{
	struct {
		struct fcp_snapshot_settings known;
		uint64_t news;
	} snapshot = {FCP_SNAPSHOT_SETTINGS_INIT, 1};
	struct {
		struct fcp_memory_source known;
		uint64_t news;
	} memory = {FCP_MEMORY_SOURCE_INIT, 1};
	struct fcp_pause_settings pause = FCP_PAUSE_SETTINGS_INIT;
	struct fcp_pause_result paused = FCP_PAUSE_RESULT_INIT;
	struct fcp_free_pages_settings pages = FCP_FREE_PAGES_SETTINGS_INIT;
	struct fcp_free_pages_result found = FCP_FREE_PAGES_RESULT_INIT;

	snapshot.known.size = sizeof(snapshot);
	pause.snapshot = &snapshot.known;
	ok(fcp_pause(&pause, &paused, &err) == -1 && is_unknown(), "pause: %s", err.message);
	fcp_pause_result_clear(&paused);
	memory.known.size = sizeof(memory);
	pages.memory = &memory.known;
	ok(fcp_free_pages(&pages, &found, &err) == -1 && is_unknown(), "free_pages: %s",
	   err.message);
	fcp_free_pages_result_clear(&found);
}

static void reserved(void)
{
	struct fcp_merge_settings merge = FCP_MERGE_SETTINGS_INIT;
	struct fcp_merge_result merged = FCP_MERGE_RESULT_INIT;
	struct fcp_balloon_drain_settings drain = FCP_BALLOON_DRAIN_SETTINGS_INIT;
	struct fcp_balloon_drain_result drained = FCP_BALLOON_DRAIN_RESULT_INIT;
	struct fcp_snapshot_settings snapshot = FCP_SNAPSHOT_SETTINGS_INIT;
	struct fcp_pause_settings pause = FCP_PAUSE_SETTINGS_INIT;
	struct fcp_pause_result paused = FCP_PAUSE_RESULT_INIT;
	struct fcp_memory_source memory = FCP_MEMORY_SOURCE_INIT;
	struct fcp_free_pages_settings pages = FCP_FREE_PAGES_SETTINGS_INIT;
	struct fcp_free_pages_result found = FCP_FREE_PAGES_RESULT_INIT;

	merge.reserved = drain.reserved = memory.reserved = 1U << 31;
	pause.snapshot = &snapshot;
	pause.drain = &drain;
	pages.memory = &memory;
	ok(fcp_merge(&merge, &merged, &err) == -1 && is_unknown(), "merge, reserved: %s",
	   err.message);
	ok(fcp_balloon_drain(&drain, &drained, &err) == -1 && is_unknown(), "drain, reserved: %s",
	   err.message);
	ok(fcp_pause(&pause, &paused, &err) == -1 && is_unknown(), "pause, reserved: %s",
	   err.message);
	ok(fcp_free_pages(&pages, &found, &err) == -1 && is_unknown(), "source, reserved: %s",
	   err.message);
}

/* What comes without settings, or without a result. */
static void others(void)
{
	struct {
		struct fcp_ranges_text known;
		uint64_t news;
	} text = {FCP_RANGES_TEXT_INIT, 1};
	struct {
		struct fcp_flags known;
		uint64_t news;
	} flags = {FCP_FLAGS_INIT, 1};
	struct fcp_ranges ranges = {0};

	text.known.size = sizeof(text);
	text.known.fd = 0;
	ok(fcp_ranges_read(&text.known, &ranges, &err) == -1 && is_unknown(), "ranges_read: %s",
	   err.message);
	flags.known.size = sizeof(flags);
	ok(fcp_flags_read("/nowhere", FCP_USE_PAUSE, false, &flags.known, &err) == 0 &&
		   flags.known.warning_count == 1 && flags.news == 0,
	   "longer flags: what is not known becomes zero");
	fcp_flags_clear(&flags.known);
	flags.known.size = offsetof(struct fcp_flags, warning_count);
	ok(fcp_flags_read("/nowhere", FCP_USE_PAUSE, false, &flags.known, &err) == 0 &&
		   flags.known.warning_count == 0,
	   "shorter flags: nothing behind their end is written");
	fcp_flags_clear(&flags.known);
	flags.known.size = 0;
	ok(fcp_flags_read("/nowhere", FCP_USE_PAUSE, false, &flags.known, &err) == -1 &&
		   err.error_class == FCP_ERR_USAGE,
	   "flags without a size: %s", err.message);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		longer(&calls[i]);
		shorter(&calls[i]);
		not_set(&calls[i]);
	}
	inner();
	reserved();
	others();
	return done();
}
