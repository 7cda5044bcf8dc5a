// SPDX-License-Identifier: Apache-2.0
#include "cmd/completion/completion.h"

static void print_command_names(FILE *out)
{
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "%s%s", i ? " " : "", commands[i].name);
}

/* "	pause:--type | snapshot:--type) ": the commands that have the option. */
static void print_pattern(enum option_id id, FILE *out)
{
	const char *between = "\t";

	if (option_group_of(id) == GROUP_COMMON) {
		fprintf(out, "\t*:--%s) ", options[id].name);
		return;
	}
	for (size_t i = 0; i < COMMANDS; i++) {
		if (!command_takes(&commands[i], id))
			continue;
		fprintf(out, "%s%s:--%s", between, commands[i].name, options[id].name);
		between = " | ";
	}
	fputs(") ", out);
}

static void print_values(enum option_id id, FILE *out)
{
	char words[OPTION_WORDS_BYTES];

	if (!option_needs_value(id))
		return;
	print_pattern(id, out);
	switch (option_values(id)) {
	case VALUES_WORDS:
		fprintf(out, "words='%s'; %s;;\n", option_words(id, words),
			options[id].kind == KIND_STEP_MS ? "compopt -o nospace 2>/dev/null; " : "");
		break;
	case VALUES_LIST:
		fprintf(out, "words='%s'; list=1 ;;\n", option_words(id, words));
		break;
	case VALUES_FILE:
		fputs("files=f ;;\n", out);
		break;
	case VALUES_DIRECTORY:
		fputs("files=d ;;\n", out);
		break;
	case VALUES_NONE:
		fputs("return ;;\n", out);
	}
}

static void print_options_of(const struct command *command, FILE *out)
{
	fprintf(out, "\t%s:*) words='", command->name);
	for (size_t i = 0; i < OPTIONS; i++) {
		if (!command_takes(command, (enum option_id)i))
			continue;
		if (options[i].letter)
			fprintf(out, "-%c ", options[i].letter);
		fprintf(out, "--%s ", options[i].name);
		if (options[i].kind == KIND_TOGGLE)
			fprintf(out, "--no-%s ", options[i].name);
	}
	fputs("' ;;\n", out);
}

static void print_plain_words(FILE *out)
{
	for (const struct plain_word *word = plain_words; word->name; word++) {
		fprintf(out, "\t%s:*) words='", word->name);
		if (word->values && *word->values == '\0')
			print_command_names(out);
		else if (word->values)
			fputs(word->values, out);
		fputs("' ;;\n", out);
	}
}

/* bash splits words at an equals sign: --type=fu is three words. */
static const char head[] =
	"# fcpause completion bash\n"
	"_fcpause()\n"
	"{\n"
	"\tlocal current=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD-1]}\n"
	"\tlocal words='' files='' list='' before='' i\n"
	"\tCOMPREPLY=()\n"
	"\tif [ \"$current\" = = ]; then\n"
	"\t\tcurrent=''\n"
	"\telif [ \"$option\" = = ]; then\n"
	"\t\toption=${COMP_WORDS[COMP_CWORD-2]}\n"
	"\tfi\n"
	"\tif [ \"$COMP_CWORD\" -gt 1 ]; then\n"
	"\t\t# What stands behind -- is not fcpause's.\n"
	"\t\tfor ((i = 2; i < COMP_CWORD; i++)); do\n"
	"\t\t\t[ \"${COMP_WORDS[i]}\" != -- ] || { compopt -o default 2>/dev/null; return; }\n"
	"\t\tdone\n"
	"\telse\n"
	"\t\toption=''\n"
	"\tfi\n"
	"\tcase ${COMP_WORDS[1]}:$option in\n"
	"\t*:) words='";

static const char tail[] =
	"\tesac\n"
	"\tif [ -n \"$files\" ]; then\n"
	"\t\tcompopt -o filenames 2>/dev/null\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -\"$files\" -- \"$current\")\n"
	"\t\treturn\n"
	"\tfi\n"
	"\tif [ -n \"$list\" ] && [[ $current == *,* ]]; then\n"
	"\t\tbefore=${current%,*},\n"
	"\t\tcurrent=${current##*,}\n"
	"\tfi\n"
	"\tmapfile -t COMPREPLY < <(compgen -P \"$before\" -W \"$words\" -- \"$current\")\n"
	"}\n"
	"complete -F _fcpause fcpause\n";

void print_bash_completion(FILE *out)
{
	fputs(head, out);
	print_command_names(out);
	for (const struct plain_word *word = plain_words; word->name; word++)
		fprintf(out, " %s", word->name);
	fputs(" --help --version' ;;\n", out);
	for (size_t id = 0; id < OPTIONS; id++)
		print_values((enum option_id)id, out);
	for (size_t i = 0; i < COMMANDS; i++)
		print_options_of(&commands[i], out);
	print_plain_words(out);
	fputs(tail, out);
}
