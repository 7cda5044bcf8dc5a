// SPDX-License-Identifier: Apache-2.0
/*
 * How many values the enums of fcpause.h have. Not in it: a program would keep the number that it
 * was built with.
 */
#ifndef FCP_BASE_ENUMS_H
#define FCP_BASE_ENUMS_H

#include "fcpause.h"

#define FCP_RECLAIM_KINDS (FCP_RECLAIM_FSTRIM + 1)
#define FCP_PAGE_CLASSES (FCP_PAGE_UNKNOWN + 1)

#endif
