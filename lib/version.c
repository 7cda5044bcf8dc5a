// SPDX-License-Identifier: Apache-2.0
#include "fcpause.h"

const char *fcp_version(void)
{
	return FCP_VERSION;
}
