// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

static const char help[] =
	"usage: fcpause-sim --api-sock PATH [option]...\n"
	"One simulated microVM: a Firecracker API (Unix socket) and an envd (TCP).\n"
	"\n"
	"Commands of the guest run on this machine, in namespaces of their own (user, mount, "
	"process ids):\n"
	"they see a directory in TMPDIR as their root, the host's programs read-only, and nothing "
	"else of the\n"
	"host but its network. Where such namespaces are not permitted, envd refuses every "
	"command.\n"
	"\n"
	"  --api-sock PATH           the API's socket\n"
	"  --envd-port N             envd's port on 127.0.0.1 (0: any free one, the default)\n"
	"  --no-envd                 no envd\n"
	"  --memory MIB              guest memory (64)\n"
	"  --backing anonymous|memfd\n"
	"  --memory-content FILE     guest memory begins with these bytes\n"
	"  --balloon JSON            a balloon from the start, as in PUT /balloon\n"
	"  --config-file FILE        as Firecracker's: a VM that is configured from it, and "
	"booted\n"
	"  --boot                    start in state Running, the driver up\n"
	"  --driver-delay-ms N       the balloon driver is up N ms after boot (0); -1: never\n"
	"  --hinting-ms N            a hinting run takes N ms on a booted VM (5)\n"
	"                            0: over before the start is answered; -1: never ends\n"
	"  --resumed-hinting-ms N    the same on a VM that was loaded (-1)\n"
	"  --guest-ms N              the guest answers a command after N ms (1); -1: never\n"
	"  --return-ms N             after done or stop the guest takes its pages back in N ms "
	"(1)\n"
	"  --guest-cmd normal|ahead|null\n"
	"  --workload FILL,FREE,CACHE  at boot, in MiB\n"
	"  --snapshot-ms N           a snapshot takes at least N ms (0)\n"
	"  --memory-open last|first|nonblock  a snapshot's memory file: when the state file is "
	"closed,\n"
	"                            as Firecracker does (last); before it; so that a FIFO stops "
	"nothing\n"
	"  --state-damage none|crc|magic|cut  what is wrong with the state files that are written\n"
	"  --state-format new|old    the magic number after one byte (1.16), or at the beginning\n"
	"  --paused-writes           the event loop goes on to write guest memory while the VM is "
	"Paused\n"
	"  --space-limit DIR=BYTES   a memory file below DIR gets no more than BYTES (then "
	"ENOSPC)\n"
	"  --request-log FILE        a line a request\n"
	"  --clock-log FILE          a line an event, CLOCK_MONOTONIC ns last\n"
	"  --fault 'METHOD PATH KIND[=ARG][@N[+]]'  repeatable\n"
	"  --guest-missing A,B       programs that the guest lacks\n"
	"  --guest-share DIR         this directory of the host is the guest's too, under the same "
	"name\n"
	"  --guest-files DIR         copies of what is in there are in the guest's root\n"
	"  --fstrim ok|unsupported|fail\n"
	"  --step-ms STEP=N          how long sync, drop_caches, compact_memory, fstrim take\n"
	"  --token T                 envd wants X-Access-Token T\n"
	"  --uffd-handler SOCKET --mem-file-path FILE  no VM: a page-fault handler, for a VM that "
	"is\n"
	"                            loaded with the backend Uffd; ends when that one ends\n"
	"  --die-with-parent         SIGKILL when the parent ends\n"
	"  --help\n";

static _Noreturn void bad(const char *what, const char *value)
{
	fprintf(stderr, "fcpause-sim: %s: %s\n", what, value);
	exit(2);
}

static int to_long(const char *text, long *ret)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (errno || end == text || *end)
		return -1;
	*ret = n;
	return 0;
}

static long number(const char *option, const char *text, long least)
{
	long n = 0;

	if (to_long(text, &n) || n < least)
		bad(option, "a number is wanted");
	return n;
}

static int set_step(struct sim_options *o, const char *text)
{
	char name[32];
	long n;
	const char *eq = strchr(text, '=');
	int step;

	if (!eq || (size_t)(eq - text) >= sizeof(name) || to_long(eq + 1, &n) || n < 0)
		return -1;
	memcpy(name, text, (size_t)(eq - text));
	name[eq - text] = '\0';
	step = options_step(name);
	if (step < 0)
		return -1;
	o->step_ms[step] = n;
	return 0;
}

static int set_workload(struct sim_options *o, const char *text)
{
	char rest;

	if (sscanf(text, "%ld,%ld,%ld%c", &o->fill_mib, &o->free_mib, &o->cache_mib, &rest) != 3)
		return -1;
	return o->fill_mib < 0 || o->free_mib < 0 || o->cache_mib < 0 ? -1 : 0;
}

static int set_space_limit(struct sim_options *o, char *text)
{
	char *eq = strrchr(text, '=');

	if (!eq || to_long(eq + 1, &o->space_limit_bytes) || o->space_limit_bytes < 0)
		return -1;
	*eq = '\0';
	o->space_limit_dir = text;
	return 0;
}

static int set_either(const char *text, const char *no, const char *yes, bool *ret)
{
	*ret = !strcmp(text, yes);
	return *ret || !strcmp(text, no) ? 0 : -1;
}

enum {
	OPT_API_SOCK = 256,
	OPT_ENVD_PORT,
	OPT_NO_ENVD,
	OPT_MEMORY,
	OPT_BACKING,
	OPT_MEMORY_CONTENT,
	OPT_BALLOON,
	OPT_CONFIG_FILE,
	OPT_BOOT,
	OPT_DRIVER_DELAY,
	OPT_HINTING,
	OPT_RESUMED_HINTING,
	OPT_GUEST,
	OPT_RETURN,
	OPT_GUEST_CMD,
	OPT_WORKLOAD,
	OPT_SNAPSHOT,
	OPT_SPACE_LIMIT,
	OPT_REQUEST_LOG,
	OPT_MEMORY_OPEN,
	OPT_STATE_DAMAGE,
	OPT_STATE_FORMAT,
	OPT_PAUSED_WRITES,
	OPT_UFFD_HANDLER,
	OPT_MEM_FILE,
	OPT_GUEST_SHARE,
	OPT_GUEST_FILES,
	OPT_CLOCK_LOG,
	OPT_FAULT,
	OPT_GUEST_MISSING,
	OPT_FSTRIM,
	OPT_STEP,
	OPT_TOKEN,
	OPT_DIE_WITH_PARENT,
	OPT_HELP,
};

static const struct option long_options[] = {
	{"api-sock", required_argument, NULL, OPT_API_SOCK},
	{"envd-port", required_argument, NULL, OPT_ENVD_PORT},
	{"no-envd", no_argument, NULL, OPT_NO_ENVD},
	{"memory", required_argument, NULL, OPT_MEMORY},
	{"backing", required_argument, NULL, OPT_BACKING},
	{"memory-content", required_argument, NULL, OPT_MEMORY_CONTENT},
	{"balloon", required_argument, NULL, OPT_BALLOON},
	{"config-file", required_argument, NULL, OPT_CONFIG_FILE},
	{"boot", no_argument, NULL, OPT_BOOT},
	{"driver-delay-ms", required_argument, NULL, OPT_DRIVER_DELAY},
	{"hinting-ms", required_argument, NULL, OPT_HINTING},
	{"resumed-hinting-ms", required_argument, NULL, OPT_RESUMED_HINTING},
	{"guest-ms", required_argument, NULL, OPT_GUEST},
	{"return-ms", required_argument, NULL, OPT_RETURN},
	{"guest-cmd", required_argument, NULL, OPT_GUEST_CMD},
	{"workload", required_argument, NULL, OPT_WORKLOAD},
	{"snapshot-ms", required_argument, NULL, OPT_SNAPSHOT},
	{"memory-open", required_argument, NULL, OPT_MEMORY_OPEN},
	{"state-damage", required_argument, NULL, OPT_STATE_DAMAGE},
	{"state-format", required_argument, NULL, OPT_STATE_FORMAT},
	{"paused-writes", no_argument, NULL, OPT_PAUSED_WRITES},
	{"uffd-handler", required_argument, NULL, OPT_UFFD_HANDLER},
	{"mem-file-path", required_argument, NULL, OPT_MEM_FILE},
	{"space-limit", required_argument, NULL, OPT_SPACE_LIMIT},
	{"request-log", required_argument, NULL, OPT_REQUEST_LOG},
	{"clock-log", required_argument, NULL, OPT_CLOCK_LOG},
	{"fault", required_argument, NULL, OPT_FAULT},
	{"guest-missing", required_argument, NULL, OPT_GUEST_MISSING},
	{"guest-share", required_argument, NULL, OPT_GUEST_SHARE},
	{"guest-files", required_argument, NULL, OPT_GUEST_FILES},
	{"fstrim", required_argument, NULL, OPT_FSTRIM},
	{"step-ms", required_argument, NULL, OPT_STEP},
	{"token", required_argument, NULL, OPT_TOKEN},
	{"die-with-parent", no_argument, NULL, OPT_DIE_WITH_PARENT},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

static int set_text(struct sim_options *o, int opt, char *arg)
{
	switch (opt) {
	case OPT_API_SOCK:
		o->api_sock = arg;
		return 0;
	case OPT_BALLOON:
		o->balloon = arg;
		return 0;
	case OPT_CONFIG_FILE:
		o->config_file = arg;
		return 0;
	case OPT_REQUEST_LOG:
		o->request_log = arg;
		return 0;
	case OPT_CLOCK_LOG:
		o->clock_log = arg;
		return 0;
	case OPT_GUEST_MISSING:
		o->guest_missing = arg;
		return 0;
	case OPT_GUEST_SHARE:
		o->guest_share = arg;
		return *arg == '/' ? 0 : -1;
	case OPT_GUEST_FILES:
		o->guest_files = arg;
		return 0;
	case OPT_TOKEN:
		o->token = arg;
		return 0;
	case OPT_UFFD_HANDLER:
		o->uffd_handler = arg;
		return 0;
	case OPT_MEM_FILE:
		o->uffd_mem_file = arg;
		return 0;
	case OPT_NO_ENVD:
		o->no_envd = true;
		return 0;
	case OPT_BOOT:
		o->boot = true;
		return 0;
	case OPT_PAUSED_WRITES:
		o->paused_writes = true;
		return 0;
	case OPT_DIE_WITH_PARENT:
		o->die_with_parent = true;
		return 0;
	case OPT_MEMORY_CONTENT:
		o->memory_content = arg;
		return 0;
	case OPT_BACKING:
		return set_either(arg, "anonymous", "memfd", &o->memfd);
	case OPT_MEMORY_OPEN:
		return options_set_word(o, "memory_open", arg);
	case OPT_STATE_DAMAGE:
		return options_set_word(o, "state_damage", arg);
	case OPT_STATE_FORMAT:
		return set_either(arg, "new", "old", &o->old_state_file);
	case OPT_GUEST_CMD:
		return options_set_word(o, "guest_cmd", arg);
	case OPT_FSTRIM:
		return options_set_word(o, "fstrim", arg);
	case OPT_STEP:
		return set_step(o, arg);
	case OPT_WORKLOAD:
		return set_workload(o, arg);
	case OPT_SPACE_LIMIT:
		return set_space_limit(o, arg);
	default:
		return -1;
	}
}

static long *number_of(struct sim_options *o, int opt, long *ret_least)
{
	*ret_least = -1;
	switch (opt) {
	case OPT_DRIVER_DELAY:
		return &o->driver_delay_ms;
	case OPT_HINTING:
		return &o->hinting_ms;
	case OPT_RESUMED_HINTING:
		return &o->resumed_hinting_ms;
	case OPT_GUEST:
		return &o->guest_ms;
	}
	*ret_least = 0;
	switch (opt) {
	case OPT_RETURN:
		return &o->return_ms;
	case OPT_SNAPSHOT:
		return &o->snapshot_ms;
	case OPT_ENVD_PORT:
		return &o->envd_port;
	case OPT_MEMORY:
		*ret_least = 16;
		return &o->memory_mib;
	default:
		return NULL;
	}
}

static const char *name_of(int opt)
{
	for (size_t i = 0; long_options[i].name; i++) {
		if (long_options[i].val == opt)
			return long_options[i].name;
	}
	return "?";
}

static void take(struct sim_options *o, int opt)
{
	long least;
	long *n = number_of(o, opt, &least);

	if (opt == '?')
		exit(2);
	if (opt == OPT_HELP) {
		fputs(help, stdout);
		exit(0);
	}
	if (opt == OPT_FAULT) {
		if (o->fault_count == SIM_MAX_FAULTS)
			bad("--fault", "too many");
		o->faults[o->fault_count++] = optarg;
	} else if (n) {
		*n = number(name_of(opt), optarg, least);
	} else if (set_text(o, opt, optarg)) {
		bad(name_of(opt), optarg);
	}
}

int options_parse(struct sim_options *o, int argc, char **argv)
{
	int opt;

	*o = (struct sim_options){
		.memory_mib = 64,
		.hinting_ms = 5,
		.resumed_hinting_ms = -1,
		.guest_ms = 1,
		.return_ms = 1,
		.fstrim = SIM_FSTRIM_UNSUPPORTED,
	};
	while ((opt = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		take(o, opt);
	if (optind < argc)
		bad("not an option", argv[optind]);
	if (!o->uffd_handler != !o->uffd_mem_file)
		bad("--uffd-handler", "wants --mem-file-path too");
	if (!o->api_sock && !o->uffd_handler)
		bad("--api-sock", "missing (see --help)");
	if (o->envd_port > 65535)
		bad("--envd-port", "a port is wanted");
	return 0;
}
