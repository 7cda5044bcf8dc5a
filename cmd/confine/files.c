// SPDX-License-Identifier: Apache-2.0
/* Restricts the files and TCP ports that a command can reach, with Landlock. */
#include "cmd/confine/landlock.h"
#include "cmd/confine/parts.h"
#include "net/load.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PORT_OF_NAME_SERVERS 53

/*
 * The other commands examine Firecracker's process, or look for processes that have a file open,
 * which Landlock does not permit.
 */
bool confines_files(enum command_id id)
{
	return id == COMMAND_EXEC || id == COMMAND_RECLAIM || id == COMMAND_BALLOON_INSTALL ||
	       id == COMMAND_INSPECT;
}

/* Options that name files to read, or files beside which others are created. */
static const struct {
	enum option_id id;
	enum landlock_access beside;
} named[] = {
	{OPT_ENVD_TOKEN_FILE, LANDLOCK_LIST},
	{OPT_FLAGS, LANDLOCK_LIST},
	{OPT_FLAGS_KEY_FILE, LANDLOCK_LIST},
	{OPT_FLAGS_CACHE, LANDLOCK_CHANGE},
	{OPT_API_SOCK, LANDLOCK_CHANGE}, /* the VM's lock */
	{OPT_METRICS_TEXTFILE, LANDLOCK_CHANGE},
	{OPT_MEM_FILE_PATH, LANDLOCK_LIST},
	{OPT_BASE, LANDLOCK_LIST},
	{OPT_BEFORE, LANDLOCK_LIST},
	{OPT_AFTER, LANDLOCK_LIST},
	{OPT_SVG, LANDLOCK_CHANGE},
};

/* For every program: libraries, and the files that they read. */
static const char *const of_the_system[] = {
	"/usr",	 "/lib",	"/lib64",	"/nix/store", "/gnu/store",
	"/proc", "/dev/random", "/dev/urandom", NULL,
};

static const char *const of_names[] = {
	"/etc/resolv.conf", "/etc/hosts",    "/etc/nsswitch.conf",   "/etc/host.conf",
	"/etc/gai.conf",    "/etc/services", "/run/systemd/resolve", NULL,
};

static const char *const of_certificates[] = {
	"/etc/ssl/certs",	"/etc/ssl/cert.pem",
	"/etc/ssl/openssl.cnf", "/etc/ca-certificates",
	"/etc/pki/tls/certs",	"/etc/pki/tls/openssl.cnf",
	"/etc/pki/ca-trust",	"/etc/crypto-policies",
	"/etc/gnutls",		NULL,
};

static void allow_all(const struct landlock *landlock, const char *const *paths)
{
	for (; *paths; paths++)
		landlock_allow(landlock, *paths, LANDLOCK_READ);
}

static void allow_variable(const struct landlock *landlock, const char *name)
{
	const char *path = getenv(name);

	if (path)
		landlock_allow(landlock, path, LANDLOCK_READ);
}

/* "." for a path without a slash; false if the path is too long. */
static bool directory_of(const char *path, char directory_[static PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash - path) + 1 : 2;

	if (length >= PATH_MAX)
		return false;
	memcpy(directory_, slash ? path : "./", length);
	directory_[length] = '\0';
	return true;
}

static void allow_directory_of(const struct landlock *landlock, const char *path,
			       enum landlock_access access)
{
	char directory[PATH_MAX];

	if (directory_of(path, directory))
		landlock_allow(landlock, directory, access);
}

/* The place of the VM's lock if the socket's directory is not writable. */
static void allow_other_lock(const struct landlock *landlock, const char *socket)
{
	char target[PATH_MAX], directory[PATH_MAX];

	if (realpath(socket, target) && directory_of(target, directory) &&
	    faccessat(AT_FDCWD, directory, W_OK, AT_EACCESS) != 0)
		landlock_allow(landlock, "/tmp", LANDLOCK_CHANGE);
}

/* The target of a symbolic link can be in another directory. */
static void allow_named(const struct landlock *landlock, const char *path,
			enum landlock_access beside)
{
	char target[PATH_MAX];

	landlock_allow(landlock, path, LANDLOCK_READ);
	allow_directory_of(landlock, path, beside);
	if (realpath(path, target))
		allow_directory_of(landlock, target, beside);
}

static void allow_options(const struct landlock *landlock, const struct invocation *invocation)
{
	const struct file_list *shares = files_of(invocation, OPT_SHARE);

	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
		const char *path = text_of(invocation, named[i].id);

		if (path)
			allow_named(landlock, path, named[i].beside);
	}
	if (invocation->id == COMMAND_INSPECT)
		for (char *const *file = invocation->operands; file && *file; file++)
			allow_named(landlock, *file, LANDLOCK_LIST);
	if (text_of(invocation, OPT_API_SOCK))
		allow_other_lock(landlock, text_of(invocation, OPT_API_SOCK));
	for (size_t i = 0; i < shares->count; i++) /* for their indexes */
		allow_named(landlock, shares->files[i], LANDLOCK_CHANGE);
}

static void allow_servers(const struct landlock *landlock, const struct servers *servers)
{
	for (size_t i = 0; i < servers->port_count; i++)
		landlock_allow_port(landlock, servers->ports[i]);
	if (servers->names) {
		landlock_allow_port(landlock, PORT_OF_NAME_SERVERS);
		allow_all(landlock, of_names);
	}
	if (servers->tls) {
		allow_all(landlock, of_certificates);
		allow_variable(landlock, "SSL_CERT_FILE");
		allow_variable(landlock, "SSL_CERT_DIR");
	}
}

int confine_files(const struct invocation *invocation, const struct servers *servers, int *abi_)
{
	struct landlock landlock;
	int errnum = landlock_open(&landlock);

	if (errnum != 0)
		return errnum;
	if (servers->internet || text_of(invocation, OPT_API_SOCK))
		fcp_net_load();
	allow_all(&landlock, of_the_system);
	landlock_allow(&landlock, "/dev/null", LANDLOCK_CHANGE);
	allow_options(&landlock, invocation);
	allow_servers(&landlock, servers);
	*abi_ = landlock.abi;
	return landlock_enforce(&landlock);
}
