// SPDX-License-Identifier: Apache-2.0
/* What is read of a URL: the port that is connected to, and whether its host must be looked up. */
#include "net/url.h"

#include "tap.h"

static const struct {
	const char *url;
	uint16_t port;
	bool address;
} urls[] = {
	{"http://10.0.0.2:49983", 49983, true},
	{"10.0.0.2:49983", 49983, true},
	{"10.0.0.2", 80, true},
	{"http://10.0.0.2/path:7", 80, true},
	{"HTTP://[fe80::1%eth0]:8080/x", 8080, true},
	{"http://[::1]", 80, true},
	{"https://[::1]", 443, true},
	{"https://flags.example/all", 443, false},
	{"https://flags.example:8443/all", 8443, false},
	{"http://localhost:1", 1, false},
	{"http://localhost:65535", 65535, false},
	/* Names, if of digits. */
	{"http://10.0.0:80", 80, false},
	{"http://256.0.0.1", 80, false},
	{"http://10.0.0.2.example", 80, false},
	{"http://1234567890.1234567890.example:81", 81, false},
};

static void split(void)
{
	char host[16];
	const char *path = NULL;

	ok(fcp_url_split("http://[fe80::1%eth0]:80/a/", host, sizeof(host), &path), "split");
	is_str(host, "fe80::1%eth0", "without its brackets");
	is_str(path, "/a/", "what follows the port");
	ok(fcp_url_split("10.0.0.2:49983", host, sizeof(host), &path), "split without a scheme");
	is_str(host, "10.0.0.2", "the host");
	is_str(path, "", "no path");
	ok(!fcp_url_split("http://a-name-of-16-chr", host, 16, &path), "no room for its NUL");
	ok(!fcp_url_split("http://:80/", host, sizeof(host), &path), "no host");
}

int main(void)
{
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		struct fcp_error err;

		ok(fcp_service_url_check(urls[i].url, &err) == 0 ||
			   fcp_url_check(urls[i].url, &err) == 0,
		   "%s is a URL", urls[i].url);
		is_u64(fcp_url_port(urls[i].url), urls[i].port, urls[i].url);
		ok(fcp_url_has_address(urls[i].url) == urls[i].address, "%s: %s", urls[i].url,
		   urls[i].address ? "an address" : "a name");
	}
	split();
	return done();
}
