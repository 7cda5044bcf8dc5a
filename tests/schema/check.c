// SPDX-License-Identifier: Apache-2.0
/*
 * schema-check SCHEMA FILE: is each line of FILE valid JSON by the JSON Schema (draft 2020-12)?
 * And, which the schema leaves open for its readers, has no object a member that the schema does
 * not name? Of the schema's words those are known that ours uses; any other one is an error. Prints
 * what is wrong.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct check {
	const json_t *schema; /* the whole */
	bool quiet;	      /* within "if", "anyOf", "not": to be tried only */
	char path[512];	      /* of the value that is looked at */
};

static bool is_valid(struct check *check, const json_t *schema, const json_t *value, json_t *named);

static bool wrong(const struct check *check, const char *what, const char *which)
{
	if (!check->quiet)
		printf("%s: %s%s\n", check->path[0] ? check->path : "/", what, which);
	return false;
}

static bool tries(struct check *check, const json_t *schema, const json_t *value, json_t *named)
{
	json_t *own = json_object();
	bool quiet = check->quiet, valid;

	check->quiet = true;
	valid = is_valid(check, schema, value, own);
	check->quiet = quiet;
	if (valid)
		json_object_update(named, own);
	json_decref(own);
	return valid;
}

/* A value within another one: all its members must be named by what holds for it. */
static bool is_valid_within(struct check *check, const json_t *schema, const json_t *value,
			    const char *step)
{
	size_t length = strlen(check->path);
	json_t *named = json_object();
	bool valid;
	const char *key;
	json_t *member;

	snprintf(check->path + length, sizeof(check->path) - length, "/%s", step);
	valid = is_valid(check, schema, value, named);
	if (valid && json_is_object(value))
		json_object_foreach((json_t *)value, key, member) if (!json_object_get(named, key))
			valid = wrong(check, "the schema has no member ", key);
	check->path[length] = '\0';
	json_decref(named);
	return valid;
}

static bool has_type(const char *type, const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return strcmp(type, "object") == 0;
	case JSON_ARRAY:
		return strcmp(type, "array") == 0;
	case JSON_STRING:
		return strcmp(type, "string") == 0;
	case JSON_INTEGER:
		return strcmp(type, "integer") == 0 || strcmp(type, "number") == 0;
	case JSON_REAL:
		return strcmp(type, "number") == 0;
	case JSON_NULL:
		return strcmp(type, "null") == 0;
	default:
		return strcmp(type, "boolean") == 0;
	}
}

static bool check_type(struct check *check, const json_t *types, const json_t *value)
{
	if (json_is_string(types))
		return has_type(json_string_value(types), value) ||
		       wrong(check, "is no ", json_string_value(types));
	for (size_t i = 0; i < json_array_size(types); i++)
		if (has_type(json_string_value(json_array_get(types, i)), value))
			return true;
	return wrong(check, "is of another type", "");
}

static bool check_enum(struct check *check, const json_t *values, const json_t *value)
{
	for (size_t i = 0; i < json_array_size(values); i++)
		if (json_equal(json_array_get(values, i), (json_t *)value))
			return true;
	return wrong(check, "is none of the values that it can have", "");
}

static bool check_required(struct check *check, const json_t *keys, const json_t *value)
{
	for (size_t i = 0; json_is_object(value) && i < json_array_size(keys); i++) {
		const char *key = json_string_value(json_array_get(keys, i));

		if (!json_object_get(value, key))
			return wrong(check, "lacks ", key);
	}
	return true;
}

static bool check_properties(struct check *check, const json_t *schema, const json_t *value,
			     json_t *named)
{
	const json_t *properties = json_object_get(schema, "properties");
	const json_t *others = json_object_get(schema, "additionalProperties");
	bool valid = true;
	const char *key;
	json_t *member;

	if (!json_is_object(value))
		return true;
	json_object_foreach((json_t *)value, key, member)
	{
		const json_t *its = json_object_get(properties, key);

		if (!its)
			its = others;
		if (!its)
			continue;
		json_object_set_new(named, key, json_true());
		valid &= is_valid_within(check, its, member, key);
	}
	return valid;
}

static bool check_items(struct check *check, const json_t *schema, const json_t *value)
{
	const json_t *first = json_object_get(schema, "prefixItems"),
		     *rest = json_object_get(schema, "items");
	bool valid = true;

	for (size_t i = 0; json_is_array(value) && i < json_array_size(value); i++) {
		const json_t *its = i < json_array_size(first) ? json_array_get(first, i) : rest;
		char at[24];

		snprintf(at, sizeof(at), "%zu", i);
		if (its)
			valid &= is_valid_within(check, its, json_array_get(value, i), at);
	}
	return valid;
}

static bool check_bounds(struct check *check, const json_t *schema, const json_t *value)
{
	const json_t *minimum = json_object_get(schema, "minimum");
	const json_t *shortest = json_object_get(schema, "minLength");
	const json_t *least = json_object_get(schema, "minItems"),
		     *most = json_object_get(schema, "maxItems");

	if (minimum && json_is_number(value) &&
	    json_number_value(value) < json_number_value(minimum))
		return wrong(check, "is too small", "");
	if (shortest && json_is_string(value) &&
	    (json_int_t)json_string_length(value) < json_integer_value(shortest))
		return wrong(check, "is too short", "");
	if (json_is_array(value) &&
	    ((least && (json_int_t)json_array_size(value) < json_integer_value(least)) ||
	     (most && (json_int_t)json_array_size(value) > json_integer_value(most))))
		return wrong(check, "has another number of items", "");
	return true;
}

static bool check_any_of(struct check *check, const json_t *schemas, const json_t *value,
			 json_t *named)
{
	bool valid = false;

	for (size_t i = 0; i < json_array_size(schemas); i++)
		valid |= tries(check, json_array_get(schemas, i), value, named);
	if (valid || check->quiet)
		return valid;
	/* All of it, so that somebody sees why. */
	for (size_t i = 0; i < json_array_size(schemas); i++)
		is_valid(check, json_array_get(schemas, i), value, named);
	return wrong(check, "is nothing of what it can be", "");
}

static bool check_all_of(struct check *check, const json_t *schemas, const json_t *value,
			 json_t *named)
{
	bool valid = true;

	for (size_t i = 0; i < json_array_size(schemas); i++)
		valid &= is_valid(check, json_array_get(schemas, i), value, named);
	return valid;
}

static bool check_if(struct check *check, const json_t *schema, const json_t *value, json_t *named)
{
	const json_t *condition = json_object_get(schema, "if"), *then;

	if (!condition)
		return true;
	then = json_object_get(schema, tries(check, condition, value, named) ? "then" : "else");
	return !then || is_valid(check, then, value, named);
}

/* "#/$defs/NAME" */
static const json_t *referred(const struct check *check, const char *reference)
{
	const json_t *schema = NULL;

	if (strncmp(reference, "#/$defs/", 8) == 0)
		schema = json_object_get(json_object_get(check->schema, "$defs"), reference + 8);
	if (!schema) {
		printf("the schema refers to %s, which is not there\n", reference);
		exit(2);
	}
	return schema;
}

static void check_words(const json_t *schema)
{
	static const char *const known[] = {
		"$schema",
		"$id",
		"$defs",
		"$ref",
		"title",
		"description",
		"type",
		"const",
		"enum",
		"properties",
		"additionalProperties",
		"required",
		"items",
		"prefixItems",
		"minItems",
		"maxItems",
		"minimum",
		"minLength",
		"anyOf",
		"allOf",
		"not",
		"if",
		"then",
		"else",
	};
	const char *key;
	json_t *member;

	json_object_foreach((json_t *)schema, key, member)
	{
		size_t i = 0;

		while (i < sizeof(known) / sizeof(known[0]) && strcmp(known[i], key) != 0)
			i++;
		if (i == sizeof(known) / sizeof(known[0])) {
			printf("the schema's word %s is not known here\n", key);
			exit(2);
		}
	}
}

/* Adds to named the members of an object that the schema names. */
static bool is_valid(struct check *check, const json_t *schema, const json_t *value, json_t *named)
{
	const json_t *reference = json_object_get(schema, "$ref"),
		     *type = json_object_get(schema, "type");
	const json_t *constant = json_object_get(schema, "const"),
		     *values = json_object_get(schema, "enum");
	const json_t *any = json_object_get(schema, "anyOf"), *not = json_object_get(schema, "not");
	json_t *ignored = json_object();
	bool valid = true;

	check_words(schema);
	if (reference)
		valid &= is_valid(check, referred(check, json_string_value(reference)), value,
				  named);
	if (type)
		valid &= check_type(check, type, value);
	if (constant && !json_equal((json_t *)constant, (json_t *)value))
		valid = wrong(check, "is not the value that it must be", "");
	if (values)
		valid &= check_enum(check, values, value);
	valid &= check_properties(check, schema, value, named);
	valid &= check_required(check, json_object_get(schema, "required"), value);
	valid &= check_items(check, schema, value);
	valid &= check_bounds(check, schema, value);
	valid &= check_all_of(check, json_object_get(schema, "allOf"), value, named);
	if (any)
		valid &= check_any_of(check, any, value, named);
	if (not &&tries(check, not, value, ignored))
		valid = wrong(check, "is what it must not be", "");
	valid &= check_if(check, schema, value, named);
	json_decref(ignored);
	return valid;
}

static int check_lines(struct check *check, FILE *file)
{
	char *line = NULL;
	size_t bytes = 0;
	int bad = 0;

	for (size_t number = 1; getline(&line, &bytes, file) > 0; number++) {
		json_error_t error;
		json_t *value = json_loads(line, JSON_REJECT_DUPLICATES, &error);

		if (!value)
			printf("no JSON: %s\n", error.text);
		if (!value || !is_valid_within(check, check->schema, value, "")) {
			printf("in line %zu: %.300s\n", number, line);
			bad = 1;
		}
		json_decref(value);
	}
	free(line);
	return bad;
}

int main(int argc, char **argv)
{
	struct check check = {0};
	json_error_t error;
	json_t *schema;
	FILE *file;
	int bad;

	if (argc != 3) {
		fprintf(stderr, "usage: schema-check SCHEMA FILE\n");
		return 2;
	}
	schema = json_load_file(argv[1], JSON_REJECT_DUPLICATES, &error);
	file = fopen(argv[2], "r");
	if (!schema || !file) {
		fprintf(stderr, "schema-check: %s: cannot be read: %s\n",
			schema ? argv[2] : argv[1], schema ? "" : error.text);
		return 2;
	}
	check.schema = schema;
	bad = check_lines(&check, file);
	fclose(file);
	json_decref(schema);
	return bad;
}
