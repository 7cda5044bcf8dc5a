// SPDX-License-Identifier: Apache-2.0
/* Services on 127.0.0.1 that are neither Firecracker nor envd: flags, and a collector of traces. */
#ifndef SIM_SERVICES_H
#define SIM_SERVICES_H

/*
 * fcpause-sim services [--recorded FILE] [--log FILE] [--status N --body TEXT] [--hang] [--port N]
 *                      [--tls-key PEM --tls-certificate PEM]
 *
 * Answers a request that is in the recorded exchanges (the same method, path, Authorization, and
 * JSON) as the real server did; POST /v1/traces with 200 {}; others with 404. With --status all get
 * that, with --hang none gets an answer. Each request is a JSON object in the log:
 * {"method","path","headers","body"}. Prints {"ready":true,"url":"http://127.0.0.1:PORT"}, and ends
 * at SIGTERM. Returns the exit code.
 */
int services_main(int argc, char **argv);

#endif
