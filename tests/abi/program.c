// SPDX-License-Identifier: Apache-2.0
/*
 * A second program, as one that uses the library would be: it is built against the fcpause.h of a
 * release, or of one that has less or more, and run with the library of today.
 *
 *   program API-SOCK ENVD MEMORY SNAPSHOT-PATH MEM-FILE-PATH FLAGS
 *
 * NEWS: built against a header with a member `news` more in each settings struct, it sets them.
 */
#include <fcpause.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned phases;

static void on_phase(const struct fcp_phase *phase, void *arg)
{
	(void)arg;
	phases += phase->ended;
}

#ifdef NEWS
#define SET_NEWS(settings) ((settings)->news = 1)
#else
#define SET_NEWS(settings) ((void)(settings))
#endif

/* Says why a call failed, and ends with the error's class. */
static void must(int ran, const char *what, const struct fcp_error *err)
{
	if (ran >= 0)
		return;
	printf("%s: %s: %s\n", what, fcp_error_class_name(err->error_class), err->message);
	exit(1);
}

static void look(const char *api_sock, const char *envd)
{
	struct fcp_doctor_settings settings = FCP_DOCTOR_SETTINGS_INIT;
	struct fcp_doctor_result result = FCP_DOCTOR_RESULT_INIT;
	struct fcp_error err;

	settings.api_sock = api_sock;
	settings.envd = envd;
	SET_NEWS(&settings);
	must(fcp_doctor(&settings, &result, &err), "doctor", &err);
	for (size_t i = 0; i < result.check_count; i++)
		printf("check %s %s\n", result.checks[i]->name,
		       fcp_verdict_name(result.checks[i]->verdict));
	fcp_doctor_result_clear(&result);
}

static void reclaim(const char *envd)
{
	const struct fcp_reclaim_step steps[] = {{FCP_RECLAIM_SYNC, 300},
						 {FCP_RECLAIM_DROP_CACHES, 400}};
	struct fcp_reclaim_settings settings = FCP_RECLAIM_SETTINGS_INIT;
	struct fcp_reclaim_result result = FCP_RECLAIM_RESULT_INIT;
	struct fcp_observer observer = FCP_OBSERVER_INIT;
	struct fcp_error err;

	observer.on_phase = on_phase;
	settings.envd = envd;
	settings.steps = steps;
	settings.step_count = 2;
	settings.observer = &observer;
	SET_NEWS(&settings);
	must(fcp_reclaim(&settings, &result, &err), "reclaim", &err);
	for (size_t i = 0; i < result.step_count; i++)
		printf("step %s %s %u\n", fcp_reclaim_kind_name(result.steps[i]->kind),
		       fcp_status_name(result.steps[i]->outcome.status), result.steps[i]->cap_ms);
	printf("phases %u\n", phases);
	fcp_reclaim_result_clear(&result);
}

static uint64_t cells(const struct fcp_inspect_result *result, enum fcp_page_class page_class)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < result->cell_count; i++)
		for (size_t c = 0; c < result->cells[i]->class_count; c++)
			if (result->cells[i]->classes[c]->page_class == page_class)
				bytes += result->cells[i]->classes[c]->all.bytes;
	return bytes;
}

static void inspect(const char *memory)
{
	struct fcp_inspect_settings settings = FCP_INSPECT_SETTINGS_INIT;
	struct fcp_inspect_result result = FCP_INSPECT_RESULT_INIT;
	struct fcp_error err;

	settings.mem_file_path = memory;
	settings.cells_max = 16;
	SET_NEWS(&settings);
	must(fcp_inspect(&settings, &result, &err), "inspect", &err);
	for (size_t i = 0; i < result.class_count; i++)
		printf("class %s %" PRIu64 " %" PRIu64 "\n",
		       fcp_page_class_name(result.classes[i]->page_class),
		       result.classes[i]->all.bytes, cells(&result, result.classes[i]->page_class));
	fcp_inspect_result_clear(&result);
}

static void flags(const char *path)
{
	struct fcp_flags flags = FCP_FLAGS_INIT;
	struct fcp_error err;

	must(fcp_flags_read(path, FCP_USE_PAUSE, false, &flags, &err), "flags", &err);
	printf("flag %d %u\n", flags.reclaim_on_pause.on, flags.reclaim_on_pause.timeout_ms);
	for (size_t i = 0; i < flags.reclaim_on_pause.cap_count; i++)
		printf("cap %s %u\n", fcp_reclaim_kind_name(flags.reclaim_on_pause.caps[i].kind),
		       flags.reclaim_on_pause.caps[i].cap_ms);
	printf("warnings %zu\n", flags.warning_count);
	fcp_flags_clear(&flags);
}

static void pause_vm(const char *api_sock, const char *snapshot_path, const char *mem_file_path)
{
	struct fcp_snapshot_settings snapshot = FCP_SNAPSHOT_SETTINGS_INIT;
	struct fcp_pause_settings settings = FCP_PAUSE_SETTINGS_INIT;
	struct fcp_pause_result result = FCP_PAUSE_RESULT_INIT;
	struct fcp_error err;

	snapshot.api_sock = api_sock;
	snapshot.snapshot_path = snapshot_path;
	snapshot.mem_file_path = mem_file_path;
	settings.snapshot = &snapshot;
	settings.trim_off_reason = "not now";
	SET_NEWS(&snapshot);
	must(fcp_pause(&settings, &result, &err), "pause", &err);
	printf("pause %s, created %d, %s, trim %s: %s\n", fcp_status_name(result.outcome.status),
	       result.snapshot->created, fcp_vm_state_name(result.vm_state),
	       fcp_status_name(result.trim->outcome.status), result.trim->outcome.reason);
	fcp_pause_result_clear(&result);
}

int main(int argc, char **argv)
{
	if (argc != 7)
		return 2;
	look(argv[1], argv[2]);
	reclaim(argv[2]);
	inspect(argv[3]);
	flags(argv[6]);
	pause_vm(argv[1], argv[4], argv[5]);
	return 0;
}
