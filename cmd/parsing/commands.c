// SPDX-License-Identifier: Apache-2.0
#include "cmd/parsing/options.h"

#include "cmd/commands/commands.h"
#include "cmd/output/output.h"

#include <string.h>

const struct command commands[COMMANDS] = {
	[COMMAND_RECLAIM] =
		{
			.name = "reclaim",
			.summary = "ask the guest, through envd, to free what it does not need",
			.doc = "Runs sync, drop_caches, compact_memory and fstrim in the guest, "
			       "each under a cap "
			       "of its own. The VM's state is not changed.",
			.run = command_reclaim,
			.needs = "--envd URL",
			.example = "reclaim --envd http://10.0.0.2:49983 --steps sync,drop_caches",
		},
	[COMMAND_BALLOON_INSTALL] =
		{
			.name = "balloon-install",
			.summary = "install the balloon that balloon-drain needs, before boot",
			.doc = "Installs a balloon of size 0 with free page hinting armed. One "
			       "with equal "
			       "settings may be there already.",
			.run = command_balloon_install,
			.needs = "--api-sock PATH",
			.example = "balloon-install --api-sock fc.sock",
		},
	[COMMAND_BALLOON_DRAIN] =
		{
			.name = "balloon-drain",
			.summary = "run free page hinting once, with a time limit",
			.doc = "Asks the guest to hand out its free pages, so that Firecracker "
			       "gives them back "
			       "to the host. A run that is not done at the ceiling is stopped.",
			.run = command_balloon_drain,
			.needs = "--api-sock PATH",
			.example = "balloon-drain --api-sock fc.sock --fph-timeout-ms 3s",
		},
	[COMMAND_MADVISE_RANGES] =
		{
			.name = "madvise-ranges",
			.summary = "punch holes in a memory file where its guest needs no pages",
			.doc = "Finds pages that the paused guest holds free, and pages of zeros, "
			       "or takes "
			       "ranges, and makes holes of them. The file's size stays as it is; "
			       "free pages "
			       "read as zeros then.",
			.run = command_madvise_ranges,
			.needs = "--mem-file-path FILE",
			.example = "madvise-ranges --mem-file-path vm.mem --list",
		},
	[COMMAND_INSPECT] =
		{
			.name = "inspect",
			.summary = "show what a memory file holds and what takes up storage",
			.doc = "Says why a snapshot is still this big: which pages of its memory "
			       "file are free, "
			       "zeros, page cache, ..., which of them occupy storage, and what "
			       "would release "
			       "them; with a map. Changes nothing. With several files, a report "
			       "each.",
			.run = command_inspect,
			.needs = "--mem-file-path FILE",
			.operands = "[FILE...]",
			.example = "inspect --mem-file-path vm.mem --svg map.svg",
		},
	[COMMAND_SNAPSHOT] =
		{
			.name = "snapshot",
			.summary = "pause the VM and create its snapshot",
			.doc = "Creates both files whole or not at all; resumes the VM when that "
			       "fails.",
			.run = command_snapshot,
			.needs = "--api-sock PATH --snapshot-path FILE --mem-file-path FILE",
			.example = "snapshot --api-sock sock --snapshot-path s --mem-file-path m",
		},
	[COMMAND_PAUSE] =
		{
			.name = "pause",
			.summary = "reclaim, drain, snapshot and trim, in this order",
			.doc = "Only the snapshot can fail a pause; the other steps are best "
			       "effort.",
			.run = command_pause,
			.needs = "--api-sock PATH --snapshot-path FILE --mem-file-path FILE",
			.example = "pause --api-sock sock --snapshot-path s --mem-file-path m",
		},
	[COMMAND_MERGE] =
		{
			.name = "merge",
			.summary = "merge a base and its layers into one memory file",
			.doc = "Copies the base, by reflinks where the file system has them, and "
			       "puts each "
			       "layer's data over it. Only the file --out is written, whole or not "
			       "at all.",
			.run = command_merge,
			.needs = "--base FILE --layer FILE --out FILE",
			.example = "merge --base vm.mem --layer 1.mem --layer 2.mem --out out.mem",
		},
	[COMMAND_SHARE] =
		{
			.name = "share",
			.summary = "let a memory file share its storage with other files",
			.doc = "Replaces the memory file by an equal one that shares the storage "
			       "of what is in "
			       "the files --share as well. They are only read.",
			.run = command_share,
			.needs = "--mem-file-path FILE --share FILE",
			.example = "share --mem-file-path vm.mem --share rootfs.img",
		},
	[COMMAND_DOCTOR] =
		{
			.name = "doctor",
			.summary = "check what a pause of the VM can do, and what prevents it",
			.doc = "Looks at Firecracker, its process, the guest, and the place of the "
			       "files, and "
			       "says of each whether it is fine, why it matters, and what to do. "
			       "Changes "
			       "nothing.",
			.run = command_doctor,
			.needs = "--api-sock PATH",
			.example = "doctor --api-sock fc.sock --mem-file-path vm.mem",
		},
	[COMMAND_STATUS] =
		{
			.name = "status",
			.summary = "show the VM's state, memory and balloon",
			.doc = "Asks Firecracker and /proc; changes nothing, and waits for no "
			       "other run. With "
			       "several sockets, a report each.",
			.run = command_status,
			.needs = "--api-sock PATH",
			.operands = "[PATH...]",
			.example = "status --api-sock fc.sock",
		},
	[COMMAND_RESUME] =
		{
			.name = "resume",
			.summary = "resume a paused VM, or one from its snapshot",
			.doc = "Resumes the VM, after putting right what a killed fcpause has "
			       "left; with both "
			       "files, loads them first, into a Firecracker that was just started. "
			       "With --envd, "
			       "waits until the guest answers.",
			.run = command_resume,
			.needs = "--api-sock PATH",
			.example = "resume --api-sock sock --snapshot-path s --mem-file-path m",
		},
	[COMMAND_EXEC] =
		{
			.name = "exec",
			.summary = "run a command in the guest, through envd",
			.doc = "Runs the command as it is; what it writes goes to stdout and "
			       "stderr as it comes. "
			       "Exits as the command does.",
			.run = command_exec,
			.needs = "--envd URL",
			.operands = "[--] COMMAND [ARG...]",
			.verbatim = true,
			.failure = EXIT_EXEC_FAILED,
			.example = "exec --envd http://10.0.0.2:49983 -- ls -l /root",
		},
};

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}
