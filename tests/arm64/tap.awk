# SPDX-License-Identifier: Apache-2.0
# One TAP of that of many programs: "@run FILE", its lines, "@end CODE"; "@over" at the end.
function result(status, what) { print status (++count) " - " what }
/^@run / { file = $2; sub(/.*\//, "", file); failed = seen = 0; next }
/^@end / {
	if (($2 != 0 && !failed) || !seen) result("not ok ", file ": ended with " $2)
	file = ""
	next
}
/^@over/ { over = 1; next }
file != "" && /^(not )?ok / {
	status = /^not / ? "not ok " : "ok "
	failed += /^not /
	seen = 1
	sub(/^(not )?ok [0-9]+ (- )?/, "")
	result(status, file ": " $0)
	next
}
file != "" && /^1\.\.0 # SKIP/ { seen = 1; result("ok ", file " # SKIP " substr($0, 13)); next }
file != "" && !/^1\.\.[0-9]+$/ { print "# " $0 }
END {
	if (!over) result("not ok ", "it ended before all tests were run")
	print "1.." count + 0
}
