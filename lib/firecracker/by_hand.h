// SPDX-License-Identifier: Apache-2.0
/* Commands that restore a VM's state, quoted for pasting into a shell. */
#ifndef FCP_FIRECRACKER_BY_HAND_H
#define FCP_FIRECRACKER_BY_HAND_H

#define FCP_BY_HAND_BYTES 640

/* "fcpause resume --api-sock vm.sock" */
void fcp_by_hand_resume(const char *api_sock, char command_[FCP_BY_HAND_BYTES]);

/* "fcpause balloon-drain --stop --api-sock vm.sock" */
void fcp_by_hand_stop_hinting(const char *api_sock, char command_[FCP_BY_HAND_BYTES]);

#endif
