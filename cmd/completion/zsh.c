// SPDX-License-Identifier: Apache-2.0
#include "cmd/completion/completion.h"

#include <string.h>

/* In single quotes, without characters that end a description in _arguments or _describe. */
static void print_doc(const char *doc, FILE *out)
{
	for (; *doc; doc++) {
		if (*doc == '\'')
			fputs("'\\''", out);
		else if (strchr("[]:\\", *doc))
			fprintf(out, "\\%c", *doc);
		else
			fputc(*doc, out);
	}
}

static void print_action(enum option_id id, FILE *out)
{
	char words[OPTION_WORDS_BYTES];

	fprintf(out, ":%s:", options[id].arg);
	switch (option_values(id)) {
	case VALUES_WORDS:
		if (options[id].kind == KIND_STEP_MS)
			fprintf(out, "compadd -S \"\" %s", option_words(id, words));
		else
			fprintf(out, "(%s)", option_words(id, words));
		break;
	case VALUES_LIST:
		fprintf(out, "_values -s , %s %s", options[id].arg, option_words(id, words));
		break;
	case VALUES_FILE:
		fputs("_files", out);
		break;
	case VALUES_DIRECTORY:
		fputs("_files -/", out);
		break;
	case VALUES_NONE:
		break;
	}
}

static void print_spec(enum option_id id, const char *name, FILE *out)
{
	bool repeats = options[id].kind == KIND_FILES || options[id].kind == KIND_PAIRS ||
		       options[id].kind == KIND_STEP_MS;

	fprintf(out, " \\\n\t\t\t'%s%s%s[", repeats ? "*" : "", name,
		option_needs_value(id) ? "=" : "");
	print_doc(options[id].doc, out);
	fputc(']', out);
	if (option_needs_value(id))
		print_action(id, out);
	fputc('\'', out);
}

static void print_specs(enum option_id id, FILE *out)
{
	char name[64];

	if (options[id].letter) {
		snprintf(name, sizeof(name), "-%c", options[id].letter);
		print_spec(id, name, out);
	}
	snprintf(name, sizeof(name), "--%s", options[id].name);
	print_spec(id, name, out);
	if (options[id].kind != KIND_TOGGLE)
		return;
	snprintf(name, sizeof(name), "--no-%s", options[id].name);
	print_spec(id, name, out);
}

static void print_command(const struct command *command, FILE *out)
{
	fprintf(out, "\t%s)\n\t\t_arguments -s", command->name);
	for (size_t i = 0; i < OPTIONS; i++)
		if (command_takes(command, (enum option_id)i))
			print_specs((enum option_id)i, out);
	if (command->operands)
		fprintf(out, " \\\n\t\t\t'%s'",
			command->verbatim ? "*::command:_normal" : "*:file:_files");
	fputs("\n\t\t;;\n", out);
}

static void print_plain_words(FILE *out)
{
	for (const struct plain_word *word = plain_words; word->name; word++) {
		if (!word->values)
			continue;
		if (*word->values)
			fprintf(out, "\t%s) compadd %s ;;\n", word->name, word->values);
		else
			fprintf(out, "\t%s) _describe command commands ;;\n", word->name);
	}
}

static void print_described(const char *name, const char *doc, FILE *out)
{
	fprintf(out, "\t\t'%s:", name);
	print_doc(doc, out);
	fputs("'\n", out);
}

void print_zsh_completion(FILE *out)
{
	fputs("#compdef fcpause\n"
	      "# fcpause completion zsh\n"
	      "_fcpause() {\n"
	      "\tlocal -a commands=(\n",
	      out);
	for (size_t i = 0; i < COMMANDS; i++)
		print_described(commands[i].name, commands[i].summary, out);
	for (const struct plain_word *word = plain_words; word->name; word++)
		print_described(word->name, word->doc, out);
	fputs("\t)\n"
	      "\tif (( CURRENT == 2 )); then\n"
	      "\t\t_describe command commands\n"
	      "\t\treturn\n"
	      "\tfi\n"
	      "\tlocal command=$words[2]\n"
	      "\tshift words\n"
	      "\t(( CURRENT-- ))\n"
	      "\tcase $command in\n",
	      out);
	for (size_t i = 0; i < COMMANDS; i++)
		print_command(&commands[i], out);
	print_plain_words(out);
	fputs("\tesac\n"
	      "}\n"
	      "if [ \"$funcstack[1]\" = _fcpause ]; then\n"
	      "\t_fcpause \"$@\"\n"
	      "else\n"
	      "\tcompdef _fcpause fcpause\n"
	      "fi\n",
	      out);
}
