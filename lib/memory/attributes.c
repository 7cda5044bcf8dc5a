// SPDX-License-Identifier: Apache-2.0
#include "memory/attributes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define HOLES_NAME "user.fcpause.holes"
#define ID_NAME "user.fcpause.id"
#define BASE_NAME "user.fcpause.base"
#define MTIME_NAME "user.fcpause.mtime"
#define MTIME_BYTES 32

const char *fcp_holes_name(enum fcp_holes holes)
{
	switch (holes) {
	case FCP_HOLES_ZERO:
		return "zero";
	case FCP_HOLES_BASE:
		return "base";
	case FCP_HOLES_UNSPECIFIED:
		break;
	}
	return "unknown";
}

/* A file, by descriptor or by path. */
struct attributed_file {
	int fd;
	const char *path; /* NULL: by fd */
};

/* Is there such an attribute? text_ is "" if not, or if it does not fit or has a NUL. */
static bool get_attribute(const struct attributed_file *source, const char *name, char *text_,
			  size_t bytes)
{
	ssize_t got = source->path ? getxattr(source->path, name, text_, bytes - 1)
				   : fgetxattr(source->fd, name, text_, bytes - 1);
	bool present = got >= 0 || errno == ERANGE;

	text_[got > 0 ? got : 0] = '\0';
	if (got > 0 && strlen(text_) != (size_t)got)
		text_[0] = '\0';
	return present;
}

static bool is_uuid(const char *text)
{
	static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	if (strlen(text) != strlen(shape))
		return false;
	for (size_t i = 0; i < strlen(shape); i++)
		if (shape[i] == '-' ? text[i] != '-' : !strchr("0123456789abcdef", text[i]))
			return false;
	return true;
}

static void get_id(const struct attributed_file *source, const char *name, char id_[FCP_ID_BYTES])
{
	get_attribute(source, name, id_, FCP_ID_BYTES);
	if (!is_uuid(id_))
		id_[0] = '\0';
}

/* "" if the file cannot be read. */
static void mtime_text(const struct attributed_file *source, char text_[MTIME_BYTES])
{
	struct stat status;
	int got = source->path ? stat(source->path, &status) : fstat(source->fd, &status);

	text_[0] = '\0';
	if (got == 0)
		snprintf(text_, MTIME_BYTES, "%lld.%09ld", (long long)status.st_mtim.tv_sec,
			 status.st_mtim.tv_nsec);
}

static bool is_stale(const struct attributed_file *source)
{
	char recorded[MTIME_BYTES], now[MTIME_BYTES];

	if (!get_attribute(source, MTIME_NAME, recorded, sizeof(recorded)))
		return false;
	mtime_text(source, now);
	return strcmp(recorded, now) != 0;
}

static void read_all(const struct attributed_file *source, struct fcp_file_attributes *attributes_)
{
	char holes[8];

	*attributes_ = (struct fcp_file_attributes){.holes = FCP_HOLES_UNSPECIFIED};
	if (is_stale(source))
		return;
	get_attribute(source, HOLES_NAME, holes, sizeof(holes));
	if (strcmp(holes, "zero") == 0)
		attributes_->holes = FCP_HOLES_ZERO;
	else if (strcmp(holes, "base") == 0)
		attributes_->holes = FCP_HOLES_BASE;
	get_id(source, ID_NAME, attributes_->id);
	get_id(source, BASE_NAME, attributes_->base);
}

void fcp_attributes_read(int fd, struct fcp_file_attributes *attributes_)
{
	read_all(&(struct attributed_file){fd, NULL}, attributes_);
}

void fcp_attributes_read_path(const char *path, struct fcp_file_attributes *attributes_)
{
	read_all(&(struct attributed_file){-1, path}, attributes_);
}

/* RFC 9562, version 4. */
int fcp_attributes_new_id(struct fcp_file_attributes *attributes, struct fcp_error *err)
{
	unsigned char bytes[16];
	char *id = attributes->id;

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return fcp_error_set(err, FCP_ERR_IO, errno, "getrandom");
	bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40);
	bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < sizeof(bytes); i++) {
		bool dash = i == 4 || i == 6 || i == 8 || i == 10;

		id += sprintf(id, "%s%02x", dash ? "-" : "", bytes[i]);
	}
	return 0;
}

static bool set_attribute(int fd, const char *name, const char *text)
{
	return *text == '\0' || fsetxattr(fd, name, text, strlen(text), 0) == 0;
}

static bool set_mtime(int fd)
{
	char text[MTIME_BYTES];

	mtime_text(&(struct attributed_file){fd, NULL}, text);
	return set_attribute(fd, MTIME_NAME, text);
}

/* A stale record is removed first: the new time would make it valid again. */
static void drop_stale(int fd)
{
	static const char *const names[] = {HOLES_NAME, ID_NAME, BASE_NAME, MTIME_NAME};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		fremovexattr(fd, names[i]);
}

bool fcp_attributes_write(int fd, const struct fcp_file_attributes *attributes)
{
	bool known = attributes->holes != FCP_HOLES_UNSPECIFIED;

	if (is_stale(&(struct attributed_file){fd, NULL}))
		drop_stale(fd);
	return set_mtime(fd) && set_attribute(fd, ID_NAME, attributes->id) &&
	       set_attribute(fd, BASE_NAME, attributes->base) &&
	       set_attribute(fd, HOLES_NAME, known ? fcp_holes_name(attributes->holes) : "");
}

/* Of two runs that do this at once the first wins: its id stays. */
void fcp_attributes_give_id(int fd)
{
	struct fcp_file_attributes attributes;
	struct fcp_error without_id;

	fcp_attributes_read(fd, &attributes);
	if (attributes.id[0] || fcp_attributes_new_id(&attributes, &without_id) != 0)
		return;
	if (is_stale(&(struct attributed_file){fd, NULL}))
		drop_stale(fd);
	if (set_mtime(fd))
		fsetxattr(fd, ID_NAME, attributes.id, strlen(attributes.id), XATTR_CREATE);
}

void fcp_attributes_renew(int fd)
{
	set_mtime(fd);
}

enum fcp_lineage fcp_attributes_lineage(const struct fcp_file_attributes *below,
					const struct fcp_file_attributes *layer)
{
	if (!below->id[0] || !layer->base[0])
		return FCP_LINEAGE_UNKNOWN;
	return strcmp(below->id, layer->base) == 0 ? FCP_LINEAGE_FITS : FCP_LINEAGE_OTHER;
}
