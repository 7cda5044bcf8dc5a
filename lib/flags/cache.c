// SPDX-License-Identifier: Apache-2.0
#include "flags/cache.h"

#include "base/cleanup.h"
#include "base/replace_file.h"
#include "base/text.h"
#include "net/json.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define SCHEMA "fcpause/flags-cache/1"
/* An answer of 1 MiB, escaped. */
#define FILE_MAX_BYTES (8 << 20)

/* Who can write it decides what is done to VMs. */
static int check_file(int fd, const char *path, size_t *bytes_, struct fcp_error *err)
{
	struct stat file;

	if (fstat(fd, &file) != 0)
		return fcp_error_set(err, FCP_ERR_IO, errno, "flags cache %s", path);
	if (!S_ISREG(file.st_mode) || file.st_size > FILE_MAX_BYTES)
		return fcp_error_set(err, FCP_ERR_INPUT, 0,
				     "flags cache %s: not a regular file of 8 MiB or less", path);
	if ((file.st_uid != 0 && file.st_uid != geteuid()) || (file.st_mode & 022) != 0)
		return fcp_error_set(err, FCP_ERR_INPUT, 0,
				     "flags cache %s: others can write it (mode %04o; chmod 600)",
				     path, file.st_mode & 07777);
	*bytes_ = (size_t)file.st_size;
	return 0;
}

/* Owned; NULL with *err. */
static struct fcp_json *read_json(const char *path, struct fcp_error *err)
{
	FCP_CLEANUP(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	FCP_CLEANUP(free) char *text = NULL;
	struct fcp_json *json = NULL;
	size_t bytes;
	ssize_t got;

	if (fd < 0) {
		fcp_error_set(err, FCP_ERR_IO, errno, "flags cache %s", path);
		return NULL;
	}
	if (check_file(fd, path, &bytes, err) != 0)
		return NULL;
	text = malloc(bytes + 1);
	got = text ? read(fd, text, bytes) : -1;
	if (got < 0) {
		fcp_error_set(err, FCP_ERR_IO, errno, "flags cache %s", path);
		return NULL;
	}
	return fcp_json_parse(text, (size_t)got, path, &json, err) == 0 ? json : NULL;
}

static bool has_text(const struct fcp_json *json, const char *key, const char *text)
{
	const char *found = fcp_json_string(fcp_json_get(json, key));

	return found && strcmp(found, text) == 0;
}

char *fcp_flags_cache_read(const struct fcp_flags_cache *cache, char time[FCP_FLAGS_TIME_BYTES],
			   struct fcp_error *err)
{
	FCP_CLEANUP(json) struct fcp_json *json = read_json(cache->path, err);
	const char *answer = fcp_json_string(fcp_json_get(json, "answer"));
	const char *when = fcp_json_string(fcp_json_get(json, "time"));
	char *copy;

	if (!json)
		return NULL;
	if (!answer || !when || !has_text(json, "schema", SCHEMA) ||
	    !has_text(json, "source", cache->source) ||
	    !has_text(json, "context", cache->context)) {
		fcp_error_set(err, FCP_ERR_INPUT, 0,
			      "flags cache %s: no answer of this service to this context in it",
			      cache->path);
		return NULL;
	}
	fcp_text_filter(when, time, FCP_FLAGS_TIME_BYTES);
	copy = strdup(answer);
	if (!copy)
		fcp_error_nomem(err);
	return copy;
}

static void write_time(char text[FCP_FLAGS_TIME_BYTES])
{
	time_t now = time(NULL);
	struct tm utc;

	gmtime_r(&now, &utc);
	strftime(text, FCP_FLAGS_TIME_BYTES, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

int fcp_flags_cache_write(const struct fcp_flags_cache *cache, const char *answer,
			  struct fcp_error *err)
{
	FCP_CLEANUP(json) struct fcp_json *json = fcp_json_object();
	FCP_CLEANUP(free) char *text = NULL;
	char now[FCP_FLAGS_TIME_BYTES];
	int bad = 0;

	write_time(now);
	bad |= fcp_json_set_string(json, "schema", SCHEMA);
	bad |= fcp_json_set_string(json, "source", cache->source);
	bad |= fcp_json_set_string(json, "context", cache->context);
	bad |= fcp_json_set_string(json, "time", now);
	bad |= fcp_json_set_string(json, "answer", answer);
	text = bad ? NULL : fcp_json_text(json);
	if (!text)
		return fcp_error_nomem(err);
	if (fcp_file_replace(cache->path, &(struct fcp_file_text){text, strlen(text)}, 0600, err) !=
	    0)
		return fcp_error_wrap(err, "flags cache");
	return 0;
}
