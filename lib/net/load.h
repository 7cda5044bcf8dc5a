// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_NET_LOAD_H
#define FCP_NET_LOAD_H

/*
 * Loads libcurl now, and not with the first connection, for a program that soon cannot open files.
 * Who opens a connection is told of a failure.
 */
void fcp_net_load(void);

#endif
