// SPDX-License-Identifier: Apache-2.0
/*
 * fcpause: make the snapshot of a Firecracker microVM small, and its pause short and safe.
 *
 * Calls
 *  - A step returns 0 when it did all that was asked, -1 with *err filled in when it failed, and
 *    otherwise the enum fcp_status it ended with, which is positive: partial, skipped, timeout,
 *    unsupported. result->outcome has the status and the reason in each case. On failure the result
 *    is filled in too, with what was done until then. Other functions return 0 or -1.
 *  - err is never NULL. The library never prints, exits, reads argv or the environment, or installs
 *    a signal handler.
 *  - Strings in settings are borrowed for the length of the call. Results own what they point to
 *    until their _clear function; a cleared or initialised result may be cleared again.
 *  - Units are part of the names: _bytes, _ms, _pages. Ranges are half-open, in bytes.
 *  - cancel_fd: a file descriptor (a signalfd, an eventfd, a pipe's end) or -1. When it becomes
 *    readable the call stops what it does, restores the VM (hinting stopped, resumed) and fails
 *    with FCP_ERR_INTERRUPTED. It is only polled, never read.
 *
 * Versions
 *  - Settings and results begin with their size. Initialise each with its FCP_..._INIT, which sets
 *    the size and the defaults. The library takes from shorter settings what they have, and
 *    defaults for the rest; it refuses longer ones (FCP_ERR_USAGE) where a member it does not know,
 *    or one that is reserved, is not zero. Of a result it writes what fits. So a program runs with
 *    any later library of the same soname.
 *  - These structs grow at their end. Structs without a size never change; but those that only the
 *    library makes and hands out by pointer may grow at their end: the items of lists, and what
 *    callbacks get. Enums grow: expect values that are not named here. No number is ever given
 *    another meaning, and no array here has the length of an enum or of a list.
 *  - A list of a result is an array of pointers and their number: result.checks[i]->found. The
 *    items belong to the result. Each says by a name or an enum's value what it is about, or the
 *    result says that they are in the order of a list of the settings. Lists of what never changes,
 *    such as ranges, are plain arrays, and so are the settings' lists: settings.steps[i].cap_ms.
 *
 * Threads: each function may be called by any thread at any time, and by several at once; what they
 * work on must be different (locks see to it: FCP_ERR_LOCKED). A result, a list of ranges and an
 * err are used by one thread at a time. A call may start threads of its own, which block all
 * signals and have ended when it returns. Nothing is kept between calls but the loaded libcurl and
 * a table of constants.
 *
 * Fork: before a VM is paused, a hinting run is started or a guest is frozen, a guard process is
 * created with clone(2). It restores the VM if this process dies, has no SIGCHLD, is not seen by
 * wait(2), and has ended when the call returns. Handlers of pthread_atfork(3) are not run for it. A
 * child that the program forks while a call runs must not call the library, and keeps its locks
 * until it calls execve(2) or ends; all descriptors are close-on-exec.
 *
 * Signals: no handler or mask is changed for the caller's threads. A lease on a memory file that
 * another process wants to open raises SIGURG, which is ignored by default. SIGPIPE is never
 * raised. A signal handler must not call the library: make cancel_fd readable there.
 *
 * libcurl is loaded with dlopen(3) at the first connection, kept, and initialised once with
 * curl_global_init(CURL_GLOBAL_NOTHING); curl_global_cleanup() is never called. A program that uses
 * libcurl older than 7.84 itself initialises it before it starts threads. jansson is linked, and
 * none of its global settings are changed.
 */
#ifndef FCPAUSE_H
#define FCPAUSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FCP_VERSION "0.1.0"
#define FCP_API __attribute__((visibility("default")))

/* ---- version: the library's version --------------------------------------------------------- */

/* The library's version, "MAJOR.MINOR.PATCH"; static storage. */
FCP_API const char *fcp_version(void);

/* ---- error: why a call failed --------------------------------------------------------------- */

enum fcp_error_class {
	FCP_ERR_NONE,
	FCP_ERR_USAGE,	      /* a setting that makes no sense; nothing was done */
	FCP_ERR_INPUT,	      /* malformed input: a ranges file, a flags file */
	FCP_ERR_UNSUPPORTED,  /* not possible here: no balloon, no hinting, no hole punching */
	FCP_ERR_STATE,	      /* the VM is in a state in which this cannot be done */
	FCP_ERR_BUSY,	      /* another program uses the file */
	FCP_ERR_CONNECT,      /* nobody answers at the socket or the address */
	FCP_ERR_TIMEOUT,      /* the deadline came first */
	FCP_ERR_PROTOCOL,     /* an answer that breaks the protocol, or ends too early */
	FCP_ERR_SERVER,	      /* the server answered with an error of its own; http_status is set */
	FCP_ERR_IO,	      /* a system call failed; errnum is set */
	FCP_ERR_MEMORY,	      /* out of memory */
	FCP_ERR_INTERRUPTED,  /* cancel_fd became readable; the VM was put back */
	FCP_ERR_NOT_RESTORED, /* the VM could not be put back into the state that was asked for */
	FCP_ERR_LOCKED,	      /* another fcpause works on the VM or on the target */
};

/* Lives on the caller's stack; holds no memory of its own. */
struct fcp_error {
	enum fcp_error_class error_class;
	int errnum;	 /* errno, 0 where there is none */
	int http_status; /* status of the server's answer, 0 where there is none */
	char message[1024];
};

/* "unsupported", "timeout", ...: the "class" of JSON output. Static storage. */
FCP_API const char *fcp_error_class_name(enum fcp_error_class error_class);

/* ---- outcome: how a step ended -------------------------------------------------------------- */

enum fcp_status {
	FCP_STATUS_OK,
	FCP_STATUS_PARTIAL,
	FCP_STATUS_SKIPPED,
	FCP_STATUS_TIMEOUT,
	FCP_STATUS_UNSUPPORTED,
	FCP_STATUS_FAILED,
};

/* "ok", "partial", ...; static storage. */
FCP_API const char *fcp_status_name(enum fcp_status status);

/* How a step ended: every status but ok carries a reason. */
struct fcp_outcome {
	enum fcp_status status;
	double ms; /* time taken, measured on the host */
	char reason[1024];
};

/* ---- observer: what happens during a call --------------------------------------------------- */

/*
 * What a step is at. Phases nest: "step" is a whole step, from its begin to its outcome; within
 * "hold" the VM is paused because of us, or a hinting run of ours is open. balloon-drain: hold, and
 * in it stop. snapshot: hold, and in it create (by Firecracker) or write (by the library), resume;
 * publish. Any step: lock, before or within it, while another run is waited for; of a whole pause
 * its step is "pause".
 */
struct fcp_phase {
	const char *step;		   /* "snapshot", ...; static storage */
	const char *name;		   /* "create", ...; static storage */
	bool ended;			   /* false: it begins */
	const struct fcp_outcome *outcome; /* at the end of a whole step, else NULL */
};

/* How far a phase is that lasts: write, of snapshot and of merge; create, by what the memory file
 * occupies. */
struct fcp_progress {
	const char *step; /* "merge", ...; static storage */
	uint64_t done_bytes;
	uint64_t total_bytes; /* 0: not known */
};

/*
 * A request to Firecracker, envd or a flag service, and what came of it. Headers, and with them
 * envd's token, are never part of it.
 */
struct fcp_exchange {
	const char *server; /* "firecracker", "envd", "flags"; static storage */
	const char *method;
	const char *path;
	/* the JSON that was sent; NULL: none, or envd's, which may hold secrets */
	const char *body;
	int status;		     /* of HTTP; 0: no answer */
	const struct fcp_error *err; /* why there is no answer; else NULL */
	double ms;
	uint64_t sent_bytes; /* of the bodies */
	uint64_t received_bytes;
};

/* Who answers at the API socket: Firecracker's own `id` and `vmm_version`, filtered. */
struct fcp_vm_identity {
	const char *id;
	const char *vmm_version;
};

/* The numbers are those of syslog(3). */
enum fcp_log_level {
	FCP_LOG_WARNING = 4, /* what the result's warning says, as the step ends */
	FCP_LOG_DEBUG = 7,   /* what was decided or found, and why; only for people */
};

struct fcp_log_line {
	enum fcp_log_level level;
	const char *step; /* "snapshot", ...; static storage */
	const char *text; /* a line of printable UTF-8 */
};

/*
 * Called by the calling thread; on_progress and on_exchange also by threads that the call has
 * started, each of the two by one thread at a time. None of them may call the library. What they
 * get is borrowed for the length of the callback. NULL: not wanted. There is one for each call, and
 * none for the process: two users of the library in one program do not see each other's lines.
 */
struct fcp_observer {
	size_t size; /* of this struct, as the caller knows it */
	void *arg;
	void (*on_phase)(const struct fcp_phase *phase, void *arg);
	/* for every MiB at least */
	void (*on_progress)(const struct fcp_progress *progress, void *arg);
	void (*on_exchange)(const struct fcp_exchange *exchange, void *arg);
	/* each time that it was asked */
	void (*on_vm)(const struct fcp_vm_identity *vm, void *arg);
	void (*on_log)(const struct fcp_log_line *line, void *arg);
	/* What requests to envd carry as traceparent (W3C Trace Context); NULL or "": nothing.
	 * Asked before each of them, by the thread that sends it. */
	const char *(*traceparent)(void *arg);
};

/* ---- ranges: lists of ranges, of bytes, and as text ----------------------------------------- */

/* Bytes start <= x < end. */
struct fcp_range {
	uint64_t start;
	uint64_t end;
};

/* A growing list of ranges; zero-initialise it. Owned: free with fcp_ranges_clear(). */
struct fcp_ranges {
	struct fcp_range *items;
	size_t count;
	size_t capacity;
};

/* Appends [start, end); merges with the last range when they touch. An empty range is dropped.
 * Fails with FCP_ERR_MEMORY only. */
FCP_API int fcp_ranges_add(struct fcp_ranges *ranges, uint64_t start, uint64_t end,
			   struct fcp_error *err);

/* Sum of the lengths, in bytes. */
FCP_API uint64_t fcp_ranges_bytes(const struct fcp_ranges *ranges);

/* Frees the list and zeroes it. NULL-safe. */
FCP_API void fcp_ranges_clear(struct fcp_ranges *ranges);

/* Which file, and as of when: stat(2)'s st_dev, st_ino, st_size, st_mtim. */
struct fcp_file_identity {
	uint64_t device;
	uint64_t inode; /* 0: not known */
	uint64_t size_bytes;
	int64_t mtime_s;
	uint32_t mtime_ns;
};

/* Ranges as text, and what is known of the file that they are meant for. */
struct fcp_ranges_text {
	size_t size;	  /* of this struct, as the caller knows it */
	const char *name; /* for messages: "ranges.txt", "stdin" */
	/* What a line `# file ...` says; inode 0 without; or NULL. */
	struct fcp_file_identity *made_of_;
	uint64_t limit_bytes; /* a range that ends behind it is an error; UINT64_MAX: no limit */
	int fd;		      /* read until its end; borrowed */
	int cancel_fd;	      /* or -1 */
};

/*
 * Reads a line `START LENGTH` each, in bytes, decimal or 0x, behind which may stand what was found
 * there (free or zero; base and changed are errors: such pages must not be released). Empty lines
 * and lines that begin with # are passed over, but for `# file DEVICE:INODE SIZE
 * SECONDS.NANOSECONDS`, which says what file the ranges were made of (SIZE is the limit then): hand
 * it on to fcp_madvise_ranges(). *ranges_ (zero-initialised by the caller) is sorted afterwards.
 * FCP_ERR_INPUT names the line: not two numbers, a length of 0, a wrap past 2^64, no multiple of
 * 4096, past the limit, an overlap with another line, more than 255 characters, two different
 * files, what must not be released. FCP_ERR_INTERRUPTED when cancel_fd becomes readable first.
 * Changes nothing on failure.
 */
FCP_API int fcp_ranges_read(const struct fcp_ranges_text *text, struct fcp_ranges *ranges_,
			    struct fcp_error *err);

/* ---- reclaim: ask the guest, through envd, to free what it does not need -------------------- */

enum fcp_reclaim_kind {
	FCP_RECLAIM_SYNC,
	FCP_RECLAIM_DROP_CACHES,
	FCP_RECLAIM_COMPACT_MEMORY,
	FCP_RECLAIM_FSTRIM,
};

/* "sync", "drop_caches", "compact_memory", "fstrim"; static storage. */
FCP_API const char *fcp_reclaim_kind_name(enum fcp_reclaim_kind kind);

/* false when name is none of them. */
FCP_API bool fcp_reclaim_kind_find(const char *name, enum fcp_reclaim_kind *kind_);

/*
 * The cap of a step when nobody names one: 500 ms for sync and fstrim, 200 for drop_caches, 1000
 * for compact_memory.
 */
FCP_API uint32_t fcp_reclaim_default_cap_ms(enum fcp_reclaim_kind kind);

/* A step, and after how many ms it is killed. */
struct fcp_reclaim_step {
	enum fcp_reclaim_kind kind;
	uint32_t cap_ms; /* 0: the step is off */
};

struct fcp_reclaim_settings {
	size_t size;	  /* of this struct, as the caller knows it */
	const char *envd; /* "http://IP:49983"; one with a user or password is FCP_ERR_USAGE */
	/*
	 * Its first line is sent as X-Access-Token. It must be ours or root's, and for its owner
	 * only (FCP_ERR_INPUT); a pipe may be anybody's. NULL: none.
	 */
	const char *envd_token_file;
	const struct fcp_reclaim_step *steps; /* in this order, each kind once; borrowed */
	size_t step_count;
	bool unsupported_is_ok; /* a step that the guest cannot do is noted; the others decide */
	uint32_t timeout_ms;	/* for all together; 0: the sum of the caps + 500 */
	int cancel_fd;
	const struct fcp_observer *observer; /* borrowed; NULL: none */
};

/* What became of a step. */
struct fcp_reclaim_step_result {
	enum fcp_reclaim_kind kind;
	struct fcp_outcome outcome;
	uint32_t cap_ms; /* that was used: whole seconds where the guest's timeout(1) wants them */
	int exit_code;	 /* of the guest's command; -1 where there is none */
};

struct fcp_reclaim_result {
	size_t size; /* of this struct, as the caller knows it */
	struct fcp_outcome outcome;
	/* those that are on, in the settings' order; owned */
	struct fcp_reclaim_step_result **steps;
	size_t step_count;
	char note[384]; /* where the outcome is ok: steps that the guest cannot do; or "" */
};

/*
 * Runs the steps as root in the guest by one envd process (POST /process.Process/Start), each under
 * `timeout -s KILL`. Status: ok (see unsupported_is_ok), partial (some steps fell short), timeout
 * (the deadline for all came first: the steps after it are skipped), unsupported (the guest can do
 * none), skipped (none is on). The guest's output is bounded and taken as data only. The VM's state
 * is not changed; it is safe to run again. FCP_ERR_CONNECT; FCP_ERR_PROTOCOL: a stream that ends
 * without an `end` event and a clean end-of-stream; FCP_ERR_SERVER: envd's own error. Source:
 * envd's process.proto, Connect.
 */
FCP_API int fcp_reclaim(const struct fcp_reclaim_settings *settings,
			struct fcp_reclaim_result *result, struct fcp_error *err);

/* NULL-safe. */
FCP_API void fcp_reclaim_result_clear(struct fcp_reclaim_result *result);

/* ---- exec: a command in the guest, through envd --------------------------------------------- */

enum fcp_guest_stream {
	FCP_GUEST_STDOUT,
	FCP_GUEST_STDERR,
};

#define FCP_EXEC_TIMEOUT_MS 60000

struct fcp_exec_settings {
	size_t size;	  /* of this struct, as the caller knows it */
	const char *envd; /* "http://IP:49983"; one with a user or password is FCP_ERR_USAGE */
	/*
	 * Its first line is sent as X-Access-Token. It must be ours or root's, and for its owner
	 * only (FCP_ERR_INPUT); a pipe may be anybody's. NULL: none.
	 */
	const char *envd_token_file;
	const char *user;	 /* of the guest; NULL: "root" */
	const char *const *argv; /* NULL at the end; run as it is, by no shell */
	uint32_t timeout_ms;	 /* until the command has ended; 0: FCP_EXEC_TIMEOUT_MS */
	/*
	 * What the command writes, as it comes: any bytes. -1 with *err filled in ends the run.
	 * NULL: not wanted.
	 */
	int (*on_output)(enum fcp_guest_stream stream, const char *data, size_t length, void *arg,
			 struct fcp_error *err);
	void *arg;
	int cancel_fd;
	const struct fcp_observer *observer; /* borrowed; NULL: none */
	/* The command's standard input is what is read from input_fd (borrowed), to its end. false:
	 * nothing (/dev/null). */
	bool pass_input;
	int input_fd;
};

struct fcp_exec_result {
	size_t size; /* of this struct, as the caller knows it */
	struct fcp_outcome outcome;
	int exit_code;	   /* -1 where there is none: ended by a signal, not ended, not begun */
	int signal;	   /* that ended it, as the guest numbers it; 0: none, or envd named none */
	bool left_running; /* given up, and not known to have been killed */
};

/*
 * Runs a command in the guest (POST /process.Process/Start) and waits for its end. Status: ok (exit
 * code 0), failed (another exit code, or a signal: no error, as the command was run), timeout.
 * Input is read in a thread of its own, as far as the command takes it (POST
 * /process.Process/SendInput and CloseStdin); FCP_ERR_UNSUPPORTED: envd has no CloseStdin;
 * FCP_ERR_IO: input_fd cannot be read; the command is killed then. envd does not end a command
 * whose client goes away: at the deadline, on cancellation and after an error SIGKILL is sent to it
 * (POST /process.Process/SendSignal), which its children do not get. What the command does is the
 * caller's: it is sent once. FCP_ERR_CONNECT, FCP_ERR_PROTOCOL and FCP_ERR_SERVER as for
 * fcp_reclaim(). Source: envd's process.proto.
 */
FCP_API int fcp_exec(const struct fcp_exec_settings *settings, struct fcp_exec_result *result,
		     struct fcp_error *err);

/* ---- balloon-install: the balloon that a later drain needs ---------------------------------- */

/* Firecracker's own fields (PUT /balloon, 1.14 and later). */
struct fcp_balloon {
	uint64_t amount_mib;
	bool deflate_on_oom;
	bool free_page_hinting;
	bool free_page_reporting;
};

struct fcp_balloon_install_settings {
	size_t size; /* of this struct, as the caller knows it */
	const char *api_sock;
	struct fcp_balloon balloon; /* hinting must be on when reporting is (FCP_ERR_USAGE) */
	uint32_t timeout_ms;	    /* for each request; 0: 2000 */
	uint32_t wait_lock_ms;	    /* how long another fcpause on the VM is waited for */
	int cancel_fd;
	const struct fcp_observer *observer; /* borrowed; NULL: none */
};

struct fcp_balloon_install_result {
	size_t size; /* of this struct, as the caller knows it */
	struct fcp_outcome outcome;
	struct fcp_balloon balloon; /* as it is now */
	bool installed;		    /* false: it was there already, with equal settings */
	char warning[256];	    /* "", or what the run could not make sure of */
};

/*
 * Before boot: GET /balloon, then PUT /balloon when there is none. Safe to run again. Status: ok,
 * unsupported (the VM runs without a balloon). A balloon with other settings is FCP_ERR_STATE, and
 * the message names the differences.
 */
FCP_API int fcp_balloon_install(const struct fcp_balloon_install_settings *settings,
				struct fcp_balloon_install_result *result, struct fcp_error *err);

/* ---- balloon-drain: one free-page-hinting run ----------------------------------------------- */

#define FCP_FPH_TIMEOUT_MS 1500

struct fcp_balloon_drain_settings {
	size_t size; /* of this struct, as the caller knows it */
	const char *api_sock;
	const char *metrics_path; /* where Firecracker writes its metrics; NULL: not known */
	const struct fcp_observer *observer; /* borrowed; NULL: none */
	uint32_t fph_timeout_ms; /* ceiling of the run, from before the start; 0: skipped */
	bool stop_only;	   /* no run: one that is open is stopped; fph_timeout_ms has no meaning */
	bool restored_too; /* also where guest memory is a snapshot's file; else skipped */
	uint32_t timeout_ms;   /* for each request; 0: 2000 */
	uint32_t wait_lock_ms; /* how long another fcpause on the VM is waited for */
	int cancel_fd;
	uint32_t reserved; /* 0 */
};

enum fcp_freed_source {
	FCP_FREED_UNKNOWN, /* freed_bytes means nothing */
	FCP_FREED_METRICS, /* Firecracker's free_page_hint_freed: what was discarded */
	FCP_FREED_RSS,	   /* how far the process's resident memory shrank */
};

struct fcp_balloon_drain_result {
	size_t size; /* of this struct, as the caller knows it */
	struct fcp_outcome outcome;
	bool started;	   /* our start was accepted */
	bool stopped;	   /* a stop of ours was accepted after it */
	int64_t host_cmd;  /* last seen, -1: never */
	int64_t guest_cmd; /* last seen, -1: null or never */
	uint32_t polls;
	enum fcp_freed_source freed_source;
	uint64_t freed_bytes;
	char warning[256]; /* "", or what the run could not make sure of */
};

/*
 * PATCH /balloon/hinting/start, then polls GET /balloon/hinting/status until host_cmd is 1 (done).
 * At the ceiling, on cancellation and on any error after the start the run is stopped (PATCH
 * .../stop): a guest in an open run goes on without the memory it handed out. Status: ok, timeout
 * (stopped at the ceiling), skipped (fph_timeout_ms 0; without restored_too a VM that was restored
 * from a memory file: a run lasts there for many seconds and gives nothing back), unsupported (no
 * balloon, hinting not armed, driver not up). FCP_ERR_STATE when the VM is not Running.
 * FCP_ERR_NOT_RESTORED when the run could not be stopped. Nothing is remembered: each run asks
 * anew. Safe to run again. With stop_only a run that was left open is stopped, in any state of the
 * VM: ok; skipped where none is open. Source: Firecracker 1.16, device balloon: ids 0 none, 1 done,
 * 2 and up runs.
 */
FCP_API int fcp_balloon_drain(const struct fcp_balloon_drain_settings *settings,
			      struct fcp_balloon_drain_result *result, struct fcp_error *err);

/* ---- memory file: what is recorded with it -------------------------------------------------- */

/* What a hole of a memory file means. */
enum fcp_holes {
	FCP_HOLES_UNSPECIFIED, /* not specified: as recorded with the file, else see the function */
	FCP_HOLES_ZERO,	       /* zeros: a whole memory file, sparse or not */
	FCP_HOLES_BASE,	       /* the base's bytes: a Diff layer. Its zero pages are not touched */
};

/* "zero", "base", or "unknown"; static storage. */
FCP_API const char *fcp_holes_name(enum fcp_holes holes);

#define FCP_ID_BYTES 37

/*
 * What is recorded with a memory file, in the extended attributes user.fcpause.holes, .id, .base.
 */
struct fcp_file_attributes {
	enum fcp_holes holes;
	char id[FCP_ID_BYTES];	 /* a random UUID of this memory; "" where none is recorded */
	char base[FCP_ID_BYTES]; /* of a layer: its base's id; "" where it is not known */
};

/* ---- guest report: the paused guest, as its memory shows it --------------------------------- */

enum fcp_gate_state {
	FCP_GATE_NOT_REACHED,
	FCP_GATE_PASSED,
	FCP_GATE_FAILED,
};

/* "not reached", "passed", "failed"; static storage. */
FCP_API const char *fcp_gate_state_name(enum fcp_gate_state state);

/* What must hold before a page of the guest is called free, and whether it did. */
struct fcp_gate {
	const char *name; /* "vmcoreinfo", "free-lists", ...; static storage */
	enum fcp_gate_state state;
	char reason[256]; /* of a failure */
};

/* What was read of the paused guest in its memory. Made by the library only. */
struct fcp_guest_report {
	char release[65]; /* its kernel's, "" when not known */
	size_t order_count;
	const uint64_t *blocks_per_order; /* free blocks of 2^order pages */
	size_t gate_count;
	struct fcp_gate **gates; /* in the order in which they were asked */
};

/* ---- free pages: what need not be copied of a paused guest's memory ------------------------- */

#define FCP_ALIGN_MAX (UINT64_C(1) << 30)

/*
 * Memory that the caller holds, in the layout of a Firecracker memory file: a descriptor, or
 * callbacks, which are called by the calling thread, and must not call the library.
 */
struct fcp_memory_source {
	size_t size; /* of this struct, as the caller knows it */
	void *arg;   /* of the callbacks */
	/* Reads the bytes at offset, all of them: 0, or an errno. NULL: fd is read. */
	int (*read)(uint64_t offset, void *buffer, size_t bytes, void *arg);
	/*
	 * *data_ = the first bytes at or after offset that are no hole, like SEEK_DATA and
	 * SEEK_HOLE; an empty range: none. 0, or an errno. NULL: there are no holes.
	 */
	int (*next_data)(uint64_t offset, struct fcp_range *data_, void *arg);
	uint64_t bytes;	   /* with read: of all of it */
	int fd;		   /* without: a regular file or a memfd, open for reading; borrowed */
	uint32_t reserved; /* 0 */
};

struct fcp_free_pages_settings {
	size_t size; /* of this struct, as the caller knows it */
	const struct fcp_memory_source *memory;
	const struct fcp_memory_source *base; /* what holes read as; NULL: not at hand */
	uint64_t align_bytes; /* a power of two from 4096 to FCP_ALIGN_MAX, to which ranges are cut
				 down: the caller's block size; 0: 4096 */
	uint64_t min_run_bytes;		     /* shorter ranges are left out; 0: none */
	const struct fcp_observer *observer; /* borrowed; NULL: none */
	enum fcp_holes holes;		     /* UNSPECIFIED: BASE with a base, else ZERO */
	int cancel_fd;
};

struct fcp_free_pages_result {
	size_t size; /* of this struct, as the caller knows it */
	struct fcp_outcome outcome;
	struct fcp_ranges ranges; /* offsets in memory: ascending, disjoint; owned */
	uint64_t range_bytes;	  /* of them all */
	uint64_t free_bytes; /* held free by the guest, before ranges were cut down or left out */
	struct fcp_guest_report *guest; /* owned; NULL: the memory could not be opened */
};

/*
 * Which pages the paused guest's own allocator holds free: their contents are dead, and need not be
 * copied, hashed or sent. Nothing is changed. The caller sees to it that nothing writes to the
 * memory during the call, and that a page left out reads as zeros, or with FCP_HOLES_BASE as the
 * base's bytes, when the guest goes on. Status: ok; unsupported when a gate refuses: the report
 * tells which and why, and no page may be left out. Takes about 1 ms and, for what the guest has in
 * use, 3 ms a GiB. FCP_ERR_USAGE; FCP_ERR_INPUT: no guest's memory by its size, a base of another
 * size; FCP_ERR_IO, FCP_ERR_MEMORY, FCP_ERR_INTERRUPTED. Safe to run again.
 */
FCP_API int fcp_free_pages(const struct fcp_free_pages_settings *settings,
			   struct fcp_free_pages_result *result, struct fcp_error *err);

/* NULL-safe. */
FCP_API void fcp_free_pages_result_clear(struct fcp_free_pages_result *result);

/* ---- snapshot: pause a VM, and write its files ---------------------------------------------- */

enum fcp_vm_state {
	FCP_VM_UNKNOWN,
	FCP_VM_NOT_STARTED,
	FCP_VM_RUNNING,
	FCP_VM_PAUSED,
};

/* "Not started", "Running", "Paused" as Firecracker says, or "unknown"; static storage. */
FCP_API const char *fcp_vm_state_name(enum fcp_vm_state state);

enum fcp_snapshot_type {
	FCP_SNAPSHOT_AUTO, /* Diff where it is complete and sparse, else Full */
	FCP_SNAPSHOT_FULL,
	FCP_SNAPSHOT_DIFF,
};

/* "auto", "Full", "Diff": Firecracker's spelling for those that it knows; static storage. */
FCP_API const char *fcp_snapshot_type_name(enum fcp_snapshot_type type);

/* Who writes the memory file. */
enum fcp_writer {
	FCP_WRITER_AUTO,    /* fcpause where all that it needs is there, else Firecracker */
	FCP_WRITER_FCPAUSE, /* fcpause, or it fails before the pause */
	FCP_WRITER_FIRECRACKER,
};

/* "auto", "fcpause", "firecracker"; static storage. */
FCP_API const char *fcp_writer_name(enum fcp_writer writer);

#define FCP_BUFFER_AUTO UINT64_MAX

/* How many files can be named to share storage with. */
#define FCP_SHARES_MAX 16

/* What became of one of them. */
struct fcp_share_report {
	bool frozen;	 /* false: no storage can be shared with it */
	bool index_read; /* its index was there; else it was built */
	uint64_t shared_bytes;
};

struct fcp_snapshot_settings {
	size_t size; /* of this struct, as the caller knows it */
	const char *api_sock;
	const char *snapshot_path; /* relative paths are the caller's, not Firecracker's */
	const char *mem_file_path;
	enum fcp_snapshot_type type;
	bool resume;		  /* resume after success too */
	bool force;		  /* replace targets that are there */
	const char *chroot_base;  /* Firecracker's root, where the jailer gave it one; or NULL */
	const char *metrics_path; /* where Firecracker writes its metrics; NULL: not known */
	enum fcp_writer writer;
	const char *base;      /* what the guest's memory began as; NULL: found where it can be */
	unsigned leave_out;    /* FCP_FIND_FREE, or 0: the fcpause writer writes free pages too */
	uint64_t buffer_bytes; /* with resume: pages are copied to memory first if they fit; 0: not,
				 * FCP_BUFFER_AUTO: a quarter of the memory that is available */
	bool verify;	       /* while the VM is held, compare what was written with its memory */
	bool layer;   /* only what differs from the base: needs the fcpause writer, and a base */
	bool confine; /* guest memory is read by a thread that can open nothing (seccomp) */
	/*
	 * Files of the same file system whose storage is shared where it has a page's bytes, the
	 * first ones first, and the base last; needs the fcpause writer, and reflinks: else pages
	 * are written.
	 */
	const char *const *shares;
	size_t share_count;	      /* FCP_SHARES_MAX at most */
	uint64_t share_min_run_bytes; /* shorter runs are written all the same; 0: none */
	uint32_t timeout_ms;	      /* for each short request; 0: 2000 */
	uint32_t snapshot_timeout_ms; /* for the creation; 0: 2 min + 1 s per 50 MiB of guest */
	const struct fcp_observer *observer; /* borrowed; NULL: none */
	uint32_t wait_lock_ms; /* how long another fcpause on the VM or the files is waited for */
	int cancel_fd;
};

/*
 * Firecracker's own figures since the flush before the pause, where its metrics file is known. Made
 * by the library only.
 */
struct fcp_metrics {
	uint64_t free_page_hint_count;
	uint64_t free_page_hint_freed; /* bytes */
	uint64_t free_page_hint_fails;
	uint64_t free_page_report_freed; /* bytes */
	/* Latencies, in microseconds, 0 where it did not happen. */
	uint64_t full_create_snapshot_us;
	uint64_t diff_create_snapshot_us;
	uint64_t pause_vm_us;
	uint64_t resume_vm_us;
};

/*
 * What the fcpause writer made of the guest's memory: each page is free, zero, the base's, shared
 * or written. Made by the library only.
 */
struct fcp_memory_report {
	uint64_t guest_bytes;	/* all regions */
	uint64_t changed_bytes; /* pages that the VM holds of its own, and that are not free */
	uint64_t free_bytes;	/* left out: the guest's allocator holds them free */
	uint64_t zero_bytes; /* left out: changed pages of zeros (not those that a layer holds) */
	uint64_t base_equal_bytes; /* left out: changed pages that hold the base's bytes */
	/* shared with one of the files that were named, or with another part of the base */
	uint64_t shared_bytes;
	uint64_t written_bytes;
	/*
	 * of a layer: pages that the VM gave back, written as zeros where the base has other bytes;
	 * not among changed_bytes
	 */
	uint64_t dropped_bytes;
	uint64_t cloned_bytes; /* data of the base that the file shares with it */
	uint64_t copied_bytes; /* data of the base that was copied, where it cannot be shared */
	bool buffered;	       /* the guest ran again before the file was written */
	bool verified;
	char base[4096];	    /* the base's path, "" without one */
	char base_id[FCP_ID_BYTES]; /* what is recorded with it; "" where nothing is */
	/* why free pages were not left out; "" where they were, or should not be */
	char free_reason[256];
	/*
	 * In the order of the settings' shares, and where it is none of them the base; 0 without
	 * any.
	 */
	size_t share_count;
	struct fcp_share_report **shares;
};

/* How long the guest stood still, and for what, in ms; 0 where the fcpause writer did not write. */
struct fcp_downtime {
	double pause;  /* the request */
	double state;  /* Firecracker saves its devices and vCPUs */
	double scan;   /* which pages are free, and which have changed */
	double copy;   /* reading and writing pages */
	double resume; /* Firecracker is let go, and the VM resumed */
};

struct fcp_snapshot_result {
	size_t size; /* of this struct, as the caller knows it */
	struct fcp_outcome outcome;
	enum fcp_snapshot_type type; /* what was asked of Firecracker: Full or Diff */
	char type_reason[128]; /* why it was chosen, or why what was asked for is a layer; or "" */
	bool layer;	       /* a Diff that needs, or may need, its base: see attributes */
	enum fcp_vm_state vm_state; /* at the end */
	enum fcp_writer writer;	    /* who wrote the memory file; AUTO: it has not come to that */
	char writer_reason[256];    /* why it was not fcpause; "" where it was, or was not wanted */
	struct fcp_memory_report *memory; /* owned; NULL where fcpause does not write it */
	/* of the free pages that were left out; owned; NULL: none */
	struct fcp_guest_report *guest;
	struct fcp_downtime downtime_ms;
	bool created;			       /* both files are there and whole */
	bool paused;			       /* it was Running, and we paused it */
	bool hinting_stopped;		       /* an open hinting run was found and stopped */
	double paused_ms;		       /* how long the guest stood still because of us */
	struct fcp_metrics *metrics;	       /* owned; NULL: not known */
	struct fcp_file_attributes attributes; /* of the memory file; id "": nothing was recorded */
	char mem_file
		[4096];	   /* the memory file as this process reaches it, beyond a jailer's root */
	char warning[512]; /* "", or what the run could not make sure of, and what lies about */
};

/*
 * Pauses the VM (an already paused one stays so), creates the snapshot under temporary names, makes
 * it durable and gives it its names; resumes the VM when that fails and we had paused it, or when
 * resume is set. An open hinting run is stopped first. Room for the memory file is checked before
 * the pause. FCP_ERR_INPUT: a target is there without force; FCP_ERR_BUSY: it is in use.
 * FCP_ERR_UNSUPPORTED before the pause: a layer of a VM without a base, or where fcpause cannot
 * write. FCP_ERR_NOT_RESTORED when the VM could not be resumed: the message holds the command for
 * it. Source: Firecracker 1.16, PUT /snapshot/create.
 */
FCP_API int fcp_snapshot(const struct fcp_snapshot_settings *settings,
			 struct fcp_snapshot_result *result, struct fcp_error *err);

/* NULL-safe. */
FCP_API void fcp_snapshot_result_clear(struct fcp_snapshot_result *result);

/* ---- madvise-ranges: release pages of a memory file, or of a paused VM ---------------------- */

/*
 * What a page can be. With several of them a page is of one: free before zero before base before
 * changed. BASE and CHANGED are found to be listed only (settings.keep), and need a base; beside
 * them ZERO is every page of zeros, holes as well.
 */
enum {
	FCP_FIND_ZERO = 1 << 0,	   /* whole pages of zeros that occupy storage */
	FCP_FIND_FREE = 1 << 1,	   /* pages that the paused guest's own allocator holds free */
	FCP_FIND_BASE = 1 << 2,	   /* pages with the bytes that the base has at the same offset */
	FCP_FIND_CHANGED = 1 << 3, /* all others */
};

/*
 * "zero", "free", "base", "changed" of one of FCP_FIND_...; NULL of anything else. Static storage.
 */
FCP_API const char *fcp_find_name(unsigned find);

/* Pages of one kind: bytes start <= x < end. */
struct fcp_found_range {
	uint64_t start;
	uint64_t end;
	unsigned found; /* one of FCP_FIND_...; 0: ranges that were given */
};

/* In ascending order, disjoint. Owned by the result that it is in. */
struct fcp_found_ranges {
	struct fcp_found_range *items;
	size_t count;
	size_t capacity;
};

/* Is one memory file the base that another is recorded to be a layer of? By the ids of both. */
enum fcp_lineage {
	FCP_LINEAGE_UNKNOWN, /* one of the two ids is not recorded */
	FCP_LINEAGE_FITS,
	FCP_LINEAGE_OTHER, /* it is recorded to lie on another */
};

/* The base that a memory was compared with. */
struct fcp_base_report {
	char path[4096];       /* "": it was compared with none */
	char id[FCP_ID_BYTES]; /* as recorded with it, or "" */
	enum fcp_lineage lineage;
};

struct fcp_madvise_ranges_settings {
	size_t size;		   /* of this struct, as the caller knows it */
	const char *mem_file_path; /* NULL with a pid */
	/*
	 * 0, or the Firecracker whose paused VM's memory is meant: it must be proven to hold it
	 * (the KVM VM is open, memory of its sizes mapped).
	 */
	pid_t pid;
	const char *api_sock; /* with a pid: its socket, to see that the VM is Paused */
	enum fcp_holes holes;
	unsigned find;			 /* FCP_FIND_..., 0 when ranges are given */
	const struct fcp_ranges *ranges; /* sorted, as fcp_ranges_read() leaves them; or NULL */
	struct fcp_file_identity
		ranges_of;	/* the file that they were made of; inode 0: not known */
	uint64_t min_run_bytes; /* shorter runs are left alone; 0 or 4096: all */
	bool keep;		/* find and report, release nothing */
	bool confine; /* guest memory is read by a thread that can open nothing (seccomp) */
	uint32_t wait_lock_ms; /* how long another fcpause on it is waited for */
	int cancel_fd;
	/* a power of two from 4096 to FCP_ALIGN_MAX, to which ranges are cut down; 0: 4096 */
	uint64_t align_bytes;
	/*
	 * What pages are compared with. NULL: with a pid, the file that the VM was restored from,
	 * where the process maps it; else BASE and CHANGED cannot be found.
	 */
	const char *base;
	const struct fcp_observer *observer; /* borrowed; NULL: none */
};

struct fcp_mem_file {
	uint64_t logical_bytes;
	uint64_t allocated_before_bytes;
	uint64_t allocated_bytes;
};

/* A part of guest memory, and where a process holds it. */
struct fcp_process_region {
	uint64_t offset; /* in the memory file that a snapshot would write */
	uint64_t bytes;
	uint64_t address;
};

struct fcp_madvise_ranges_result {
	size_t size; /* of this struct, as the caller knows it */
	struct fcp_outcome outcome;
	char warning[256]; /* "", or what keeps us from being sure that nobody uses the file */
	struct fcp_file_attributes attributes; /* as recorded; holes: as they were taken to mean */
	struct fcp_file_identity file;	       /* as it was before; inode 0 with a pid */
	struct fcp_guest_report *guest;	       /* owned; NULL: it was not looked at */
	struct fcp_ranges ranges; /* what was, or with keep would be, released; owned */
	uint64_t zero_bytes;	  /* zero pages found */
	uint64_t free_bytes;	  /* free pages found */
	uint64_t released_bytes;  /* of ranges, what is a hole now */
	struct fcp_mem_file mem_file;
	/*
	 * With keep: each kind's ranges, cut down to align_bytes, and without those that are
	 * shorter than min_run_bytes. Where CHANGED is looked for, what is cut off counts as
	 * changed: blocks of align_bytes that are not of one kind throughout must be copied, too.
	 */
	struct fcp_found_ranges found;
	uint64_t base_bytes; /* pages found, as are zero_bytes and free_bytes */
	uint64_t changed_bytes;
	struct fcp_base_report base;
	/*
	 * With a pid and keep: all guest memory, in ascending order of offset; owned. None where it
	 * is not known which mapping is which region.
	 */
	struct fcp_process_region *regions;
	size_t region_count;
};

/*
 * Finds the ranges, punches holes (fallocate PUNCH_HOLE|KEEP_SIZE; they read as zeros), and checks
 * that they are holes (SEEK_DATA). The file's size never changes. What a hole means is what the
 * settings say, else what is recorded with the file; where neither is so, nothing is found in a
 * file with a hole over a page that the guest in it has in use, or whose guest cannot be read. The
 * meaning is recorded with the file then. FCP_HOLES_ZERO for a file that is recorded as a layer is
 * refused (unsupported); FCP_HOLES_BASE for one recorded as whole is a warning. Status: ok; partial
 * when the file system kept some of it, or when a gate refused the free pages and the zero pages
 * were released all the same; unsupported when a gate refused and free pages alone were asked for,
 * when the file may be a layer (FCP_HOLES_UNSPECIFIED), or where the file system cannot punch
 * holes. FCP_ERR_BUSY when another process maps the file, or has it open for writing;
 * FCP_ERR_LOCKED when another fcpause is using it; FCP_ERR_INPUT when the ranges were made of
 * another file, or of this one before it was changed, or when the base is not the one that the file
 * is a layer of. Safe to run again.
 *
 * With a pid: finds the free pages in the live memory of a Paused VM (FCP_ERR_STATE else; the right
 * to trace the process is needed: unsupported without). ranges are offsets of the memory file that
 * a snapshot would write. Where guest memory is shared (a memfd) they are released in it; private
 * memory is unsupported, as only Firecracker itself can give that back; mem_file is the process's
 * memory then. With keep all kinds of pages can be found; pages that a page-fault handler has not
 * filled in are the base's, and are never touched. FCP_ERR_NOT_RESTORED: another program resumed
 * the VM before the release was done, and pages may be lost.
 */
FCP_API int fcp_madvise_ranges(const struct fcp_madvise_ranges_settings *settings,
			       struct fcp_madvise_ranges_result *result, struct fcp_error *err);

FCP_API void fcp_madvise_ranges_result_clear(struct fcp_madvise_ranges_result *result);

/* ---- inspect: what a memory file holds ------------------------------------------------------ */

/* What the guest uses a page for. */
enum fcp_page_class {
	FCP_PAGE_FREE,	/* held free by the guest's own allocator */
	FCP_PAGE_ZERO,	/* not free, and all zeros or a hole */
	FCP_PAGE_CACHE, /* page cache: content of files that are elsewhere too */
	FCP_PAGE_SHMEM, /* tmpfs, shared memory; CACHE before Linux 4.17, which does not tell */
	FCP_PAGE_ANONYMOUS,
	FCP_PAGE_SLAB,
	FCP_PAGE_TABLES,
	FCP_PAGE_KERNEL_IMAGE,
	FCP_PAGE_RESERVED, /* taken at boot: the memmap, firmware */
	/*
	 * The kernel's own (stacks, vmalloc, CPUs' free lists), or without a struct page; all but
	 * zeros of a guest that was not read.
	 */
	FCP_PAGE_UNKNOWN,
};

/* "free", "page_cache", ... as JSON has them; static storage. */
FCP_API const char *fcp_page_class_name(enum fcp_page_class page_class);

struct fcp_class_bytes {
	uint64_t bytes;
	uint64_t allocated_bytes; /* of them, those that are data and no hole (SEEK_DATA) */
};

/*
 * The pages of a class; and of them those whose bytes stand elsewhere too, and need not be stored.
 */
struct fcp_inspect_class {
	enum fcp_page_class page_class;
	struct fcp_class_bytes all;
	struct fcp_class_bytes in_base; /* in the base, at the same offset */
	/* anywhere in a file to share storage with, and not in the base */
	struct fcp_class_bytes in_shares;
};

/* A part of the file, cell_bytes long (the last may be shorter). */
struct fcp_inspect_cell {
	size_t class_count;
	struct fcp_inspect_class **classes; /* those that it has pages of, in any order */
};

struct fcp_inspect_settings {
	size_t size; /* of this struct, as the caller knows it */
	const char *mem_file_path;
	/* The most cells for the map, each 100 to 800 bytes of memory; 0: no map. */
	uint32_t cells_max;
	int cancel_fd;
	const char *base; /* a whole memory file to compare with; or NULL */
	enum fcp_holes holes;
	bool confine; /* guest memory is read by a thread that can open nothing (seccomp) */
	const struct fcp_observer *observer; /* borrowed; NULL: none */
	const char *const
		*shares; /* disk images, memory files to look for pages in; the first ones first */
	size_t share_count;	      /* at most FCP_SHARES_MAX */
	uint64_t share_min_run_bytes; /* shorter runs are taken for not found; 0: none */
};

struct fcp_inspect_result {
	size_t size; /* of this struct, as the caller knows it */
	struct fcp_outcome outcome;
	struct fcp_file_attributes
		attributes;	  /* as recorded; holes: as specified, where they were */
	char release[65];	  /* the guest's kernel, printable ASCII; "" when it was not read */
	uint64_t logical_bytes;	  /* the file's size: the sum of all classes */
	uint64_t allocated_bytes; /* storage that it occupies by st_blocks, metadata included */
	uint64_t data_bytes;	  /* pages that are no holes: the sum of all allocated_bytes */
	size_t class_count;
	struct fcp_inspect_class **classes; /* each class, in the enum's order; owned */
	enum fcp_page_class largest; /* the class that occupies most; UNKNOWN where none does */
	uint64_t cell_bytes;	     /* a power of two, a page or more */
	size_t cell_count;
	struct fcp_inspect_cell **cells; /* from the file's begin to its end; owned */
	struct fcp_base_report base;
	bool compared;			/* with the base; else in_base is zeros throughout */
	struct fcp_class_bytes in_base; /* of all classes but free pages */
	struct fcp_class_bytes in_shares;
	/* pages that are neither free nor the base's: what a layer would store */
	uint64_t layer_bytes;
	size_t share_count; /* files to share with that were looked at; 0: in_shares is zeros */
	/*
	 * Data that is neither free, zeros, the base's nor any of the shares': what a file that
	 * shares its storage with them would store of its own.
	 */
	uint64_t share_bytes;
};

/*
 * Looks at a memory file, and changes nothing: which of its pages are free, zeros, page cache, ...
 * by the struct pages of the guest in it, and which of them occupy storage; with a base, also which
 * of them stand in it, and with files to share with, which of the others stand in those (no
 * reflinks are needed to tell; an index beside such a file is read, none is kept). Of a recorded
 * layer the guest is read through its base. Status: ok; partial when the guest cannot be read (not
 * Linux on x86_64 or arm64, a Diff layer without its base): then only pages of zeros that occupy
 * storage are told from the rest, which is unknown; when there is a base, but nothing is compared:
 * for a layer of another base, and where what the file's holes mean is neither recorded nor
 * specified, and its guest cannot be read; and when a file to share with cannot be read.
 * FCP_HOLES_ZERO for a file that is recorded as a layer is unsupported. FCP_ERR_LOCKED while
 * another fcpause releases pages of it, FCP_ERR_INPUT: no memory file. Takes about 100 ms for a GiB
 * of data, and at most 64 MiB of memory and a bit a page. Safe to run again. Source:
 * include/linux/page-flags.h and mm_types.h of Linux.
 */
FCP_API int fcp_inspect(const struct fcp_inspect_settings *settings,
			struct fcp_inspect_result *result, struct fcp_error *err);

/* NULL-safe. */
FCP_API void fcp_inspect_result_clear(struct fcp_inspect_result *result);

/* ---- merge: a whole memory file of a base and layers ---------------------------------------- */

struct fcp_merge_settings {
	size_t size;	  /* of this struct, as the caller knows it */
	const char *base; /* a whole memory file */
	const char *const
		*layers;    /* from the base upwards: each lies on what those before it make */
	size_t layer_count; /* 1 or more */
	const char *out;    /* the file to write */
	const struct fcp_observer *observer; /* borrowed; NULL: none */
	bool force;			     /* replace it if it is there */
	bool any_base;	       /* take layers too of which it is not recorded what they lie on */
	uint32_t wait_lock_ms; /* how long another fcpause on the file to write is waited for */
	int cancel_fd;
	uint32_t reserved; /* 0 */
};

/* What became of one layer's data; the sum of the three is data_bytes. */
struct fcp_merge_layer {
	uint64_t data_bytes;
	uint64_t cloned_bytes; /* shared with the layer's file */
	uint64_t copied_bytes;
	uint64_t zero_bytes; /* pages of zeros, which are holes */
};

struct fcp_merge_result {
	size_t size; /* of this struct, as the caller knows it */
	struct fcp_outcome outcome;
	bool created; /* the file is there and whole */
	/* data of the base that was cloned, before the layers came over it */
	uint64_t base_cloned_bytes;
	uint64_t base_copied_bytes; /* where it cannot be cloned: what no layer lies over */
	size_t layer_count;
	struct fcp_merge_layer **layers; /* in the settings' order; owned */
	/* of the file that was made; id "": nothing was recorded */
	struct fcp_file_attributes attributes;
	uint64_t logical_bytes;
	uint64_t allocated_bytes; /* as st_blocks says: shared storage is counted too */
	char warning[256];	  /* "", or what the run could not make sure of */
};

/*
 * Makes a whole memory file: the base, and over it each layer's data, by reflinks (FICLONE,
 * FICLONERANGE) where the file system has them. It is made durable under a temporary name and then
 * given its own. Its id is the last layer's: it is the same memory. Nothing else is changed.
 * FCP_ERR_INPUT: a layer of another base, a link of the chain is missing, files of different sizes,
 * a base that is a layer or a layer that is whole, a file that is there without force.
 * FCP_ERR_BUSY: a file is open for writing, or has changed meanwhile. FCP_ERR_LOCKED,
 * FCP_ERR_INTERRUPTED, FCP_ERR_IO.
 */
FCP_API int fcp_merge(const struct fcp_merge_settings *settings, struct fcp_merge_result *result,
		      struct fcp_error *err);

/* NULL-safe. */
FCP_API void fcp_merge_result_clear(struct fcp_merge_result *result);

/* ---- share: a memory file that shares its storage with other files -------------------------- */

struct fcp_share_settings {
	size_t size; /* of this struct, as the caller knows it */
	const char *mem_file_path;
	const char *const *shares;	     /* disk images, memory files; the first ones first */
	size_t share_count;		     /* 1 to FCP_SHARES_MAX */
	uint64_t min_run_bytes;		     /* shorter runs are left alone; 0: none */
	const struct fcp_observer *observer; /* borrowed; NULL: none */
	uint32_t wait_lock_ms; /* how long another fcpause on the memory file is waited for */
	int cancel_fd;
};

struct fcp_share_result {
	size_t size; /* of this struct, as the caller knows it */
	struct fcp_outcome outcome;
	bool replaced; /* the new file has the memory file's name */
	size_t share_count;
	struct fcp_share_report **shares; /* in the order of the settings' shares; owned */
	uint64_t logical_bytes;
	uint64_t data_bytes;		       /* pages that are no holes */
	uint64_t own_before_bytes;	       /* of them, those whose storage no other file had */
	uint64_t own_bytes;		       /* and has now */
	struct fcp_file_attributes attributes; /* as recorded, before and after */
	char warning[256];		       /* "", or what the run could not make sure of */
};

/*
 * Puts a file in the memory file's place that is equal to it, with its owner, mode and what is
 * recorded, but shares storage (FICLONERANGE) with the files given where these have a page's bytes.
 * It is made durable under a temporary name first: the old file is there or the new one, whole. The
 * files given are only read, and others may write them. Status: ok; skipped (there is nothing to
 * share: the file stays as it is); unsupported (no reflinks, other file systems). FCP_ERR_BUSY: the
 * memory file is in use. FCP_ERR_INPUT, FCP_ERR_LOCKED, FCP_ERR_INTERRUPTED, FCP_ERR_IO. Safe to
 * run again.
 */
FCP_API int fcp_share(const struct fcp_share_settings *settings, struct fcp_share_result *result,
		      struct fcp_error *err);

/* NULL-safe. */
FCP_API void fcp_share_result_clear(struct fcp_share_result *result);

/* ---- status: how a VM is -------------------------------------------------------------------- */

struct fcp_status_settings {
	size_t size; /* of this struct, as the caller knows it */
	const char *api_sock;
	uint32_t timeout_ms; /* for each request; 0: the default */
	int cancel_fd;
	const struct fcp_observer *observer; /* borrowed; NULL: none */
};

struct fcp_status_result {
	size_t size; /* of this struct, as the caller knows it */
	struct fcp_outcome outcome;
	enum fcp_vm_state vm_state;
	char vmm_version[32];
	pid_t pid;	       /* Firecracker's process; 0: not known */
	uint64_t memory_bytes; /* that the guest can use */
	/* that can be plugged in, plugged_bytes of it are; 0: no such device */
	uint64_t hotplug_bytes;
	uint64_t plugged_bytes;
	bool track_dirty_pages;
	/*
	 * How Firecracker's process holds guest memory: "anonymous", "file", "userfaultfd",
	 * "hugetlb", "shared"; static storage. NULL: not known, backing_reason says why.
	 */
	const char *backing;
	char backing_reason[256];
	char base[4096];  /* the file that the VM was restored from; "": none that is mapped */
	bool has_balloon; /* balloon holds */
	struct fcp_balloon balloon;
	bool hinting_open; /* a hinting run was started and is neither done nor stopped */
};

/*
 * Asks Firecracker and /proc how the VM is; changes nothing, takes no lock, and is safe at any
 * time. What cannot be looked at, for lack of rights say, is not known; only where Firecracker does
 * not answer it fails: FCP_ERR_CONNECT, FCP_ERR_TIMEOUT, FCP_ERR_PROTOCOL, FCP_ERR_SERVER,
 * FCP_ERR_INTERRUPTED.
 */
FCP_API int fcp_status(const struct fcp_status_settings *settings, struct fcp_status_result *result,
		       struct fcp_error *err);

/* ---- doctor: what a pause of a VM could do, and what is in its way -------------------------- */

enum fcp_verdict {
	FCP_VERDICT_OK,
	FCP_VERDICT_NO,
	FCP_VERDICT_SKIPPED, /* not asked for, or something before it is in the way */
};

/* "ok", "no", "skipped"; static storage. */
FCP_API const char *fcp_verdict_name(enum fcp_verdict verdict);

struct fcp_check {
	const char *name;	/* "socket", ...; static storage, as the next two */
	const char *why;	/* it matters */
	const char *what_to_do; /* where the verdict is no; else NULL */
	enum fcp_verdict verdict;
	char found[512];
};

struct fcp_doctor_settings {
	size_t size; /* of this struct, as the caller knows it */
	const char *api_sock;
	/* where a memory file is to lie; NULL: its place is not looked at */
	const char *mem_file_path;
	const char *base; /* as of a snapshot */
	const char *chroot_base;
	const char *envd; /* NULL: the guest is not asked */
	const char *envd_token_file;
	bool drain_on; /* the balloon matters */
	bool confine;  /* guest memory is read by a thread that can open nothing (seccomp) */
	uint32_t timeout_ms;
	int cancel_fd;
	const struct fcp_observer *observer; /* borrowed; NULL: none */
};

struct fcp_doctor_result {
	size_t size; /* of this struct, as the caller knows it */
	struct fcp_outcome outcome;
	size_t check_count;
	struct fcp_check **checks; /* in the order in which they were made; owned */
};

/*
 * Looks at all that a pause of the VM needs, and changes nothing that lasts: two unnamed files are
 * made where the memory file is to lie, and envd is asked to run one command. Status: ok, when
 * nothing is in the way of anything; partial, when some check's verdict is no. It fails only for
 * bad settings, lack of memory, or when it is interrupted.
 */
FCP_API int fcp_doctor(const struct fcp_doctor_settings *settings, struct fcp_doctor_result *result,
		       struct fcp_error *err);

/* NULL-safe. */
FCP_API void fcp_doctor_result_clear(struct fcp_doctor_result *result);

/* ---- quiesce: the guest's workload and file system stand still before a pause ---------------- */

/* Which cgroups: those that envd makes for its commands and terminals, or all but its own. */
enum fcp_freeze_mode {
	FCP_FREEZE_LEGACY,
	FCP_FREEZE_HIERARCHY,
};

#define FCP_FREEZE_TIMEOUT_MS 2000
#define FCP_FREEZE_MAX_CGROUPS 512
#define FCP_COLLAPSE_TIMEOUT_MS 10000
#define FCP_FS_FREEZE_TIMEOUT_MS 10000

struct fcp_quiesce_settings {
	size_t size;	  /* of this struct, as the caller knows it */
	const char *envd; /* as of reclaim */
	const char *envd_token_file;
	bool freeze;	/* the workload's cgroups */
	bool collapse;	/* envd's own heap into huge pages */
	bool fs_freeze; /* the root file system; where it fails, so does the pause */
	enum fcp_freeze_mode freeze_mode;
	uint32_t freeze_max_cgroups; /* of the mode hierarchy; 0: FCP_FREEZE_MAX_CGROUPS */
	/* For envd's answer, 0: FCP_..._TIMEOUT_MS; envd waits as long for the workload to stop. */
	uint32_t freeze_timeout_ms;
	uint32_t collapse_timeout_ms;
	uint32_t fs_freeze_timeout_ms;
	const char *freeze_off_reason; /* where it is off; or NULL */
	const char *collapse_off_reason;
	const char *fs_freeze_off_reason;
	int cancel_fd;
	const struct fcp_observer *observer; /* borrowed; NULL: none */
};

/* What envd observed of cgroups; see envd's API, FreezeResult. */
struct fcp_freeze_report {
	struct fcp_outcome outcome;
	bool reported;	/* false: by an envd that says nothing; what follows means nothing */
	char mode[16];	/* that envd took, "legacy" where it does not know the other */
	bool truncated; /* more cgroups than freeze_max_cgroups */
	uint64_t visited;
	uint64_t allowlisted;
	uint64_t pre_frozen; /* by the guest itself: left so */
	uint64_t requested;
	uint64_t frozen;
	uint64_t not_frozen;
	uint64_t failed;
	uint64_t unobservable;
	uint64_t sweep_ms;
	uint64_t wait_ms;
};

/* Pieces of 2 MiB of envd's heap; see envd's API, CollapseResult. */
struct fcp_collapse_report {
	struct fcp_outcome outcome;
	bool reported; /* false: what follows means nothing */
	uint64_t regions;
	uint64_t chunks;
	uint64_t collapsed;
	uint64_t already_huge;
	uint64_t skipped;
	uint64_t elapsed_ms;
};

struct fcp_quiesce_result {
	size_t size; /* of this struct, as the caller knows it */
	struct fcp_freeze_report freeze;
	struct fcp_collapse_report collapse;
	struct fcp_outcome fs_freeze;
	/* Undone, in this order, where the VM runs on. */
	struct fcp_outcome fs_thaw;
	struct fcp_outcome unfreeze;
	bool fs_by_exec; /* by fsfreeze(8) in the guest, as envd has no call for it */
	bool kept;	 /* the snapshot's guest is frozen: thaw it when it is restored */
};

/* ---- resume: a paused VM, or one from its files --------------------------------------------- */

struct fcp_resume_settings {
	size_t size; /* of this struct, as the caller knows it */
	const char *api_sock;
	const char *snapshot_path; /* both: load these first; NULL, both: the VM that is there */
	const char *mem_file_path;
	const char *chroot_base;	     /* Firecracker's root; NULL: found */
	const char *envd;		     /* wait until it answers there; NULL: do not */
	const struct fcp_observer *observer; /* borrowed; NULL: none */
	bool track_dirty_pages;		     /* of a VM that is loaded */
	uint32_t envd_timeout_ms;
	uint32_t timeout_ms;	  /* for each request but the load; 0: the default */
	uint32_t load_timeout_ms; /* for the load; 0: the default */
	uint32_t wait_lock_ms;
	int cancel_fd;
	bool thaw; /* thaw the guest that a pause has frozen, once envd answers; needs envd */
	const char *envd_token_file; /* as of reclaim; read for that only */
};

struct fcp_resume_result {
	size_t size; /* of this struct, as the caller knows it */
	struct fcp_outcome outcome;
	enum fcp_vm_state vm_state; /* at the end */
	bool loaded;
	bool resumed;	  /* by us; false: it ran already */
	double resume_ms; /* the load or the resume by itself */
	double envd_ms;	  /* from there until envd answered; 0: not waited for */
	char warning[256];
	bool thawed; /* the file system, and the workload */
};

/*
 * Lets the VM run: one that is Paused, or, with both paths, one that is loaded from them into a
 * Firecracker that has none yet. What a run of fcpause that was killed has left on the VM is put
 * right first. A VM that runs stays so. Status: ok; timeout: the VM runs, envd did not answer in
 * time. FCP_ERR_STATE: there is no VM to resume, or one where files are to be loaded.
 * FCP_ERR_INPUT: the files are no snapshot, or the memory is a layer: see fcp_merge().
 * FCP_ERR_SERVER: Firecracker refuses them. FCP_ERR_NOT_RESTORED: the VM
 * runs, and its guest may still be frozen.
 */
FCP_API int fcp_resume(const struct fcp_resume_settings *settings, struct fcp_resume_result *result,
		       struct fcp_error *err);

/* ---- pause: the chain ----------------------------------------------------------------------- */

struct fcp_pause_settings {
	size_t size; /* of this struct, as the caller knows it */
	const struct fcp_snapshot_settings *snapshot;
	/*
	 * The best-effort steps; NULL: off, for the reason below. Borrowed, as is all that they
	 * name.
	 */
	const struct fcp_reclaim_settings *reclaim;
	const struct fcp_balloon_drain_settings *drain;
	const struct fcp_madvise_ranges_settings *trim; /* mem_file_path is the snapshot's */
	const char *reclaim_off_reason; /* "flag reclaim-on-pause is off"; or NULL */
	const char *drain_off_reason;
	const char *trim_off_reason;
	const struct fcp_quiesce_settings *quiesce; /* NULL: off */
};

struct fcp_pause_result {
	size_t size; /* of this struct, as the caller knows it */
	/* partial: the snapshot is good, a best-effort step fell short */
	struct fcp_outcome outcome;
	double paused_ms;
	/* In order; a step that was not reached is skipped, with the reason. Owned; NULL only after
	 * FCP_ERR_USAGE and FCP_ERR_MEMORY. */
	struct fcp_reclaim_result *reclaim;
	struct fcp_balloon_drain_result *drain;
	struct fcp_snapshot_result *snapshot;
	struct fcp_madvise_ranges_result *trim;
	enum fcp_vm_state vm_state;
	struct fcp_quiesce_result *quiesce; /* owned, as the others */
};

/*
 * Freeze and collapse, reclaim, the file system's freeze, drain, pause and snapshot, release: in
 * this order. Only the snapshot and the file system's freeze can fail it; the others are best
 * effort. On cancellation the VM is put back as it was found. What was frozen is thawed, in the
 * reverse order, as soon as the VM runs again, after a failure or a checkpoint:
 * FCP_ERR_NOT_RESTORED where that is not possible. Of a VM that stays Paused it is part of the
 * snapshot: see fcp_resume(), thaw.
 */
FCP_API int fcp_pause(const struct fcp_pause_settings *settings, struct fcp_pause_result *result,
		      struct fcp_error *err);

FCP_API void fcp_pause_result_clear(struct fcp_pause_result *result);

/* ---- flags: feature flags in a file --------------------------------------------------------- */

enum fcp_flags_use {
	FCP_USE_PAUSE,
	FCP_USE_BUILD,
};

/* What the flags file says of one behaviour. */
struct fcp_flag {
	bool on;
	uint32_t timeout_ms; /* 0: no figure for all together */
	/*
	 * Reclaim only: the steps that it names, each once, as fcp_reclaim_settings takes them.
	 * NULL: it names none. Owned by the fcp_flags.
	 */
	struct fcp_reclaim_step *caps;
	size_t cap_count;
};

struct fcp_flags {
	size_t size; /* of this struct, as the caller knows it */
	struct fcp_flag reclaim_on_pause;
	struct fcp_flag free_page_hinting;
	size_t warning_count;
	char **warnings; /* each a line; owned */
};

/*
 * Reads LaunchDarkly's data-file form, {"flagValues": {"reclaim-on-pause": 2000, ...}}. What cannot
 * be read or is of a wrong type is off with a warning; with strict an FCP_ERR_INPUT instead.
 * Without strict it fails with FCP_ERR_MEMORY only, or FCP_ERR_USAGE where flags_ was not
 * initialised. *flags_, set by FCP_FLAGS_INIT, is untouched on failure.
 */
FCP_API int fcp_flags_read(const char *path, enum fcp_flags_use use, bool strict,
			   struct fcp_flags *flags_, struct fcp_error *err);

/* NULL-safe. */
FCP_API void fcp_flags_clear(struct fcp_flags *flags);

/* Where the flags came from. */
enum fcp_flags_source {
	FCP_FLAGS_NONE, /* nowhere: all are off */
	FCP_FLAGS_FILE,
	FCP_FLAGS_LAUNCHDARKLY, /* its Relay Proxy */
	FCP_FLAGS_OFREP,	/* a service of the OpenFeature remote evaluation protocol */
	FCP_FLAGS_CACHE,	/* a service's earlier answer */
};

/* "none", "file", "launchdarkly", "ofrep", "cache"; static storage. */
FCP_API const char *fcp_flags_source_name(enum fcp_flags_source source);

enum fcp_flag_state {
	FCP_FLAG_UNSET, /* it is not there */
	FCP_FLAG_OFF,
	FCP_FLAG_ON,
};

#define FCP_FLAGS_TIMEOUT_MS 300
/* The context's key, and its kind, where none is given. */
#define FCP_FLAGS_KEY "fcpause"
#define FCP_FLAGS_KIND "sandbox"

struct fcp_flags_settings {
	size_t size; /* of this struct, as the caller knows it */
	/*
	 * A data file's path, as of fcp_flags_read(); or the http:// or https:// URL of a service:
	 * of LaunchDarkly's Relay Proxy (it ends with /sdk/evalx/contexts) or of OFREP
	 * (/ofrep/v1/evaluate/flags).
	 */
	const char *source;
	/* Its first line is the service's key: the SDK key, sent as Authorization; OFREP's is sent
	 * as a bearer token and as X-API-Key. Checked as envd's token file. NULL: none. */
	const char *key_file;
	/*
	 * "KEY=VALUE", or "KIND:KEY=VALUE": the context that flags are evaluated for. "key" is
	 * OFREP's targetingKey, "kind" LaunchDarkly's kind of what names none. Values are strings.
	 */
	const char *const *context;
	size_t context_count;
	/* Keeps the service's last good answer (0600), which counts when it does not answer. NULL:
	 * none. */
	const char *cache_file;
	bool cache_is_kept; /* read the cache, do not write it */
	bool strict;	    /* what would be a warning of the flags is an error */
	enum fcp_flags_use use;
	uint32_t timeout_ms; /* for all of the service's answer; 0: FCP_FLAGS_TIMEOUT_MS */
	int cancel_fd;
	const struct fcp_observer *observer; /* borrowed; NULL: none */
};

struct fcp_flags_result {
	size_t size; /* of this struct, as the caller knows it */
	struct fcp_outcome outcome;
	struct fcp_flags *flags; /* owned; NULL: the call failed */
	enum fcp_flags_source source;
	/* For a balloon before boot: free-page-hinting-config's "enabled", free-page-reporting. */
	enum fcp_flag_state arm_hinting;
	enum fcp_flag_state free_page_reporting;
	/* For the guest's side of a pause: freeze-user-cgroup, freeze-guest-hierarchy,
	 * collapse-envd-heap, and their figures; 0: there is none. */
	enum fcp_flag_state freeze;
	enum fcp_flag_state freeze_hierarchy;
	enum fcp_flag_state collapse;
	uint32_t freeze_timeout_ms;
	uint32_t freeze_max_cgroups;
	uint32_t collapse_timeout_ms;
	/* "", or that the cache was used or not written, and why; no warning of flags */
	char note[512];
};

/*
 * Takes the flags from a file or a service. What cannot be had or is of a wrong type is off with a
 * warning in flags. Fails with FCP_ERR_INTERRUPTED or FCP_ERR_MEMORY only, and with strict, in the
 * place of a warning, with FCP_ERR_INPUT. A service is asked once; TLS needs a certificate that
 * this machine trusts, and no redirect is followed. Flags that fcpause does not know are a warning
 * in a file, and ignored in a service's answer. Sources: LaunchDarkly, Relay Proxy endpoints; the
 * OpenFeature remote evaluation protocol.
 */
FCP_API int fcp_flags_take(const struct fcp_flags_settings *settings,
			   struct fcp_flags_result *result, struct fcp_error *err);

/* NULL-safe. */
FCP_API void fcp_flags_result_clear(struct fcp_flags_result *result);

/* ---- initializers --------------------------------------------------------------------------- */

/* Each struct that begins with its size is initialised by one of these, and by nothing else. */
/* clang-format off */
#define FCP_RANGES_TEXT_INIT \
	{.size = sizeof(struct fcp_ranges_text), .limit_bytes = UINT64_MAX, .fd = -1, \
	 .cancel_fd = -1}
#define FCP_OBSERVER_INIT {.size = sizeof(struct fcp_observer)}
#define FCP_RECLAIM_SETTINGS_INIT {.size = sizeof(struct fcp_reclaim_settings), .cancel_fd = -1}
#define FCP_RECLAIM_RESULT_INIT {.size = sizeof(struct fcp_reclaim_result)}
#define FCP_EXEC_SETTINGS_INIT {.size = sizeof(struct fcp_exec_settings), .cancel_fd = -1}
#define FCP_EXEC_RESULT_INIT {.size = sizeof(struct fcp_exec_result)}
#define FCP_BALLOON_INSTALL_SETTINGS_INIT \
	{.size = sizeof(struct fcp_balloon_install_settings), .cancel_fd = -1}
#define FCP_BALLOON_INSTALL_RESULT_INIT {.size = sizeof(struct fcp_balloon_install_result)}
#define FCP_BALLOON_DRAIN_SETTINGS_INIT \
	{.size = sizeof(struct fcp_balloon_drain_settings), .cancel_fd = -1}
#define FCP_BALLOON_DRAIN_RESULT_INIT {.size = sizeof(struct fcp_balloon_drain_result)}
#define FCP_SNAPSHOT_SETTINGS_INIT {.size = sizeof(struct fcp_snapshot_settings), .cancel_fd = -1}
#define FCP_SNAPSHOT_RESULT_INIT {.size = sizeof(struct fcp_snapshot_result)}
#define FCP_MEMORY_SOURCE_INIT {.size = sizeof(struct fcp_memory_source), .fd = -1}
#define FCP_FREE_PAGES_SETTINGS_INIT \
	{.size = sizeof(struct fcp_free_pages_settings), .cancel_fd = -1}
#define FCP_FREE_PAGES_RESULT_INIT {.size = sizeof(struct fcp_free_pages_result)}
#define FCP_MADVISE_RANGES_SETTINGS_INIT \
	{.size = sizeof(struct fcp_madvise_ranges_settings), .cancel_fd = -1}
#define FCP_MADVISE_RANGES_RESULT_INIT {.size = sizeof(struct fcp_madvise_ranges_result)}
#define FCP_INSPECT_SETTINGS_INIT {.size = sizeof(struct fcp_inspect_settings), .cancel_fd = -1}
#define FCP_INSPECT_RESULT_INIT {.size = sizeof(struct fcp_inspect_result)}
#define FCP_MERGE_SETTINGS_INIT {.size = sizeof(struct fcp_merge_settings), .cancel_fd = -1}
#define FCP_MERGE_RESULT_INIT {.size = sizeof(struct fcp_merge_result)}
#define FCP_SHARE_SETTINGS_INIT {.size = sizeof(struct fcp_share_settings), .cancel_fd = -1}
#define FCP_SHARE_RESULT_INIT {.size = sizeof(struct fcp_share_result)}
#define FCP_STATUS_SETTINGS_INIT {.size = sizeof(struct fcp_status_settings), .cancel_fd = -1}
#define FCP_STATUS_RESULT_INIT {.size = sizeof(struct fcp_status_result)}
#define FCP_DOCTOR_SETTINGS_INIT {.size = sizeof(struct fcp_doctor_settings), .cancel_fd = -1}
#define FCP_DOCTOR_RESULT_INIT {.size = sizeof(struct fcp_doctor_result)}
#define FCP_RESUME_SETTINGS_INIT {.size = sizeof(struct fcp_resume_settings), .cancel_fd = -1}
#define FCP_RESUME_RESULT_INIT {.size = sizeof(struct fcp_resume_result)}
#define FCP_FLAGS_INIT {.size = sizeof(struct fcp_flags)}
#define FCP_QUIESCE_SETTINGS_INIT {.size = sizeof(struct fcp_quiesce_settings), .cancel_fd = -1}
#define FCP_QUIESCE_RESULT_INIT {.size = sizeof(struct fcp_quiesce_result)}
#define FCP_PAUSE_SETTINGS_INIT {.size = sizeof(struct fcp_pause_settings)}
#define FCP_PAUSE_RESULT_INIT {.size = sizeof(struct fcp_pause_result)}
#define FCP_FLAGS_SETTINGS_INIT {.size = sizeof(struct fcp_flags_settings), .cancel_fd = -1}
#define FCP_FLAGS_RESULT_INIT {.size = sizeof(struct fcp_flags_result)}
/* clang-format on */

#ifdef __cplusplus
}
#endif

#endif
