// SPDX-License-Identifier: Apache-2.0
#include "cmd/telemetry/metrics.h"

static void add(struct metrics *metrics, enum metric_family family, double value)
{
	metrics_add(metrics, (struct metric_sample){.family = family, .value = value});
}

static void add_labelled(struct metrics *metrics, enum metric_family family, double value,
			 struct metric_label label)
{
	metrics_add(metrics,
		    (struct metric_sample){.family = family, .value = value, .labels = {label}});
}

static void add_duration(struct metrics *metrics, enum metric_family family, const char *step,
			 const struct fcp_outcome *outcome)
{
	metrics_add(metrics, (struct metric_sample){
				     .family = family,
				     .value = outcome->ms / 1000,
				     .labels = {{"step", step},
						{"status", fcp_status_name(outcome->status)}},
			     });
}

void metrics_of_reclaim(struct metrics *metrics, const struct fcp_reclaim_result *result)
{
	add_duration(metrics, METRIC_STEP_SECONDS, "reclaim", &result->outcome);
	for (size_t i = 0; i < result->step_count; i++)
		add_duration(metrics, METRIC_RECLAIM_SECONDS,
			     fcp_reclaim_kind_name(result->steps[i]->kind),
			     &result->steps[i]->outcome);
}

void metrics_of_balloon_drain(struct metrics *metrics,
			      const struct fcp_balloon_drain_result *result)
{
	add_duration(metrics, METRIC_STEP_SECONDS, "balloon-drain", &result->outcome);
	if (result->started && result->freed_source != FCP_FREED_UNKNOWN)
		add(metrics, METRIC_DRAINED_BYTES, (double)result->freed_bytes);
}

/* Only the fcpause writer examines each page. */
static void add_memory(struct metrics *metrics, const struct fcp_memory_report *memory)
{
	const struct {
		const char *class;
		uint64_t bytes;
	} classes[] = {
		{"guest", memory->guest_bytes},	       {"changed", memory->changed_bytes},
		{"free", memory->free_bytes},	       {"zero", memory->zero_bytes},
		{"base", memory->base_equal_bytes},    {"shared", memory->shared_bytes},
		{"written", memory->written_bytes},    {"dropped", memory->dropped_bytes},
		{"base_cloned", memory->cloned_bytes}, {"base_copied", memory->copied_bytes},
	};

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		add_labelled(metrics, METRIC_MEMORY_BYTES, (double)classes[i].bytes,
			     (struct metric_label){"class", classes[i].class});
}

static void add_downtime(struct metrics *metrics, const struct fcp_downtime *downtime)
{
	const struct {
		const char *phase;
		double ms;
	} phases[] = {
		{"pause", downtime->pause}, {"state", downtime->state},	  {"scan", downtime->scan},
		{"copy", downtime->copy},   {"resume", downtime->resume},
	};

	for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++)
		add_labelled(metrics, METRIC_STOPPED_PHASE_SECONDS, phases[i].ms / 1000,
			     (struct metric_label){"phase", phases[i].phase});
}

void metrics_of_snapshot(struct metrics *metrics, const struct fcp_snapshot_result *result)
{
	add_duration(metrics, METRIC_STEP_SECONDS, "snapshot", &result->outcome);
	add(metrics, METRIC_STOPPED_SECONDS, result->paused_ms / 1000);
	if (!result->created || result->writer != FCP_WRITER_FCPAUSE)
		return;
	add_downtime(metrics, &result->downtime_ms);
	add_memory(metrics, result->memory);
}

void metrics_of_pause(struct metrics *metrics, const struct fcp_pause_result *result)
{
	const struct fcp_mem_file *file = &result->trim->mem_file;

	metrics_of_reclaim(metrics, result->reclaim);
	metrics_of_balloon_drain(metrics, result->drain);
	metrics_of_snapshot(metrics, result->snapshot);
	add_duration(metrics, METRIC_STEP_SECONDS, "madvise-ranges", &result->trim->outcome);
	if (file->logical_bytes == 0)
		return;
	add_labelled(metrics, METRIC_MEM_FILE_BYTES, (double)file->logical_bytes,
		     (struct metric_label){"kind", "logical"});
	add_labelled(metrics, METRIC_MEM_FILE_BYTES, (double)file->allocated_bytes,
		     (struct metric_label){"kind", "allocated"});
	add(metrics, METRIC_RELEASED_BYTES, (double)result->trim->released_bytes);
}
