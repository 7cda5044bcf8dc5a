// SPDX-License-Identifier: Apache-2.0
/* Files of flags. The first byte: strict, and for which use. */
#include "base/enums.h"
#include "fcpause.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes input = {data, size};
	uint8_t how = take_byte(&input);
	struct fcp_flags flags = FCP_FLAGS_INIT, strict = FCP_FLAGS_INIT;
	struct fcp_error err = {0};
	enum fcp_flags_use use = how & 2 ? FCP_USE_BUILD : FCP_USE_PAUSE;

	memfd_of(input);
	expect(fcp_flags_read(memfd_path(), use, false, &flags, &err) == 0,
	       "flags that fail without strict");
	expect_flags(&flags);
	if (how & 1) {
		bool refused = fcp_flags_read(memfd_path(), use, true, &strict, &err) != 0;

		expect(refused == (flags.warning_count > 0),
		       "strict flags: what is warned of is an error");
		if (refused)
			expect_error(&err);
	}
	fcp_flags_clear(&flags);
	fcp_flags_clear(&strict);
	return 0;
}
