// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

void sleep_ms(long ms)
{
	struct timespec ts = {ms / 1000, ms % 1000 * 1000000};

	while (ms > 0 && nanosleep(&ts, &ts))
		;
}

static int open_append(const char *path)
{
	return path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644) : -1;
}

int log_open(struct sim_log *log, const char *request_path, const char *clock_path)
{
	log->request_fd = open_append(request_path);
	log->clock_fd = open_append(clock_path);
	return (request_path && log->request_fd < 0) || (clock_path && log->clock_fd < 0) ? -1 : 0;
}

void log_close(struct sim_log *log)
{
	if (log->request_fd >= 0)
		close(log->request_fd);
	if (log->clock_fd >= 0)
		close(log->clock_fd);
}

static void put_line(int fd, const char *text, size_t len)
{
	if (fd >= 0 && write(fd, text, len) < 0)
		perror("fcpause-sim: log");
}

void log_request(struct sim_log *log, const char *text)
{
	size_t len = strlen(text);
	char *line = malloc(len + 1);

	if (!line)
		return;
	for (size_t i = 0; i < len; i++)
		line[i] = text[i] == '\n' || text[i] == '\r' ? ' ' : text[i];
	line[len] = '\n';
	put_line(log->request_fd, line, len + 1);
	free(line);
}

void log_clock(struct sim_log *log, const char *format, ...)
{
	char event[64], line[128];
	va_list args;
	int n;

	va_start(args, format);
	vsnprintf(event, sizeof(event), format, args);
	va_end(args);
	n = snprintf(line, sizeof(line), "%s %" PRId64 "\n", event, now_ns());
	put_line(log->clock_fd, line, (size_t)n);
}
