// SPDX-License-Identifier: Apache-2.0
/* The memory file's directory: what its file system can do. */
#include "base/cleanup.h"
#include "base/units.h"
#include "firecracker/root.h"
#include "steps/doctor/checks.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>

static const struct fcp_check_about about_target = {
	"target",
	"both files are made under temporary names beside their targets",
	"give a directory that this user can write",
};
static const struct fcp_check_about about_room = {
	"room",
	"a memory file can need as much as the guest has",
	"make room, or give another directory",
};
static const struct fcp_check_about about_reflinks = {
	"reflinks",
	"a restored VM's file begins as a clone of its base, which is a copy without them",
	"put the files on XFS or btrfs beside the base, or write layers",
};
static const struct fcp_check_about about_attributes = {
	"attributes",
	"what a file's holes mean, and of what it is a layer, is recorded in extended attributes",
	"mount the file system with user_xattr, or use another one",
};

static char *target_directory(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return strdup(".");
	return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

static int open_unnamed(int directory)
{
	return openat(directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

static void check_target_room(const struct fcp_doctor *doctor, int directory,
			      struct fcp_check *check)
{
	uint64_t needed_mib = fcp_machine_file_bytes(&doctor->machine) / FCP_MIB, free_mib;
	struct statvfs room;

	if (!doctor->answers)
		return;
	if (fstatvfs(directory, &room) != 0) {
		fcp_check_set(check, FCP_VERDICT_NO, "%s", strerror(errno));
		return;
	}
	free_mib = (uint64_t)room.f_bavail * room.f_frsize / FCP_MIB;
	fcp_check_set(check, free_mib >= needed_mib ? FCP_VERDICT_OK : FCP_VERDICT_NO,
		      "%llu MiB are free, the guest has %llu", (unsigned long long)free_mib,
		      (unsigned long long)needed_mib);
}

/* The file of a booted VM has no base to share with. */
static void check_reflinks(const struct fcp_doctor *doctor, int directory, int from,
			   struct fcp_check *check)
{
	static const char page[FCP_PAGE_BYTES] = "reflink";
	FCP_CLEANUP(fd) int to = open_unnamed(directory);

	if (to < 0 || pwrite(from, page, sizeof(page), 0) != (ssize_t)sizeof(page))
		return;
	if (ioctl(to, FICLONE, from) == 0)
		fcp_check_set(check, FCP_VERDICT_OK, "the file system has them");
	else
		fcp_check_set(check, doctor->restored ? FCP_VERDICT_NO : FCP_VERDICT_OK,
			      "the file system has none%s",
			      doctor->restored ? "" : "; this VM was booted");
}

static void check_attributes(int fd, struct fcp_check *check)
{
	if (fsetxattr(fd, "user.fcpause.doctor", "", 0, 0) == 0)
		fcp_check_set(check, FCP_VERDICT_OK, "they can be set");
	else
		fcp_check_set(check, FCP_VERDICT_NO, "%s", strerror(errno));
}

int fcp_doctor_target(struct fcp_doctor *doctor, struct fcp_error *err)
{
	const struct fcp_doctor_settings *settings = doctor->settings;
	FCP_CLEANUP(free)
	char *directory = target_directory(settings->mem_file_path ? settings->mem_file_path : ".");
	struct fcp_check *target = fcp_doctor_add(doctor, &about_target);
	struct fcp_check *room = fcp_doctor_add(doctor, &about_room);
	struct fcp_check *reflinks = fcp_doctor_add(doctor, &about_reflinks);
	struct fcp_check *attributes = fcp_doctor_add(doctor, &about_attributes);
	FCP_CLEANUP(fd) int fd = -1;
	struct fcp_error why;
	struct fcp_place place;

	if (!directory)
		return fcp_error_nomem(err);
	if (!settings->mem_file_path)
		return 0;
	if (fcp_place_open(fcp_firecracker_pid(&doctor->firecracker), settings->chroot_base,
			   directory, &place, &why) != 0) {
		fcp_check_set(target, FCP_VERDICT_NO, "%s", why.message);
		return 0;
	}
	fd = open_unnamed(place.directory);
	if ((fd < 0 && errno != EOPNOTSUPP) ||
	    faccessat(place.directory, ".", W_OK | X_OK, AT_EACCESS) != 0)
		fcp_check_set(target, FCP_VERDICT_NO, "%s: %s", place.host, strerror(errno));
	else
		fcp_check_set(target, FCP_VERDICT_OK, "%s%s", place.host,
			      fd < 0 ? ", whose file system has no unnamed files to try with" : "");
	check_target_room(doctor, place.directory, room);
	if (fd >= 0) {
		check_reflinks(doctor, place.directory, fd, reflinks);
		check_attributes(fd, attributes);
	}
	fcp_place_clear(&place);
	return 0;
}
