// SPDX-License-Identifier: Apache-2.0
#include "cmd/confine/servers.h"

#include "cmd/telemetry/telemetry.h"
#include "net/url.h"

#include <strings.h>

static bool is_url(const char *text)
{
	return strncasecmp(text, "http://", 7) == 0 || fcp_url_is_tls(text);
}

static void add(struct servers *servers, const char *url)
{
	servers->internet = true;
	servers->names |= !fcp_url_has_address(url);
	servers->tls |= fcp_url_is_tls(url);
	servers->ports[servers->port_count++] = fcp_url_port(url);
}

void servers_find(const struct invocation *invocation, struct servers *servers_)
{
	const char *collector = telemetry_url(invocation->telemetry);

	*servers_ = (struct servers){0};
	for (size_t id = 0; id < OPTIONS; id++) {
		const char *text = invocation->values[id].text;

		if (text && (options[id].kind == KIND_URL || is_url(text)))
			add(servers_, text);
	}
	if (collector)
		add(servers_, collector);
}
