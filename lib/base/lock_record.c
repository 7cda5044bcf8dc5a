// SPDX-License-Identifier: Apache-2.0
#include "base/lock_record.h"

#include "base/cleanup.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

/* Records have a fixed length, so that a shorter one overwrites all of the previous one. */
#define RECORD_BYTES 1536

/* One line's value; bytes other than printable ASCII become question marks. */
static void copy_line(const char *from, char *to_, size_t bytes)
{
	size_t used = 0;

	for (; *from && *from != '\n' && used + 1 < bytes; from++)
		to_[used++] = *from >= ' ' && *from <= '~' ? *from : '?';
	to_[used] = '\0';
}

/* The value of the line "KEY value"; "" if there is no such line. */
static void get_field(const char *record, const char *key, char *value_, size_t bytes)
{
	size_t length = strlen(key);

	value_[0] = '\0';
	for (const char *line = record; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, length) == 0 && line[length] == ' ') {
			copy_line(line + length + 1, value_, bytes);
			return;
		}
	}
}

static bool read_record(int fd, char record_[RECORD_BYTES + 1])
{
	ssize_t got = pread(fd, record_, RECORD_BYTES, 0);

	record_[got > 0 ? got : 0] = '\0';
	return got > 0;
}

void fcp_lock_record_holder(int fd, char holder_[192])
{
	char record[RECORD_BYTES + 1], pid[16], comm[32], host[65], since[32];

	holder_[0] = '\0';
	if (!read_record(fd, record))
		return;
	get_field(record, "pid", pid, sizeof(pid));
	get_field(record, "comm", comm, sizeof(comm));
	get_field(record, "host", host, sizeof(host));
	get_field(record, "since", since, sizeof(since));
	if (pid[0] && since[0])
		snprintf(holder_, 192, "process %s (%s) on %s since %s", pid, comm, host, since);
}

/* The scope of a process id: a PID namespace, and the boot of a host. */
static void pids_of(char pids_[96])
{
	char namespace[32] = "", boot[40] = "";
	FCP_CLEANUP(file) FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
	ssize_t length = readlink("/proc/self/ns/pid", namespace, sizeof(namespace) - 1);

	namespace[length > 0 ? length : 0] = '\0';
	if (!file || !fgets(boot, sizeof(boot), file))
		boot[0] = '\0';
	boot[strcspn(boot, "\n")] = '\0';
	snprintf(pids_, 96, "%s %s", namespace[0] ? namespace : "?", boot[0] ? boot : "?");
}

bool fcp_lock_record_is_orphaned(int fd)
{
	char record[RECORD_BYTES + 1], pid[16], pids[96], ours[96];

	if (!read_record(fd, record))
		return false;
	get_field(record, "pid", pid, sizeof(pid));
	get_field(record, "pids", pids, sizeof(pids));
	pids_of(ours);
	return pid[0] && !strchr(ours, '?') && strcmp(pids, ours) == 0 &&
	       kill((pid_t)strtol(pid, NULL, 10), 0) != 0 && errno == ESRCH;
}

void fcp_lock_record_note(int fd, const char *vm, char note_[FCP_LOCK_NOTE_BYTES])
{
	char record[RECORD_BYTES + 1], of[96];

	note_[0] = '\0';
	if (!read_record(fd, record))
		return;
	get_field(record, "vm", of, sizeof(of));
	if (strcmp(of, vm) == 0)
		get_field(record, "note", note_, FCP_LOCK_NOTE_BYTES);
}

static void now_text(char text_[32])
{
	time_t now = time(NULL);
	struct tm utc;

	if (!gmtime_r(&now, &utc) || strftime(text_, 32, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
		snprintf(text_, 32, "?");
}

/* A process's name, printable. */
static void comm_of(int pid, char comm_[32])
{
	char path[64], line[64] = "";
	FCP_CLEANUP(file) FILE *file = NULL;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = fopen(path, "re");
	if (!file || !fgets(line, sizeof(line), file))
		snprintf(line, sizeof(line), "?");
	copy_line(line, comm_, 32);
}

bool fcp_lock_record_write(int fd, const char *vm, const char *note)
{
	char record[RECORD_BYTES + 1], comm[32], host[65] = "?", since[32],
						 clean[FCP_LOCK_NOTE_BYTES];
	char pids[96];
	int used;

	gethostname(host, sizeof(host) - 1);
	host[sizeof(host) - 1] = '\0';
	comm_of(getpid(), comm);
	now_text(since);
	pids_of(pids);
	copy_line(note, clean, sizeof(clean));
	used = snprintf(record, sizeof(record),
			"pid %d\npids %s\ncomm %s\nhost %s\nsince %s\nvm %s\nnote %s\n", getpid(),
			pids, comm, host, since, vm, clean);
	memset(record + used, '\n', sizeof(record) - (size_t)used);
	return pwrite(fd, record, RECORD_BYTES, 0) == RECORD_BYTES;
}

void fcp_lock_record_flock(int fd, char holder_[192])
{
	FCP_CLEANUP(file) FILE *locks = fopen("/proc/locks", "re");
	char line[256], wanted[64], comm[32];
	struct stat file;
	int pid;

	holder_[0] = '\0';
	if (!locks || fstat(fd, &file) != 0)
		return;
	snprintf(wanted, sizeof(wanted), " %02x:%02x:%lu ", major(file.st_dev), minor(file.st_dev),
		 (unsigned long)file.st_ino);
	while (fgets(line, sizeof(line), locks))
		if (strstr(line, wanted) && sscanf(line, "%*s FLOCK %*s %*s %d", &pid) == 1 &&
		    pid > 0) {
			comm_of(pid, comm);
			snprintf(holder_, 192, "process %d (%s)", pid, comm);
			return;
		}
}
