// SPDX-License-Identifier: Apache-2.0
#include "cmd/schema/schema.h"

/* The file itself; the path is relative to where make runs. */
__asm__(".pushsection .rodata\n"
	".global schema_text\n"
	"schema_text:\n"
	".incbin \"cmd/schema/fcpause.schema.json\"\n"
	".byte 0\n"
	".popsection\n");
