// SPDX-License-Identifier: Apache-2.0
#include "cmd/parsing/options.h"

#include "cmd/commands/commands.h"

#include <string.h>

const struct command commands[COMMANDS] = {
	[COMMAND_RECLAIM] = {"reclaim", "ask the guest, through envd, to free what it does not need",
		"Runs sync, drop_caches, compact_memory and fstrim in the guest, each under a cap of its own. "
		"The VM's state is not changed.", command_reclaim},
	[COMMAND_BALLOON_INSTALL] = {"balloon-install", "put the balloon there that a drain needs, before boot",
		"Installs a balloon of size 0 with free page hinting armed. One that is there already with equal "
		"settings is fine.", command_balloon_install},
	[COMMAND_BALLOON_DRAIN] = {"balloon-drain", "one free-page-hinting run, with a ceiling",
		"Asks the guest to hand out its free pages, so that Firecracker gives them back to the host. A run "
		"that is not done at the ceiling is stopped.", command_balloon_drain},
	[COMMAND_MADVISE_RANGES] = {"madvise-ranges", "release what nobody needs of a memory file",
		"Finds pages that the paused guest holds free, and pages of zeros, or takes ranges, and makes holes of "
		"them. The file's size stays as it is; free pages read as zeros then.", command_madvise_ranges},
	[COMMAND_INSPECT] = {"inspect", "what a memory file holds, and what of it occupies storage",
		"Says why a snapshot is still this big: which pages of its memory file are free, zeros, page cache, "
		"..., which of them occupy storage, and what would release them; with a map. Changes nothing.",
		command_inspect},
	[COMMAND_SNAPSHOT] = {"snapshot", "pause the VM and create its snapshot",
		"Pauses the VM, creates both files whole or not at all, and resumes it when that fails.",
		command_snapshot},
	[COMMAND_PAUSE] = {"pause", "all of it, in order: reclaim, balloon-drain, snapshot, madvise-ranges",
		"reclaim and balloon-drain are off unless flags or options turn them on. Only the snapshot can fail "
		"a pause; the other steps are best effort.", command_pause},
	[COMMAND_MERGE] = {"merge", "a whole memory file of a base and the layers on it",
		"Copies the base, by reflinks where the file system has them, and puts each layer's data over it. Only "
		"the file --out is written, whole or not at all.", command_merge},
	[COMMAND_SHARE] = {"share", "let a memory file share its storage with other files",
		"Puts a file in the place of the memory file that is equal to it, and shares the storage of what "
		"stands in the files --share as well. They are only read.", command_share},
	[COMMAND_DOCTOR] = {"doctor", "what a pause of the VM could do, and what is in its way",
		"Looks at Firecracker, its process, the guest, and the place of the files, and says of each whether "
		"it is fine, why it matters, and what to do. Changes nothing.", command_doctor},
	[COMMAND_STATUS] = {"status", "how the VM is: state, memory, balloon",
		"Asks Firecracker and /proc; changes nothing, and waits for no other run.", command_status},
	[COMMAND_RESUME] = {"resume", "let the VM run: a paused one, or one from its files",
		"Resumes the VM, after putting right what an fcpause that was killed has left; with both files, loads "
		"them first, into a Firecracker that was just started. With --envd, waits until the guest answers.",
		command_resume},
	[COMMAND_EXEC] = {"exec", "run a command in the guest, through envd",
		"Runs the command as it is, with nothing on its stdin; what it writes goes to stdout and stderr as "
		"it comes. Exit code 0 when it exited with 0.", command_exec, "[--] COMMAND [ARG...]"},
};

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

#define RECLAIM (1U << COMMAND_RECLAIM)
#define INSTALL (1U << COMMAND_BALLOON_INSTALL)
#define DRAIN (1U << COMMAND_BALLOON_DRAIN)
#define MADVISE (1U << COMMAND_MADVISE_RANGES)
#define INSPECT (1U << COMMAND_INSPECT)
#define SNAPSHOT (1U << COMMAND_SNAPSHOT)
#define PAUSE (1U << COMMAND_PAUSE)
#define MERGE (1U << COMMAND_MERGE)
#define SHARE (1U << COMMAND_SHARE)
#define DOCTOR (1U << COMMAND_DOCTOR)
#define STATUS (1U << COMMAND_STATUS)
#define RESUME (1U << COMMAND_RESUME)
#define EXEC (1U << COMMAND_EXEC)
#define ALL ((1U << COMMANDS) - 1)

const struct option_def options[OPTIONS] = {
	[OPT_API_SOCK] = {"api-sock", 0, KIND_TEXT, "PATH", ALL, NULL, {0}, "Firecracker's API socket"},
	[OPT_ENVD] = {"envd", 0, KIND_URL, "URL", ALL, NULL, {0}, "envd's address, http://IP:49983"},
	[OPT_ENVD_TOKEN_FILE] = {"envd-token-file", 0, KIND_TEXT, "FILE", ALL, NULL, {0},
		"file whose first line is envd's access token"},
	[OPT_FLAGS] = {"flags", 0, KIND_TEXT, "FILE", ALL, NULL, {0},
		"feature flags: {\"flagValues\": {\"reclaim-on-pause\": MS, \"free-page-hinting\": MS}}"},
	[OPT_STRICT_FLAGS] = {"strict-flags", 0, KIND_SWITCH, NULL, ALL, NULL, {0},
		"a flags file that is not right is an error, not a warning"},
	[OPT_USE] = {"use", 0, KIND_CHOICE, "USE", ALL, "pause", {"pause", "build"},
		"which of a flag's figures counts: pause or build"},
	[OPT_TIMEOUT_MS] = {"timeout-ms", 0, KIND_WAIT_MS, "N", ALL, "2000", {0},
		"longest wait for one answer of the API"},
	[OPT_WAIT_LOCK_MS] = {"wait-lock-ms", 0, KIND_MS, "N", ALL, NULL, {0},
		"longest wait for another fcpause on the VM or the files (without it: none)"},
	[OPT_BEST_EFFORT] = {"best-effort", 0, KIND_SWITCH, NULL, ALL, NULL, {0},
		"a step that fails is a warning, exit 0"},
	[OPT_DRY_RUN] = {"dry-run", 'n', KIND_SWITCH, NULL, ALL, NULL, {0},
		"print the plan and where each setting came from; change nothing"},
	[OPT_JSON] = {"json", 0, KIND_SWITCH, NULL, ALL, NULL, {0}, "one JSON object on stdout, on failure too"},
	[OPT_QUIET] = {"quiet", 'q', KIND_SWITCH, NULL, ALL, NULL, {0}, "errors only"},
	[OPT_VERBOSE] = {"verbose", 'v', KIND_SWITCH, NULL, ALL, NULL, {0}, "the plan on stderr, too"},

	[OPT_RECLAIM] = {"reclaim", 0, KIND_TOGGLE, NULL, RECLAIM | PAUSE | DOCTOR, NULL, {0},
		"reclaim in the guest, or not, whatever the flags say"},
	[OPT_STEPS] = {"steps", 0, KIND_LIST, "LIST", RECLAIM | PAUSE, "sync,drop_caches,compact_memory,fstrim", {0},
		"which steps, in this order"},
	[OPT_STEP_TIMEOUT_MS] = {"step-timeout-ms", 0, KIND_STEP_MS, "STEP=N", RECLAIM | PAUSE, NULL, {0},
		"a step's own cap; 0 turns it off; may be repeated (500, 200, 1000, 500)"},
	[OPT_RECLAIM_TIMEOUT_MS] = {"reclaim-timeout-ms", 0, KIND_MS, "N", RECLAIM | PAUSE, NULL, {0},
		"ceiling of all steps together; 0 is off (the caps' sum + 500)"},

	[OPT_AMOUNT_MIB] = {"amount-mib", 0, KIND_MIB, "N", INSTALL, "0", {0}, "the balloon's size"},
	[OPT_FREE_PAGE_HINTING] = {"free-page-hinting", 0, KIND_TOGGLE, NULL, INSTALL, "on", {0},
		"arm hinting, which balloon-drain needs"},
	[OPT_FREE_PAGE_REPORTING] = {"free-page-reporting", 0, KIND_TOGGLE, NULL, INSTALL, "off", {0},
		"let the guest report free pages all the time"},
	[OPT_DEFLATE_ON_OOM] = {"deflate-on-oom", 0, KIND_TOGGLE, NULL, INSTALL, "off", {0},
		"give memory back to a guest that runs out of it"},

	[OPT_DRAIN] = {"drain", 0, KIND_TOGGLE, NULL, DRAIN | PAUSE | DOCTOR, NULL, {0},
		"drain through the balloon, or not, whatever the flags say"},
	[OPT_FPH_TIMEOUT_MS] = {"fph-timeout-ms", 0, KIND_MS, "N", DRAIN | PAUSE, "1500", {0},
		"ceiling of the hinting run; 0 is off"},
	[OPT_STOP] = {"stop", 0, KIND_SWITCH, NULL, DRAIN, NULL, {0},
		"start no run: stop one that was left open"},
	[OPT_METRICS_PATH] = {"metrics-path", 0, KIND_TEXT, "FILE", DRAIN | SNAPSHOT | PAUSE, NULL, {0},
		"Firecracker's metrics file: what was freed, and how long things took"},

	[OPT_SNAPSHOT_PATH] = {"snapshot-path", 0, KIND_TEXT, "FILE", SNAPSHOT | PAUSE | RESUME, NULL, {0},
		"the snapshot file: to write, or to load"},
	[OPT_MEM_FILE_PATH] = {"mem-file-path", 0, KIND_TEXT, "FILE", MADVISE | INSPECT | SNAPSHOT | PAUSE | RESUME | DOCTOR | SHARE, NULL, {0},
		"the memory file"},
	[OPT_TYPE] = {"type", 0, KIND_CHOICE, "TYPE", SNAPSHOT | PAUSE, "auto", {"auto", "full", "diff"},
		"auto (Diff where it is complete, else Full), full or diff"},
	[OPT_WRITER] = {"writer", 0, KIND_CHOICE, "WHO", SNAPSHOT | PAUSE, "auto", {"auto", "fcpause", "firecracker"},
		"who writes the memory file: auto (fcpause where it can), fcpause or firecracker"},
	[OPT_BASE] = {"base", 0, KIND_TEXT, "FILE", SNAPSHOT | PAUSE | MERGE | MADVISE | INSPECT | DOCTOR, NULL, {0},
		"the memory file that the VM was restored from, where it is not found; or that the layers lie on, or "
		"the file is compared with"},
	[OPT_LAYER] = {"layer", 0, KIND_SWITCH, NULL, SNAPSHOT | PAUSE, NULL, {0},
		"write only what differs from the memory file that the VM was restored from"},
	[OPT_LAYERS] = {"layer", 0, KIND_FILES, "FILE", MERGE, NULL, {0},
		"a layer; may be repeated: each lies on what those before it make"},
	[OPT_SHARE] = {"share", 0, KIND_FILES, "FILE", SNAPSHOT | PAUSE | SHARE | INSPECT, NULL, {0},
		"share storage with this file (inspect: look there) where it has the same bytes: a disk image, a memory file; may be repeated"},
	[OPT_OUT] = {"out", 0, KIND_TEXT, "FILE", MERGE, NULL, {0}, "the memory file to write"},
	[OPT_ANY_BASE] = {"any-base", 0, KIND_SWITCH, NULL, MERGE, NULL, {0},
		"take layers too of which it is not recorded what they lie on"},
	[OPT_BUFFER_MIB] = {"buffer-mib", 0, KIND_MIB_AUTO, "N", SNAPSHOT | PAUSE, "auto", {0},
		"with --resume: memory to copy pages to, so that the guest need not wait for the disk; auto or 0"},
	[OPT_VERIFY] = {"verify", 0, KIND_SWITCH, NULL, SNAPSHOT | PAUSE, NULL, {0},
		"compare what fcpause wrote with the VM's memory before the VM goes on"},
	[OPT_RESUME] = {"resume", 0, KIND_SWITCH, NULL, SNAPSHOT | PAUSE, NULL, {0},
		"resume the VM after success too"},
	[OPT_FORCE] = {"force", 0, KIND_SWITCH, NULL, SNAPSHOT | PAUSE | MERGE, NULL, {0},
		"replace files that are there, when the new ones are whole"},
	[OPT_CHROOT_BASE] = {"chroot-base", 0, KIND_TEXT, "DIR", SNAPSHOT | PAUSE | RESUME | DOCTOR, NULL, {0},
		"Firecracker's root, if the jailer gave it one (found by itself where it can be)"},
	[OPT_SNAPSHOT_TIMEOUT_MS] = {"snapshot-timeout-ms", 0, KIND_WAIT_MS, "N", SNAPSHOT | PAUSE, NULL, {0},
		"longest wait for the creation (2 min + 1 s per 50 MiB of guest)"},

	[OPT_TRACK_DIRTY_PAGES] = {"track-dirty-pages", 0, KIND_SWITCH, NULL, RESUME, NULL, {0},
		"have Firecracker track which pages the loaded VM writes to"},
	[OPT_LOAD_TIMEOUT_MS] = {"load-timeout-ms", 0, KIND_WAIT_MS, "N", RESUME, "60000", {0},
		"longest wait for Firecracker to load the files"},
	[OPT_ENVD_TIMEOUT_MS] = {"envd-timeout-ms", 0, KIND_WAIT_MS, "N", RESUME, "30000", {0},
		"longest wait for envd to answer"},
	[OPT_PID] = {"pid", 0, KIND_PID, "N", MADVISE, NULL, {0},
		"instead of a file: the Firecracker whose Paused VM's memory is meant; needs --api-sock"},
	[OPT_FIND] = {"find", 0, KIND_LIST, "LIST", MADVISE | SNAPSHOT | PAUSE, "free,zero", {0},
		"what to release or leave out: free (pages that the guest holds free), zero; with --list also base "
		"(as in the base) and changed"},
	[OPT_RANGES] = {"ranges", 0, KIND_TEXT, "FILE", MADVISE, NULL, {0},
		"release these ranges, a line `START LENGTH` each; - is stdin"},
	[OPT_HOLES] = {"holes", 0, KIND_CHOICE, "MEANING", MADVISE | INSPECT, NULL, {"zero", "base"},
		"what the file's holes mean: zero (a whole memory file) or base (a Diff layer)"},
	[OPT_MIN_RUN] = {"min-run", 0, KIND_BYTES, "BYTES", MADVISE | SNAPSHOT | PAUSE | SHARE | INSPECT, "4096", {0},
		"leave shorter runs alone: do not release them, or not share them"},
	[OPT_ALIGN] = {"align", 0, KIND_BYTES, "BYTES", MADVISE, "4096", {0},
		"cut ranges down to multiples of it, as 2M for huge pages; a power of two"},
	[OPT_LIST] = {"list", 0, KIND_SWITCH, NULL, MADVISE, NULL, {0},
		"print the ranges and what they are, as --ranges reads them; release nothing"},
	[OPT_TRIM] = {"trim", 0, KIND_TOGGLE, NULL, PAUSE, "on", {0},
		"release pages of the memory file as the last step"},
	[OPT_STRICT] = {"strict", 0, KIND_SWITCH, NULL, PAUSE, NULL, {0},
		"exit 4 when a best-effort step fell short"},

	[OPT_SCRIPT] = {"script", 0, KIND_TEXT, "TEXT", EXEC, NULL, {0},
		"run this by /bin/sh -c instead; words that follow are its $1, $2, ..."},
	[OPT_USER] = {"user", 0, KIND_TEXT, "USER", EXEC, "root", {0}, "run it as this user of the guest"},
	[OPT_EXEC_TIMEOUT_MS] = {"exec-timeout-ms", 0, KIND_WAIT_MS, "N", EXEC, "60000", {0},
		"kill it when it has not ended then"},

	[OPT_BEFORE] = {"before", 0, KIND_TEXT, "FILE", INSPECT, NULL, {0},
		"one memory file beside another: the one that was; with --after"},
	[OPT_AFTER] = {"after", 0, KIND_TEXT, "FILE", INSPECT, NULL, {0}, "and the one that it became"},
	[OPT_SVG] = {"svg", 0, KIND_TEXT, "FILE", INSPECT, NULL, {0},
		"write the map there as a picture; - is stdout, instead of the text"},
	[OPT_COLOR] = {"color", 0, KIND_CHOICE, "WHEN", INSPECT, "auto", {"auto", "always", "never"},
		"colours: auto (on a terminal that has them, without NO_COLOR), always or never"},

	[OPT_HELP] = {"help", 'h', KIND_ACTION, NULL, ALL, NULL, {0}, "this text"},
	[OPT_VERSION] = {"version", 'V', KIND_ACTION, NULL, ALL, NULL, {0}, "the version"},
};
