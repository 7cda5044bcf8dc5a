// SPDX-License-Identifier: Apache-2.0
/* Commands that put a VM back, for messages: as they can be pasted into a shell. */
#ifndef FCP_FIRECRACKER_BY_HAND_H
#define FCP_FIRECRACKER_BY_HAND_H

#define FCP_BY_HAND_BYTES 640

/* "curl --unix-socket vm.sock -X PATCH -d '{"state":"Resumed"}' http://localhost/vm" */
void fcp_by_hand_resume(const char *api_sock, char command_[FCP_BY_HAND_BYTES]);

/* "curl --unix-socket vm.sock -X PATCH http://localhost/balloon/hinting/stop" */
void fcp_by_hand_stop_hinting(const char *api_sock, char command_[FCP_BY_HAND_BYTES]);

#endif
