// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/error.h"
#include "base/nearest.h"
#include "cmd/completion/completion.h"
#include "cmd/confine/confine.h"
#include "cmd/output/log.h"
#include "cmd/output/output.h"
#include "cmd/output/shown.h"
#include "cmd/output/trace.h"
#include "cmd/parsing/help.h"
#include "cmd/parsing/options.h"
#include "cmd/parsing/parse.h"
#include "cmd/schema/schema.h"
#include "cmd/settings/metrics_path.h"
#include "cmd/signals.h"
#include "cmd/telemetry/telemetry.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A failed write is an error and is reported. */
static int end_output(FILE *out, const char *command, int exit_code)
{
	const struct log log = log_open(command, false);
	char text[128];

	if (fflush(out) == 0 && !ferror(out))
		return exit_code;
	snprintf(text, sizeof(text), "%s: %s", out == stdout ? "stdout" : "stderr",
		 strerror(errno));
	log_line(&log, LEVEL_ERROR, "", text);
	return EXIT_FAILED;
}

static int print_overview(FILE *out, int exit_code)
{
	fputs("Usage: fcpause COMMAND [OPTION...]\n"
	      "Make the snapshot of a Firecracker microVM small, and its pause short and safe.\n\n",
	      out);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-16s %s\n", commands[i].name, commands[i].summary);
	fputs("\n  fcpause COMMAND --help   the command's common options; --help=all: each\n"
	      "  fcpause schema           the JSON Schema of what --json prints\n"
	      "  fcpause completion SHELL bash, zsh or fish\n"
	      "  fcpause --version\n",
	      out);
	return end_output(out, NULL, exit_code);
}

static int print_version(bool json)
{
	FCP_CLEANUP(json) struct fcp_json *object = json ? fcp_json_object() : NULL;
	FCP_CLEANUP(free) char *text = NULL;
	int bad = 0;

	if (!json) {
		printf("fcpause %s\n", fcp_version());
		return end_output(stdout, NULL, EXIT_DONE);
	}
	bad |= fcp_json_set_string(object, "schema", "fcpause/1");
	bad |= fcp_json_set_string(object, "command", "version");
	bad |= fcp_json_set_string(object, "version", fcp_version());
	bad |= fcp_json_set_string(object, "status", "ok");
	text = bad ? NULL : fcp_json_text(object);
	if (!text)
		return EXIT_FAILED;
	puts(text);
	return end_output(stdout, NULL, EXIT_DONE);
}

static int print_schema(void)
{
	fputs(schema_text, stdout);
	return end_output(stdout, NULL, EXIT_DONE);
}

/* A closed standard descriptor would be reused by the next open(2), and that file read or written
 * in its place. The replacements fail like a closed one: they cannot be read, or cannot be
 * written. */
static void keep_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

/* -vv, --trace. */
static int open_trace(const struct invocation *invocation, struct trace *trace_,
		      struct fcp_error *err)
{
	const struct log log = invocation_log(invocation);

	return trace_open(&log, invocation->values[OPT_VERBOSE].times > 1,
			  text_of(invocation, OPT_TRACE), trace_, err);
}

/* Reports a bad command line, or a file that cannot be opened. */
static int refuse(struct invocation *invocation, const struct fcp_error *err)
{
	int exit_code = output_error(invocation, err);

	telemetry_end(invocation->telemetry, invocation, exit_code);
	return exit_code;
}

static int run_command(struct invocation *invocation)
{
	struct trace trace;
	struct fcp_error err;
	int exit_code;

	if (open_trace(invocation, &trace, &err) != 0)
		return refuse(invocation, &err);
	unknown_variables_find(&invocation->unknown);
	metrics_path_check(invocation);
	confine(invocation);
	signal(SIGPIPE, SIG_IGN); /* a closed stdout is reported as an error */
	invocation->signals = signals_open(invocation, &trace);
	invocation->cancel_fd = signals_cancel_fd(invocation->signals);
	exit_code = invocation->command->run(invocation);
	telemetry_end(invocation->telemetry, invocation, exit_code);
	signals_close(invocation->signals);
	trace_close(&trace);
	return exit_code;
}

static int help(const struct command *command, bool all)
{
	print_help(command, all, stdout);
	return end_output(stdout, command->name, EXIT_DONE);
}

static int run(const struct command *command, int argc, char **argv)
{
	struct invocation invocation = {.cancel_fd = -1,
					.command = command,
					.id = (enum command_id)(command - commands)};
	struct telemetry telemetry;
	struct fcp_error err;
	int parsed, exit_code;

	timestamp(invocation.start_time);
	parsed = parse(argc, argv, &invocation, &err);
	if (invocation.help) {
		exit_code = help(command, invocation.help_all);
	} else if (invocation.version) {
		exit_code = print_version(invocation.values[OPT_JSON].on);
	} else {
		telemetry_begin(&telemetry, command->name);
		invocation.telemetry = &telemetry;
		exit_code = parsed == 0 ? run_command(&invocation) : refuse(&invocation, &err);
	}
	invocation_clear(&invocation);
	return exit_code;
}

/* An error before the command is known, reported as JSON too if that was requested. */
static int no_command(bool json, const char *format, ...) FCP_PRINTF(2, 3);

static int no_command(bool json, const char *format, ...)
{
	struct invocation invocation = {.cancel_fd = -1};
	struct fcp_error err = {.error_class = FCP_ERR_USAGE};
	va_list args;

	va_start(args, format);
	vsnprintf(err.message, sizeof(err.message), format, args);
	va_end(args);
	timestamp(invocation.start_time);
	invocation.values[OPT_JSON].on = json;
	return output_error(&invocation, &err);
}

static int unknown_command(const char *word, bool json)
{
	struct fcp_nearest nearest = {word, strlen(word), FCP_NEAREST_NONE, ""};
	FCP_CLEANUP(free) char *name = shown_text(word);
	char hint[FCP_NEAREST_HINT_BYTES];

	if (word[0] == '-')
		return no_command(json,
				  "'%s' stands before the command, and options follow it: "
				  "fcpause COMMAND [OPTION...]",
				  name ? name : "");
	for (size_t i = 0; i < COMMANDS; i++)
		fcp_nearest_try(&nearest, commands[i].name);
	for (const struct plain_word *plain = plain_words; plain->name; plain++)
		fcp_nearest_try(&nearest, plain->name);
	return no_command(json, "unknown command '%s'%s (see fcpause --help)", name ? name : "",
			  fcp_nearest_hint(&nearest, hint));
}

static bool is_one_of(const char *word, const char *a, const char *b, const char *c)
{
	return strcmp(word, a) == 0 || strcmp(word, b) == 0 || strcmp(word, c) == 0;
}

/* Without a command, `--json` may be anywhere. */
static int run_without_command(const char *word, bool json)
{
	if (!word && json)
		return no_command(true, "a command is needed (see fcpause --help)");
	if (!word)
		return print_overview(stderr, EXIT_USAGE);
	if (is_one_of(word, "--help", "-h", "help"))
		return print_overview(stdout, EXIT_DONE);
	if (is_one_of(word, "--version", "-V", "version"))
		return print_version(json);
	if (strcmp(word, "schema") == 0)
		return print_schema();
	return unknown_command(word, json);
}

/* `fcpause help pause` is `fcpause pause --help`. */
static int help_for(const char *word)
{
	const struct command *command = command_find(word);

	if (command)
		return help(command, false);
	for (const struct plain_word *plain = plain_words; plain->name; plain++)
		if (strcmp(plain->name, word) == 0)
			return print_overview(stdout, EXIT_DONE);
	return word[0] == '-' ? print_overview(stdout, EXIT_DONE) : unknown_command(word, false);
}

/* fcpause completion SHELL */
static int print_completion_for(const char *shell)
{
	if (!shell)
		return no_command(false, "completion: a shell is needed: bash, zsh or fish");
	if (!print_completion(shell, stdout))
		return no_command(false, "completion: unknown shell '%.60s' (bash, zsh, fish)",
				  shell);
	return end_output(stdout, NULL, EXIT_DONE);
}

int main(int argc, char **argv)
{
	struct invocation invocation = {.cancel_fd = -1};
	const struct command *command;
	int word = 1;

	keep_standard_descriptors();
	/* One heap for all threads: one each costs 64 MiB of address space and three system
	 * calls. */
	mallopt(M_ARENA_MAX, 1);
	if (argc > 1 && strcmp(argv[1], "completion") == 0)
		return print_completion_for(argv[2]);
	if (argc > 2 && strcmp(argv[1], "help") == 0)
		return help_for(argv[2]);
	command = argc < 2 ? NULL : command_find(argv[1]);
	if (command)
		return run(command, argc - 1, argv + 1);
	find_json(argc, argv, &invocation);
	/* `fcpause --json --version` works like `fcpause --version --json`. */
	while (word < argc && strcmp(argv[word], "--json") == 0)
		word++;
	command = word < argc ? command_find(argv[word]) : NULL;
	return run_without_command(command ? "--json" : argv[word], invocation.values[OPT_JSON].on);
}
