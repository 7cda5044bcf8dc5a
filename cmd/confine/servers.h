// SPDX-License-Identifier: Apache-2.0
/* Which servers a run talks to, according to its options and the environment. */
#ifndef FCP_CMD_CONFINE_SERVERS_H
#define FCP_CMD_CONFINE_SERVERS_H

#include "cmd/parsing/invocation.h"

struct servers {
	bool internet; /* a URL is named */
	bool names;    /* a URL has a host name that must be resolved */
	bool tls;      /* a URL is https:// */
	uint16_t ports[OPTIONS + 1];
	size_t port_count;
};

void servers_find(const struct invocation *invocation, struct servers *servers_);

#endif
