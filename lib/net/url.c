// SPDX-License-Identifier: Apache-2.0
#include "net/url.h"

#include "base/units.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LETTERS_AND_DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

static int bad_url(const char *url, const char *why, const char *hint, struct fcp_error *err)
{
	return fcp_error_set(err, FCP_ERR_USAGE, 0, "'%.200s': %s%s", url, why, hint);
}

/* What follows the scheme. */
static const char *authority_of(const char *url)
{
	return strncasecmp(url, "http://", 7) == 0 ? url + 7 : url;
}

/* The same where it may be https:// as well. */
static const char *service_authority_of(const char *url)
{
	return fcp_url_is_tls(url) ? url + 8 : authority_of(url);
}

/* The end of the host; NULL if there is no host. */
static const char *host_end(const char *authority)
{
	size_t length;

	if (*authority == '[') {
		/* A zone too: fe80::1%eth0. */
		length = strspn(authority + 1, LETTERS_AND_DIGITS ":.%_-");
		return length > 0 && authority[1 + length] == ']' ? authority + length + 2 : NULL;
	}
	length = strspn(authority, LETTERS_AND_DIGITS ".-_");
	return length > 0 ? authority + length : NULL;
}

/* The end of ":PORT", if any; NULL if it is not a port. */
static const char *port_end(const char *colon)
{
	size_t digits;
	uint64_t port;
	char text[6] = "";

	if (*colon != ':')
		return colon;
	digits = strspn(colon + 1, "0123456789");
	if (digits == 0 || digits >= sizeof(text))
		return NULL;
	memcpy(text, colon + 1, digits);
	if (!fcp_parse_u64(text, false, &port) || port == 0 || port > 65535)
		return NULL;
	return colon + 1 + digits;
}

/* Not in the path either: people write passwords unescaped, slashes and all. */
static int check_no_user(const char *url, struct fcp_error *err)
{
	if (!strchr(url, '@'))
		return 0;
	return fcp_error_set(err, FCP_ERR_USAGE, 0,
			     "the URL contains a user or a password (an @), and URLs are shown");
}

/* hint: what a right URL looks like. */
static int check_authority(const char *url, const char *authority, const char *hint,
			   struct fcp_error *err)
{
	const char *end = host_end(authority);

	if (!end)
		return bad_url(url, "no host in this URL", hint, err);
	end = port_end(end);
	if (!end)
		return bad_url(url, "the port is not a number from 1 to 65535", hint, err);
	if (*end != '\0' && *end != '/')
		return bad_url(url, "not a URL", hint, err);
	/* After a ? or a # curl would send another path. */
	if (end[strspn(end, LETTERS_AND_DIGITS "/.-_~%+,=:;")] != '\0')
		return bad_url(url, "the URL continues after its path", "", err);
	return 0;
}

int fcp_url_check(const char *url, struct fcp_error *err)
{
	const char *authority = authority_of(url), *hint = " (http://IP:49983 is envd's)";

	if (check_no_user(url, err) != 0)
		return -1;
	if (authority == url && strstr(url, "://"))
		return bad_url(url, "only http:// is supported", hint, err);
	return check_authority(url, authority, hint, err);
}

bool fcp_url_is_tls(const char *url)
{
	return strncasecmp(url, "https://", 8) == 0;
}

int fcp_service_url_check(const char *url, struct fcp_error *err)
{
	const char *authority = service_authority_of(url);

	if (check_no_user(url, err) != 0)
		return -1;
	if (authority == url)
		return bad_url(url, "not http:// or https://", "", err);
	return check_authority(url, authority, "", err);
}

bool fcp_url_has_port(const char *url)
{
	const char *end = host_end(authority_of(url));

	return end && *end == ':';
}

uint16_t fcp_url_port(const char *url)
{
	const char *end = host_end(service_authority_of(url));
	unsigned long port = end && *end == ':' ? strtoul(end + 1, NULL, 10) : 0;

	if (port > 0 && port <= 65535)
		return (uint16_t)port;
	return fcp_url_is_tls(url) ? 443 : 80;
}

bool fcp_url_split(const char *url, char *host_, size_t bytes, const char **path_)
{
	const char *host = service_authority_of(url), *end = host_end(host);
	size_t brackets = *host == '[', length = end ? (size_t)(end - host) - 2 * brackets : 0;

	if (!end || length >= bytes)
		return false;
	memcpy(host_, host + brackets, length);
	host_[length] = '\0';
	*path_ = end + strcspn(end, "/");
	return true;
}

bool fcp_url_has_address(const char *url)
{
	char host[INET_ADDRSTRLEN];
	struct in_addr address;
	const char *path;

	if (*service_authority_of(url) == '[')
		return host_end(service_authority_of(url)) != NULL;
	return fcp_url_split(url, host, sizeof(host), &path) &&
	       inet_pton(AF_INET, host, &address) == 1;
}
