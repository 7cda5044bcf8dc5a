// SPDX-License-Identifier: Apache-2.0
/* A table for each mode and kind: a row a point, a column a fault, and what came of it. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "matrix.h"

#define COLUMNS_MAX 24

struct columns {
	const char *names[COLUMNS_MAX];
	size_t count;
};

static bool is_in(const struct cell *cell, size_t mode, enum kind kind)
{
	return cell->mode == mode && cell->kind == kind;
}

static size_t column_of(struct columns *columns, const char *name)
{
	size_t i = 0;

	while (i < columns->count && strcmp(columns->names[i], name) != 0)
		i++;
	if (i == columns->count && i < COLUMNS_MAX)
		columns->names[columns->count++] = name;
	return i;
}

static void find_columns(size_t mode, enum kind kind, struct columns *columns)
{
	columns->count = 0;
	for (size_t i = 0; i < cell_count; i++)
		if (is_in(&cells[i], mode, kind))
			column_of(columns, cells[i].what);
}

/* The cells of one point follow each other. Returns the first one of the next point. */
static size_t write_row(FILE *file, struct columns *columns, size_t first)
{
	const struct cell *row[COLUMNS_MAX + 1] = {NULL};
	size_t i = first;

	while (i < cell_count && cells[i].mode == cells[first].mode &&
	       strcmp(cells[i].shown, cells[first].shown) == 0) {
		if (cells[i].kind == cells[first].kind)
			row[column_of(columns, cells[i].what)] = &cells[i];
		i++;
	}
	fprintf(file, "| %-44s |", cells[first].shown);
	for (size_t column = 0; column < columns->count; column++)
		fprintf(file, " %s%-20s |", row[column] && row[column]->broken[0] ? "WRONG " : "",
			row[column] ? row[column]->result : "");
	fputc('\n', file);
	return i;
}

static void write_one(FILE *file, size_t mode, enum kind kind)
{
	struct columns columns;

	find_columns(mode, kind, &columns);
	if (columns.count == 0)
		return;
	fprintf(file, "\n%s: %s (exit code, class, the VM then)\n\n| %-44s |", modes[mode].name,
		kind_names[kind], "");
	for (size_t i = 0; i < columns.count; i++)
		fprintf(file, " %-20s |", columns.names[i]);
	fputs("\n|---|", file);
	for (size_t i = 0; i < columns.count; i++)
		fputs("---|", file);
	fputc('\n', file);
	for (size_t i = 0; i < cell_count;)
		i = is_in(&cells[i], mode, kind) ? write_row(file, &columns, i) : i + 1;
}

void table_write(void)
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/matrix.md", getenv("FCPAUSE_BUILD"));
	file = fopen(path, "we");
	if (!file)
		die(path);
	for (size_t mode = 0; mode < mode_count; mode++)
		for (enum kind kind = 0; kind < KINDS; kind++)
			write_one(file, mode, kind);
	fclose(file);
}
