// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "workdir.h"

static const char *home_of(const char *user)
{
	return strcmp(user, "root") ? "/home/user" : "/root";
}

void workdir_home(const char *user, char *ret, size_t size)
{
	snprintf(ret, size, "%s", home_of(user));
}

/* Takes `.`, `..` and doubled slashes out of an absolute path, by its letters alone. */
static void clean(char *path)
{
	size_t out = 0;

	for (const char *in = path; *in;) {
		size_t n;

		in += strspn(in, "/");
		n = strcspn(in, "/");
		if (n == 2 && !strncmp(in, "..", 2)) {
			while (out && path[--out] != '/')
				;
		} else if (n && !(n == 1 && *in == '.')) {
			path[out++] = '/';
			memmove(path + out, in, n);
			out += n;
		}
		in += n;
	}
	if (!out)
		path[out++] = '/';
	path[out] = '\0';
}

/* An absolute path is taken as it is; any other is below the home. */
static int expand(const char *cwd, const char *user, char *ret, size_t size, char *ret_message,
		  size_t message_size)
{
	if (cwd[0] == '/') {
		snprintf(ret, size, "%s", cwd);
		return 0;
	}
	if (cwd[0] == '~' && cwd[1] && !strchr("/\\", cwd[1])) {
		snprintf(ret_message, message_size,
			 "failed to expand path '' for user '%s': "
			 "cannot expand user-specific home dir",
			 user);
		return -1;
	}
	snprintf(ret, size, "%s/%s", home_of(user), cwd + (cwd[0] == '~'));
	clean(ret);
	return 0;
}

/* envd names the command with its words. */
static void describe_start(const json_t *process, int error, char *ret, size_t size)
{
	const char *cmd = json_string_value(json_object_get(process, "cmd"));
	FILE *out = fmemopen(ret, size, "w");
	json_t *arg;
	size_t i;

	if (!out)
		return;
	fprintf(out, "error starting process '%s", cmd ? cmd : "");
	json_array_foreach(json_object_get(process, "args"), i, arg)
		fprintf(out, " %s", json_is_string(arg) ? json_string_value(arg) : "");
	fprintf(out, "': fork/exec /bin/sh: %s",
		error == EACCES ? "permission denied" : "not a directory");
	fclose(out);
}

int workdir_resolve(const struct guest *guest, const json_t *process, const char *user, char *ret,
		    size_t size, char *ret_message, size_t message_size)
{
	const char *cwd = json_string_value(json_object_get(process, "cwd"));
	char path[512], inside[512], reached[600];
	struct stat st;

	if (expand(cwd ? cwd : "", user, path, sizeof(path), ret_message, message_size))
		return -1;
	/* What is asked for stays in the guest. */
	memcpy(inside, path, sizeof(inside));
	clean(inside);
	snprintf(ret, size, "%s", inside);
	jail_path(&guest->jail, inside, reached, sizeof(reached));
	if (stat(reached, &st)) {
		snprintf(ret_message, message_size, "cwd '%s' does not exist", path);
		return -1;
	}
	if (S_ISDIR(st.st_mode) && !access(reached, X_OK))
		return 0;
	describe_start(process, S_ISDIR(st.st_mode) ? EACCES : ENOTDIR, ret_message, message_size);
	return -1;
}
