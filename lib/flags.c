// SPDX-License-Identifier: Apache-2.0
#include "base/call.h"
#include "base/cleanup.h"
#include "base/outcome.h"
#include "base/secret.h"
#include "base/text.h"
#include "flags/cache.h"
#include "flags/file.h"
#include "flags/values.h"
#include "services/flag_service.h"

#include <string.h>

#define KEY_MAX_BYTES 1024

const char *fcp_flags_source_name(enum fcp_flags_source source)
{
	static const char *const names[] = {
		[FCP_FLAGS_NONE] = "none",
		[FCP_FLAGS_FILE] = "file",
		[FCP_FLAGS_LAUNCHDARKLY] = "launchdarkly",
		[FCP_FLAGS_OFREP] = "ofrep",
		[FCP_FLAGS_CACHE] = "cache",
	};

	return (size_t)source < sizeof(names) / sizeof(names[0]) ? names[source] : "unknown";
}

/* One taking of flags. */
struct flags_run {
	const struct fcp_flags_settings *settings;
	struct fcp_flags_result *result;
	struct fcp_flag_reader reader;
};

static int read_answer(struct flags_run *run, enum fcp_flags_source kind, const char *answer,
		       struct fcp_error *err)
{
	run->reader = (struct fcp_flag_reader){.source = fcp_flags_source_name(kind),
					       .use = run->settings->use,
					       .strict = run->settings->strict,
					       .others_too = true};
	return fcp_flag_service_read(kind, answer, fcp_flag_take, &run->reader, err);
}

/* The service's own answer, owned and read; NULL with *err. */
static char *ask_service(struct flags_run *run, struct fcp_flag_service *service,
			 struct fcp_error *err)
{
	const struct fcp_flags_settings *settings = run->settings;
	char key[KEY_MAX_BYTES + 1] = "";
	FCP_CLEANUP(free) char *answer = NULL;

	if (settings->key_file &&
	    fcp_secret_read(settings->key_file, "key file", settings->cancel_fd, key, KEY_MAX_BYTES,
			    err) != 0)
		return NULL;
	service->key = settings->key_file ? key : NULL;
	answer = fcp_flag_service_ask(service, err);
	service->key = NULL;
	explicit_bzero(key, sizeof(key));
	if (!answer || read_answer(run, service->kind, answer, err) != 0)
		return NULL;
	run->result->source = service->kind;
	return fcp_steal_pointer(&answer);
}

/* What the service did not answer, it has perhaps answered before. *err: why it did not. */
static int read_cache(struct flags_run *run, enum fcp_flags_source kind,
		      const struct fcp_flags_cache *cache, struct fcp_error *err)
{
	struct fcp_flags_result *result = run->result;
	char time[FCP_FLAGS_TIME_BYTES], note[2 * sizeof(result->note)];
	struct fcp_error no_cache;
	FCP_CLEANUP(free) char *answer = fcp_flags_cache_read(cache, time, &no_cache);

	if (!answer || read_answer(run, kind, answer, &no_cache) != 0) {
		fcp_error_append(err, "; %s", no_cache.message);
		return -1;
	}
	result->source = FCP_FLAGS_CACHE;
	snprintf(note, sizeof(note), "%.300s; its answer of %s in %.150s is used", err->message,
		 time, cache->path);
	fcp_text_filter(note, result->note, sizeof(result->note));
	return 0;
}

static void keep_answer(const struct fcp_flags_cache *cache, const char *answer,
			struct fcp_flags_result *result)
{
	struct fcp_error err;

	if (fcp_flags_cache_write(cache, answer, &err) != 0)
		fcp_text_filter(err.message, result->note, sizeof(result->note));
}

static int take_from_service(struct flags_run *run, struct fcp_error *err)
{
	const struct fcp_flags_settings *settings = run->settings;
	enum fcp_flags_source kind = fcp_flag_service_kind(settings->source, err);
	FCP_CLEANUP(free) char *context = NULL, *answer = NULL;
	struct fcp_flag_service service = {
		.kind = kind,
		.url = settings->source,
		.timeout_ms = settings->timeout_ms ? settings->timeout_ms : FCP_FLAGS_TIMEOUT_MS,
		.cancel_fd = settings->cancel_fd,
		.observer = settings->observer,
	};
	struct fcp_flags_cache cache = {settings->cache_file, settings->source, NULL};

	if (kind == FCP_FLAGS_NONE)
		return -1;
	context = fcp_flag_service_context(kind, settings->context, settings->context_count, err);
	if (!context)
		return -1;
	service.context = cache.context = context;
	answer = ask_service(run, &service, err);
	if (answer && cache.path && !settings->cache_is_kept)
		keep_answer(&cache, answer, run->result);
	if (answer)
		return 0;
	if (err->error_class == FCP_ERR_INTERRUPTED || !cache.path)
		return -1;
	return read_cache(run, kind, &cache, err);
}

static int take_from_file(struct flags_run *run, struct fcp_error *err)
{
	run->reader = (struct fcp_flag_reader){.source = run->settings->source,
					       .use = run->settings->use,
					       .strict = run->settings->strict};
	if (fcp_flags_file_read(run->settings->source, &run->reader, err) != 0)
		return -1;
	run->result->source = FCP_FLAGS_FILE;
	return 0;
}

static void take_others(const struct fcp_flag_reader *reader, struct fcp_flags_result *result)
{
	result->arm_hinting = reader->arm_hinting;
	result->free_page_reporting = reader->free_page_reporting;
	result->freeze = reader->freeze;
	result->freeze_hierarchy = reader->freeze_hierarchy;
	result->collapse = reader->collapse;
	result->freeze_timeout_ms = reader->freeze_timeout_ms;
	result->freeze_max_cgroups = reader->freeze_max_cgroups;
	result->collapse_timeout_ms = reader->collapse_timeout_ms;
}

/* Nothing but an interruption, or no memory, fails it, unless it is strict. */
static int take_or_off(struct flags_run *run, bool is_url, struct fcp_flags *flags,
		       struct fcp_error *err)
{
	int taken = is_url ? take_from_service(run, err) : take_from_file(run, err);

	if (taken != 0) {
		if (err->error_class == FCP_ERR_INTERRUPTED)
			return -1;
		run->reader.strict = run->settings->strict;
		fcp_flags_discard(&run->reader, err->message);
		run->result->source = FCP_FLAGS_NONE;
	}
	if (fcp_flags_make(&run->reader, flags, err) != 0)
		return -1;
	if (run->settings->strict && flags->warning_count > 0)
		return fcp_error_set(err, FCP_ERR_INPUT, 0, "%s", flags->warnings[0]);
	take_others(&run->reader, run->result);
	return 0;
}

static int take_flags(struct flags_run *run, struct fcp_error *err)
{
	const char *source = run->settings->source;

	run->result->flags = calloc(1, sizeof(*run->result->flags));
	if (!run->result->flags)
		return fcp_error_nomem(err);
	run->result->flags->size = sizeof(*run->result->flags);
	return take_or_off(run, source && fcp_flag_service_is_url(source), run->result->flags, err);
}

int fcp_flags_take(const struct fcp_flags_settings *settings, struct fcp_flags_result *result,
		   struct fcp_error *err)
{
	struct fcp_flags_settings own_settings = FCP_FLAGS_SETTINGS_INIT;
	struct fcp_flags_result own = FCP_FLAGS_RESULT_INIT;
	struct flags_run run = {.settings = &own_settings, .result = &own};
	int ran;

	if (fcp_call_begin(&own_settings, settings, result, err) != 0)
		return -1;
	ran = take_flags(&run, err);
	fcp_outcome_set(&own.outcome, ran == 0 ? FCP_STATUS_OK : FCP_STATUS_FAILED, "%s",
			ran == 0 ? "" : err->message);
	ran = fcp_call_end(result, &own, sizeof(own), ran);
	fcp_flags_result_clear(&own);
	return ran;
}

void fcp_flags_result_clear(struct fcp_flags_result *result)
{
	struct fcp_flags_result own = FCP_FLAGS_RESULT_INIT;

	if (!result)
		return;
	fcp_result_take_back(&own, sizeof(own), result);
	fcp_flags_clear(own.flags);
	free(own.flags);
}

int fcp_flags_read(const char *path, enum fcp_flags_use use, bool strict, struct fcp_flags *flags_,
		   struct fcp_error *err)
{
	const struct fcp_flags_settings settings = {.source = path,
						    .use = use,
						    .strict = strict,
						    .cancel_fd = -1};
	struct fcp_flags_result result = FCP_FLAGS_RESULT_INIT;
	struct flags_run run = {.settings = &settings, .result = &result};
	struct fcp_flags own = FCP_FLAGS_INIT;
	int ran = fcp_output_begin(flags_, err);

	if (ran != 0)
		return ran;
	ran = take_or_off(&run, false, &own, err);
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
