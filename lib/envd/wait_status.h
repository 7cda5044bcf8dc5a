// SPDX-License-Identifier: Apache-2.0
#ifndef FCP_ENVD_WAIT_STATUS_H
#define FCP_ENVD_WAIT_STATUS_H

/*
 * The number of the signal that ended a process, of envd's words for it: "signal: killed",
 * "signal: aborted (core dumped)", "signal: signal 40". They are those of Go's
 * os.ProcessState.String(). 0: no signal is named.
 */
int fcp_guest_signal_number(const char *status);

#endif
