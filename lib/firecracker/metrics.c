// SPDX-License-Identifier: Apache-2.0
#include "firecracker/metrics.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* In Firecracker 1.16 a line for one drive and one network interface has 8 kB. */
#define NEW_MAX_BYTES (4 << 20)

static uint64_t metric_value(const struct fcp_json *group, const char *key)
{
	uint64_t value = 0;

	fcp_json_u64(fcp_json_get(group, key), &value);
	return value;
}

static void add_line(const char *line, size_t length, struct fcp_metrics *sum)
{
	FCP_CLEANUP(json) struct fcp_json *json = NULL;
	const struct fcp_json *balloon, *latencies;
	struct fcp_error ignored;

	if (fcp_json_parse(line, length, "metrics", &json, &ignored) != 0)
		return;
	balloon = fcp_json_get(json, "balloon");
	sum->free_page_hint_count += metric_value(balloon, "free_page_hint_count");
	sum->free_page_hint_freed += metric_value(balloon, "free_page_hint_freed");
	sum->free_page_hint_fails += metric_value(balloon, "free_page_hint_fails");
	sum->free_page_report_freed += metric_value(balloon, "free_page_report_freed");
	latencies = fcp_json_get(json, "latencies_us");
	sum->full_create_snapshot_us = metric_value(latencies, "full_create_snapshot");
	sum->diff_create_snapshot_us = metric_value(latencies, "diff_create_snapshot");
	sum->pause_vm_us = metric_value(latencies, "pause_vm");
	sum->resume_vm_us = metric_value(latencies, "resume_vm");
}

static int read_lines(int fd, off_t from, struct fcp_metrics *sum, struct fcp_error *err)
{
	FCP_CLEANUP(free) char *text = NULL;
	struct stat file;
	ssize_t length;
	char *line;

	if (fstat(fd, &file) != 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "metrics file");
	if (file.st_size <= from)
		return fcp_error_set(err, FCP_ERR_PROTOCOL, 0,
				     "metrics file: no new line after a flush");
	if (file.st_size - from > NEW_MAX_BYTES)
		return fcp_error_set(err, FCP_ERR_PROTOCOL, 0,
				     "metrics file: more than %d MiB were added by a flush",
				     NEW_MAX_BYTES >> 20);
	text = malloc((size_t)(file.st_size - from) + 1);
	if (!text)
		return fcp_error_nomem(err);
	length = pread(fd, text, (size_t)(file.st_size - from), from);
	if (length < 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "metrics file");
	text[length] = '\0';
	line = text;
	while (*line) {
		size_t bytes = strcspn(line, "\n");

		add_line(line, bytes, sum);
		line += bytes + (line[bytes] == '\n');
	}
	return 0;
}

int fcp_metrics_flush(struct fcp_firecracker *firecracker, const char *path,
		      struct fcp_metrics *metrics_, struct fcp_error *err)
{
	FCP_CLEANUP(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct fcp_metrics sum = {0};
	struct stat before;

	if (fd < 0 || fstat(fd, &before) != 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "metrics file %s", path);
	if (!S_ISREG(before.st_mode))
		return fcp_error_set(err, FCP_ERR_UNSUPPORTED, 0,
				     "metrics file %s: not a regular file", path);
	if (fcp_firecracker_call(firecracker, "PUT", "/actions",
				 "{\"action_type\":\"FlushMetrics\"}", NULL, err) != 0 ||
	    read_lines(fd, before.st_size, &sum, err) != 0)
		return -1;
	*metrics_ = sum;
	return 0;
}
