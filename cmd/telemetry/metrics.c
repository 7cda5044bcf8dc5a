// SPDX-License-Identifier: Apache-2.0
#include "cmd/telemetry/metrics.h"

#include "base/text.h"

#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"

/* The collector requires the same texts in all files that it reads. */
static const struct {
	const char *name, *help;
} families[METRIC_FAMILIES] = {
	[METRIC_RUN_TIMESTAMP] = {"fcpause_last_run_timestamp_seconds",
				  "When the last run ended, in seconds since the epoch."},
	[METRIC_RUN_SECONDS] = {"fcpause_last_run_duration_seconds", "How long the last run took."},
	[METRIC_RUN_SUCCESS] = {"fcpause_last_run_success",
				"1 if the last run exited with 0, else 0."},
	[METRIC_EXIT_CODE] = {"fcpause_last_run_exit_code", "Exit code of the last run."},
	[METRIC_STEP_SECONDS] = {"fcpause_step_duration_seconds",
				 "How long a step of the last run took, and how it ended."},
	[METRIC_RECLAIM_SECONDS] =
		{"fcpause_reclaim_duration_seconds",
		 "How long a step of reclaim took in the guest, and how it ended."},
	[METRIC_STOPPED_SECONDS] = {"fcpause_guest_stopped_seconds",
				    "How long the guest stood still because of the last run."},
	[METRIC_STOPPED_PHASE_SECONDS] = {"fcpause_guest_stopped_phase_seconds",
					  "What the guest stood still for."},
	[METRIC_MEM_FILE_BYTES] = {"fcpause_mem_file_bytes",
				   "Size of the memory file, and the storage that it occupies."},
	[METRIC_MEMORY_BYTES] =
		{"fcpause_guest_memory_bytes",
		 "Guest memory by what became of it when fcpause wrote the memory file."},
	[METRIC_RELEASED_BYTES] =
		{"fcpause_released_bytes",
		 "Storage of the memory file that was released after it was written."},
	[METRIC_DRAINED_BYTES] = {"fcpause_drain_freed_bytes",
				  "Memory that the hinting run gave back to the host."},
};

void metrics_add(struct metrics *metrics, struct metric_sample sample)
{
	if (metrics->count < METRIC_SAMPLES)
		metrics->samples[metrics->count++] = sample;
}

bool metric_label_name_is_valid(const char *name, size_t length)
{
	return length > 0 && strspn(name, LETTERS "0123456789") >= length &&
	       strspn(name, LETTERS) > 0 && !(length > 1 && name[0] == '_' && name[1] == '_');
}

/* The collector accepts only UTF-8: other bytes are escaped. */
static void write_label_value(const char *value, FILE *out)
{
	char shown[1024];

	fcp_text_filter(value, shown, sizeof(shown));
	for (const char *c = shown; *c; c++) {
		if (*c == '\\' || *c == '"')
			fputc('\\', out);
		fputc(*c, out);
	}
}

static size_t write_labels(const struct metric_label *labels, size_t count, size_t written,
			   FILE *out)
{
	for (size_t i = 0; i < count; i++) {
		if (!labels[i].name || !labels[i].value || !*labels[i].value)
			continue;
		fprintf(out, "%c%s=\"", written++ == 0 ? '{' : ',', labels[i].name);
		write_label_value(labels[i].value, out);
		fputc('"', out);
	}
	return written;
}

static void write_sample(const struct metric_sample *sample, const struct metric_label *common,
			 size_t common_count, FILE *out)
{
	size_t written;

	fputs(families[sample->family].name, out);
	written = write_labels(common, common_count, 0, out);
	written = write_labels(sample->labels, METRIC_LABELS, written, out);
	/* Exact for sizes below a petabyte. */
	fprintf(out, "%s %.15g\n", written > 0 ? "}" : "", sample->value);
}

static bool has_family(const struct metrics *metrics, enum metric_family family)
{
	for (size_t i = 0; i < metrics->count; i++)
		if (metrics->samples[i].family == family)
			return true;
	return false;
}

void metrics_write(const struct metrics *metrics, const struct metric_label *common,
		   size_t common_count, FILE *out)
{
	for (size_t family = 0; family < METRIC_FAMILIES; family++) {
		if (!has_family(metrics, (enum metric_family)family))
			continue;
		fprintf(out, "# HELP %s %s\n# TYPE %s gauge\n", families[family].name,
			families[family].help, families[family].name);
		for (size_t i = 0; i < metrics->count; i++)
			if (metrics->samples[i].family == family)
				write_sample(&metrics->samples[i], common, common_count, out);
	}
}
