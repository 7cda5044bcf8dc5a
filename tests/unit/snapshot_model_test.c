// SPDX-License-Identifier: Apache-2.0
/*
 * A model check of how a snapshot's files get their names (steps/snapshot/publish.h): the library's
 * own code runs on real directories, and its changes of names are recorded. Then the machine stops:
 * after each prefix of the changes, with each subset lost of those that were not yet synced (per
 * directory, in any order). What is left is laid out anew, recovery runs on it, and stops likewise.
 * In every case:
 *  - names that lead to two files lead to a whole pair, the old one or the new one, never a mix
 *  - after recovery one whole pair has its names (or none, where none was), and nothing else is
 *    there
 *  - the old pair is there in one piece until the new one is
 */
#include "steps/snapshot/publish.h"

#include "tap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NAMES_MAX 16
#define CHANGES_MAX 64
#define TEXT_BYTES 48

/* ---- the names in both directories, and what the files hold, by which they are told apart ---- */

struct entry {
	int dir;
	char name[TEXT_BYTES], content[TEXT_BYTES];
};
struct state {
	struct entry entries[NAMES_MAX];
	int count;
};

/*
 * A change of one directory: a name that is added, one that goes, or both at once. Or a sync of it.
 */
struct change {
	int dir;
	bool sync;
	char add[TEXT_BYTES], del[TEXT_BYTES], content[TEXT_BYTES];
};

static struct {
	struct change changes[CHANGES_MAX];
	int count;
	bool on;
	int fail_at; /* the change that fails with EIO; -1: none */
	bool no_links, no_flags;
	bool one_directory;
} record;

static char work[64];
static const char *const directories[] = {"m", "s"};
static unsigned long cases, doubts;
static bool failed;
static const struct state *crashed; /* what the recovery under way has found */

static void path_of(int dir, const char *name, char path_[256])
{
	snprintf(path_, 256, "%s/%s/%s", work, directories[record.one_directory ? 0 : dir], name);
}

static int dir_of(int fd)
{
	struct stat opened, named;
	char path[256];

	for (int dir = 0; dir < 2; dir++) {
		path_of(dir, ".", path);
		if (fstat(fd, &opened) == 0 && stat(path, &named) == 0 &&
		    opened.st_ino == named.st_ino)
			return dir;
	}
	return -1;
}

static void content_of(int directory, const char *name, char content_[TEXT_BYTES])
{
	int fd = (int)syscall(SYS_openat, directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);
	ssize_t got = fd < 0 ? 0 : read(fd, content_, TEXT_BYTES - 1);

	content_[got > 0 ? got : 0] = '\0';
	if (fd >= 0)
		close(fd);
}

/* ---- the calls that the library makes ---- */

static bool fails(int directory)
{
	if (!record.on || dir_of(directory) < 0 || record.fail_at < 0 ||
	    record.count != record.fail_at)
		return false;
	record.fail_at = -1;
	errno = EIO;
	return true;
}

static void note(int directory, const char *add, const char *del, const char *content)
{
	struct change *change = &record.changes[record.count];
	int dir = dir_of(directory);

	if (!record.on || dir < 0)
		return;
	*change = (struct change){.dir = dir, .sync = !add && !del};
	snprintf(change->add, TEXT_BYTES, "%s", add ? add : "");
	snprintf(change->del, TEXT_BYTES, "%s", del ? del : "");
	snprintf(change->content, TEXT_BYTES, "%s", content ? content : "");
	if (++record.count == CHANGES_MAX)
		abort();
}

static int do_rename(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	char content[TEXT_BYTES];

	if (fails(from_dir))
		return -1;
	content_of(from_dir, from, content);
	if (syscall(SYS_renameat2, from_dir, from, to_dir, to, flags) != 0)
		return -1;
	note(from_dir, to, from, content);
	return 0;
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	if (record.no_flags && flags) {
		errno = EINVAL;
		return -1;
	}
	return do_rename(from_dir, from, to_dir, to, flags);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	return do_rename(from_dir, from, to_dir, to, 0);
}

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
	char content[TEXT_BYTES];

	if (record.no_links) {
		errno = EPERM;
		return -1;
	}
	if (fails(from_dir))
		return -1;
	content_of(from_dir, from, content);
	if (syscall(SYS_linkat, from_dir, from, to_dir, to, flags) != 0)
		return -1;
	note(from_dir, to, NULL, content);
	return 0;
}

int unlinkat(int directory, const char *name, int flags)
{
	/* What cannot be removed after all is done is no failure of the publishing. */
	if (syscall(SYS_unlinkat, directory, name, flags) != 0)
		return -1;
	note(directory, NULL, name, NULL);
	return 0;
}

static int do_open(int directory, const char *name, int flags, mode_t mode)
{
	int fd = flags & O_CREAT && fails(directory)
			 ? -1
			 : (int)syscall(SYS_openat, directory, name, flags, mode);

	if (fd >= 0 && flags & O_CREAT)
		note(directory, name, NULL, "");
	return fd;
}

int openat64(int directory, const char *name, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
	va_end(args);
	return do_open(directory, name, flags, mode);
}

int fsync(int fd)
{
	struct stat status;
	char content[TEXT_BYTES];
	ssize_t got;

	if (fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) {
		if (fails(fd))
			return -1;
		note(fd, NULL, NULL, NULL);
		return 0;
	}
	/* A mark's text is there before its name is durable. */
	got = pread(fd, content, TEXT_BYTES - 1, 0);
	for (int i = 0; i < record.count && got <= 0; i++)
		if (strstr(record.changes[i].add, "-old") && !record.changes[i].content[0] &&
		    !record.changes[i].del[0])
			snprintf(record.changes[i].content, TEXT_BYTES,
				 "fcpause: nothing was here before\n");
	return 0;
}

/* ---- real directories from a state, and back ---- */

static void empty_directory(int dir)
{
	char path[256];
	struct dirent *entry;
	DIR *stream;

	path_of(dir, ".", path);
	stream = opendir(path);
	while (stream && (entry = readdir(stream)) != NULL)
		if (entry->d_name[0] != '.')
			syscall(SYS_unlinkat, dirfd(stream), entry->d_name, 0);
	if (stream)
		closedir(stream);
}

static void lay_out(const struct state *state)
{
	char path[256], first[256];

	empty_directory(0);
	empty_directory(1);
	for (int i = 0; i < state->count; i++) {
		const struct entry *entry = &state->entries[i];
		int same = 0, fd;

		path_of(entry->dir, entry->name, path);
		while (strcmp(state->entries[same].content, entry->content) != 0)
			same++;
		path_of(state->entries[same].dir, state->entries[same].name, first);
		if (same < i && entry->content[0] &&
		    syscall(SYS_linkat, AT_FDCWD, first, AT_FDCWD, path, 0) == 0)
			continue;
		fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL, 0600);
		if (write(fd, entry->content, strlen(entry->content)) < 0 || close(fd) != 0)
			abort();
	}
}

static void look(struct state *state_)
{
	state_->count = 0;
	for (int dir = 0; dir < (record.one_directory ? 1 : 2); dir++) {
		char path[256];
		struct dirent *entry;
		DIR *stream;

		path_of(dir, ".", path);
		stream = opendir(path);
		while (stream && (entry = readdir(stream)) != NULL) {
			struct entry *found = &state_->entries[state_->count];

			if (entry->d_name[0] == '.')
				continue;
			found->dir = dir;
			snprintf(found->name, TEXT_BYTES, "%.40s", entry->d_name);
			content_of(dirfd(stream), entry->d_name, found->content);
			state_->count++;
		}
		if (stream)
			closedir(stream);
	}
}

static const char *get(const struct state *state, const char *name)
{
	for (int i = 0; i < state->count; i++)
		if (strcmp(state->entries[i].name, name) == 0)
			return state->entries[i].content;
	return NULL;
}

static void apply(struct state *state, const struct change *change)
{
	int at;

	for (int pass = 0; pass < 2; pass++) {
		const char *name = pass == 0 ? change->del : change->add;

		for (at = 0; at < state->count; at++)
			if (*name && state->entries[at].dir == change->dir &&
			    strcmp(state->entries[at].name, name) == 0)
				break;
		if (at < state->count)
			state->entries[at] = state->entries[--state->count];
	}
	if (!change->add[0])
		return;
	state->entries[state->count].dir = change->dir;
	snprintf(state->entries[state->count].name, TEXT_BYTES, "%s", change->add);
	snprintf(state->entries[state->count++].content, TEXT_BYTES, "%s", change->content);
}

/* ---- what must hold ---- */

static void show(const char *what, const struct state *state)
{
	printf("# %s:\n", what);
	for (int i = 0; state && i < state->count; i++)
		printf("#   %s: %s\n", state->entries[i].name, state->entries[i].content);
}

static void complain(const char *what, const struct state *state)
{
	if (failed)
		return;
	failed = true;
	show(what, state);
	show("after the crash there were", crashed);
}

static bool is_pair(const struct state *state, const char *snapshot, const char *memory)
{
	const char *has_snapshot = get(state, "snap"), *has_memory = get(state, "mem");

	return has_snapshot && has_memory && strcmp(has_snapshot, snapshot) == 0 &&
	       strcmp(has_memory, memory) == 0;
}

/* What a VM would load. */
static void check_no_mix(const struct state *state)
{
	if (get(state, "snap") && get(state, "mem") && get(state, "snap")[0] &&
	    !is_pair(state, "old-snap", "old-mem") && !is_pair(state, "new-snap", "new-mem"))
		complain("a mix", state);
}

static void check_recovered(const struct state *state, bool had_old)
{
	if (state->count == 2 &&
	    (is_pair(state, "old-snap", "old-mem") || is_pair(state, "new-snap", "new-mem")))
		return;
	if (state->count != 0 || had_old)
		complain("recovered, but no whole pair alone", state);
}

/* ---- a run, a crash, the next run ---- */

static void open_files(struct fcp_snapshot_files *files, bool force)
{
	char snapshot[256], memory[256];
	const struct fcp_lock_wait at_once = {.cancel_fd = -1};
	struct fcp_snapshot_settings settings = {.size = sizeof(settings),
						 .snapshot_path = snapshot,
						 .mem_file_path = memory,
						 .force = force,
						 .cancel_fd = -1};
	struct fcp_error err;

	path_of(1, "snap", snapshot);
	path_of(0, "mem", memory);
	*files = (struct fcp_snapshot_files)FCP_SNAPSHOT_FILES_NONE;
	if (fcp_snapshot_files_find(&settings, 0, files, &err) != 0 ||
	    fcp_snapshot_files_lock(files, &at_once, &err) != 0) {
		printf("# %s\n", err.message);
		abort();
	}
}

static void crash_everywhere(const struct state *before, const struct change *changes, int count,
			     bool had_old, int depth);

static void recover(const struct state *left, bool had_old, int depth)
{
	struct change changes[CHANGES_MAX];
	struct fcp_snapshot_files files;
	struct state after;
	struct fcp_error err;
	int count, done;

	crashed = left;
	check_no_mix(left);
	lay_out(left);
	record.count = 0;
	record.on = true;
	open_files(&files, true);
	done = fcp_snapshot_recover(&files, &err);
	fcp_snapshot_files_begin(&files, 0, &err);
	fcp_snapshot_files_clear(&files);
	record.on = false;
	look(&after);
	cases++;
	if (done == 0)
		check_recovered(&after, had_old);
	else
		doubts++;
	count = record.count;
	memcpy(changes, record.changes, sizeof(changes));
	if (depth > 0)
		crash_everywhere(left, changes, count, had_old, depth - 1);
}

/* Is the change on the disk for sure after the first `upto`? */
static bool is_synced(const struct change *changes, int at, int upto)
{
	for (int i = at + 1; i < upto; i++)
		if (changes[i].sync && (record.one_directory || changes[i].dir == changes[at].dir))
			return true;
	return false;
}

static void crash_at(const struct state *before, const struct change *changes, int upto,
		     bool had_old, int depth)
{
	int loose[CHANGES_MAX], loose_count = 0;

	for (int i = 0; i < upto; i++)
		if (!changes[i].sync && !is_synced(changes, i, upto))
			loose[loose_count++] = i;
	for (unsigned lost = 0; lost < 1U << loose_count; lost++) {
		struct state state = *before;

		for (int i = 0, at = 0; i < upto; i++) {
			bool is_loose = at < loose_count && loose[at] == i;

			if (!changes[i].sync && !(is_loose && lost & 1U << at))
				apply(&state, &changes[i]);
			at += is_loose;
		}
		recover(&state, had_old, depth);
	}
}

static void crash_everywhere(const struct state *before, const struct change *changes, int count,
			     bool had_old, int depth)
{
	for (int upto = 0; upto <= count && !failed; upto++)
		crash_at(before, changes, upto, had_old, depth);
}

static void fill(int fd, const char *text)
{
	if (pwrite(fd, text, strlen(text), 0) != (ssize_t)strlen(text))
		abort();
}

/* One publishing, in which the change number fail_at fails; false when there is no such. */
static bool publish(bool had_old, int fail_at, int depth)
{
	const struct state old = {{{1, "snap", "old-snap"}, {0, "mem", "old-mem"}},
				  had_old ? 2 : 0};
	struct change changes[CHANGES_MAX];
	struct fcp_snapshot_files files;
	struct state before, after;
	struct fcp_error err;
	bool struck;
	int published;

	lay_out(&old);
	open_files(&files, had_old);
	if (fcp_snapshot_recover(&files, &err) != 0 ||
	    fcp_snapshot_files_begin(&files, 0, &err) != 0)
		abort();
	fill(files.memory.fd, "new-mem");
	fill(files.snapshot.fd, "new-snap");
	look(&before);
	record.count = 0;
	record.fail_at = fail_at;
	record.on = true;
	published = fcp_snapshot_publish(&files, &err);
	fcp_snapshot_files_clear(&files);
	record.on = false;
	struck = fail_at >= 0 && record.fail_at < 0;
	record.fail_at = -1;
	look(&after);
	if (published == 0 ? !is_pair(&after, "new-snap", "new-mem") || after.count != 2
	    : had_old	   ? !is_pair(&after, "old-snap", "old-mem") || after.count != 2
			   : after.count != 0)
		complain("after the publishing", &after);
	memcpy(changes, record.changes, sizeof(changes));
	crash_everywhere(&before, changes, record.count, had_old, depth);
	return struck;
}

static void check_all(const char *what, bool no_links, bool no_flags)
{
	for (int variant = 0; variant < 4; variant++) {
		bool had_old = variant & 1;

		record.one_directory = variant & 2;
		record.no_links = no_links;
		record.no_flags = no_flags;
		cases = doubts = 0;
		failed = false;
		publish(had_old, -1, 1);
		for (int fail_at = 0; publish(had_old, fail_at, 0); fail_at++)
			;
		ok(!failed, "%s, %s, %s: one whole pair in each of %lu cases", what,
		   had_old ? "an old pair" : "new", record.one_directory ? "one directory" : "two",
		   cases);
		is_u64(doubts, 0, "... and none in doubt");
	}
}

int main(void)
{
	char path[256];

	record.fail_at = -1;
	snprintf(work, sizeof(work), "%s/fcpause-model.XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(work))
		return 1;
	for (int dir = 0; dir < 2; dir++) {
		path_of(dir, "", path);
		mkdir(path, 0700);
	}
	check_all("with hard links", false, false);
	check_all("without hard links", true, false);
	check_all("without hard links and flags of rename", true, true);
	record.one_directory = false;
	for (int dir = 0; dir < 2; dir++) {
		empty_directory(dir);
		path_of(dir, "", path);
		rmdir(path);
	}
	rmdir(work);
	return done();
}
