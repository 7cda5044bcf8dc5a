// SPDX-License-Identifier: Apache-2.0
#include "guest/arch/arch.h"

#include <stddef.h>

const struct fcp_guest_arch *const fcp_guest_archs[] = {&fcp_guest_x86_64, &fcp_guest_arm64, NULL};
