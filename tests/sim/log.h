// SPDX-License-Identifier: Apache-2.0
/* The request log and the clock log: one write() a line, done before the answer goes out. */
#ifndef SIM_LOG_H
#define SIM_LOG_H

#include <stdint.h>

struct sim_log {
	int request_fd;
	int clock_fd;
};

int log_open(struct sim_log *log, const char *request_path, const char *clock_path);
void log_close(struct sim_log *log);

/* Appends the text as one line (line breaks in it become blanks). */
void log_request(struct sim_log *log, const char *text);

/* Appends "EVENT NS". */
void log_clock(struct sim_log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* CLOCK_MONOTONIC in ns. */
int64_t now_ns(void);
void sleep_ms(long ms);

#endif
