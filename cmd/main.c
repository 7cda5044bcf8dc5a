// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "cmd/confine/confine.h"
#include "cmd/output/output.h"
#include "cmd/output/shown.h"
#include "cmd/parsing/nearest.h"
#include "cmd/parsing/options.h"
#include "cmd/parsing/parse.h"
#include "cmd/signals.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int print_overview(FILE *out, int exit_code)
{
	fputs("Usage: fcpause COMMAND [OPTION...]\n"
	      "Make the snapshot of a Firecracker microVM small, and its pause short and safe.\n\n",
	      out);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-16s %s\n", commands[i].name, commands[i].summary);
	fputs("\n  fcpause COMMAND --help   the command's options\n"
	      "  fcpause --version\n",
	      out);
	if (fflush(out) != 0 || ferror(out))
		return EXIT_FAILED;
	return exit_code;
}

static int print_version(void)
{
	return printf("fcpause %s\n", fcp_version()) < 0 || fflush(stdout) != 0 ? EXIT_FAILED
										: EXIT_DONE;
}

/* A descriptor that is closed would be given to what is opened next, and written to or read from in
 * its name. What stands there now fails as a closed one does: it cannot be read, or not be written. */
static void keep_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

static int run(const struct command *command, int argc, char **argv)
{
	struct invocation invocation = {.cancel_fd = -1,
					.command = command,
					.id = (enum command_id)(command - commands)};
	struct fcp_error err;
	int parsed = parse(argc, argv, &invocation, &err);
	int exit_code;

	if (invocation.help) {
		print_help(command, stdout);
		return fflush(stdout) != 0 || ferror(stdout) ? EXIT_FAILED : EXIT_DONE;
	}
	if (invocation.version)
		return print_version();
	if (parsed != 0)
		return output_error(&invocation, &err);
	unknown_variables_find(&invocation.unknown);
	confine(&invocation);
	signal(SIGPIPE, SIG_IGN); /* a closed stdout is told as an error */
	invocation.signals = signals_open(command->name, invocation.values[OPT_QUIET].on);
	invocation.cancel_fd = signals_cancel_fd(invocation.signals);
	exit_code = command->run(&invocation);
	signals_close(invocation.signals);
	return exit_code;
}

static int unknown_command(const char *word)
{
	struct nearest nearest = {word, strlen(word), NEAREST_NONE, ""};
	FCP_CLEANUP(free) char *name = shown_text(word);
	char hint[NEAREST_MAX_BYTES + 24];

	if (word[0] == '-') {
		fprintf(stderr,
			"fcpause: '%s' stands before the command, and options follow it: fcpause COMMAND [OPTION...]\n",
			name ? name : "");
		return EXIT_USAGE;
	}
	for (size_t i = 0; i < COMMANDS; i++)
		nearest_try(&nearest, commands[i].name);
	fprintf(stderr, "fcpause: unknown command '%s'%s (see fcpause --help)\n", name ? name : "",
		nearest_hint(&nearest, hint));
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	const struct command *command;

	keep_standard_descriptors();
	if (argc < 2)
		return print_overview(stderr, EXIT_USAGE);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0)
		return print_overview(stdout, EXIT_DONE);
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
		return print_version();
	command = command_find(argv[1]);
	if (!command)
		return unknown_command(argv[1]);
	return run(command, argc - 1, argv + 1);
}
