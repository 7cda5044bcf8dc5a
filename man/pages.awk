# SPDX-License-Identifier: Apache-2.0
# The pages of the library's functions, of the comments in its header: one for each of its sections, and
# for each function a link to its page.
#
#   awk -v out=DIRECTORY -v date="November 25, 2026" -v commands="pause snapshot" -f man/pages.awk lib/fcpause.h
#
# A section begins with /* ---- NAME: TITLE ---- */ and has functions, structs, enums and macros, each with
# its comment before it; a member or a value has its comment before it, or behind it.

# ---- text ----

# Of a comment's lines the text, on one line; paragraphs are apart by \001.
function plain(comment) {
	gsub(/(^|\n)[ \t]*(\/\*|\*\/|\*)[ ]?/, "\n", comment)
	gsub(/[ \t]*\*\/[ \t]*/, "", comment)
	gsub(/^[ \t\n]+|[ \t\n]+$/, "", comment)
	gsub(/\n[ \t]*\n/, "\001", comment)
	gsub(/[ \t\n]+/, " ", comment)
	return comment
}

# A sentence a line, as mdoc wants it.
function put(text,    n, i, words, line, at_end) {
	gsub(/\\/, "\\e", text)
	n = split(text, words, " ")
	line = ""
	for (i = 1; i <= n; i++) {
		at_end = line ~ /[.?!][)"]?$/ && line !~ /(e\.g|i\.e|\.\.\.)$/ && words[i] ~ /^[("]?[A-Z*]/
		if (line != "" && (at_end || length(line) + length(words[i]) > 78)) {
			put_line(line)
			line = ""
		}
		line = line (line == "" ? "" : " ") words[i]
	}
	put_line(line)
}

function put_line(line) {
	if (line == "") return
	print (line ~ /^[.\047]/ ? "\\&" : "") line >file
}

function put_paragraphs(text,    n, i, parts) {
	n = split(text, parts, "\001")
	for (i = 1; i <= n; i++) {
		if (i > 1) print ".Pp" >file
		put(parts[i])
	}
}

# What stands behind a member begins small and has no full stop.
function sentence(text) {
	if (text == "") return text
	if (text ~ /^[a-z]+[ ;,:]/ && text !~ /^fcpause/) text = toupper(substr(text, 1, 1)) substr(text, 2)
	return text ~ /[.?!:"]$/ ? text : text "."
}

# ---- what a section has ----

function begin_section(line,    title) {
	sub(/^\/\* ---- /, "", line)
	sub(/ -+ \*\/$/, "", line)
	title = line
	sub(/:.*/, "", line)
	sub(/^[^:]*: /, "", title)
	gsub(/[ -]/, "_", line)
	end_section()
	if (line == "initializers") return
	page = "fcp_" line
	command = line
	gsub(/_/, "-", command)
	heading = title
	doc = ""
}

function add(what, name, text, body) {
	items++
	kind[items] = what
	item_name[items] = name
	item_doc[items] = text
	item_body[items] = body
}

# "FCP_API int fcp_x(const struct y *z, ...);" as .Ft and .Fn
function put_prototype(text,    name, type, parameters, n, i, parts) {
	sub(/^FCP_API /, "", text)
	parameters = text
	sub(/^[^(]*\(/, "", parameters)
	sub(/\);$/, "", parameters)
	sub(/\(.*/, "", text)
	match(text, /[a-z0-9_]+$/)
	name = substr(text, RSTART)
	type = substr(text, 1, RSTART - 1)
	sub(/ $/, "", type)
	print ".Ft \"" type "\"" >file
	printf ".Fn %s", name >file
	n = split(parameters, parts, /, */)
	for (i = 1; i <= n; i++) printf " \"%s\"", parts[i] >file
	print "" >file
}

function function_name(text) {
	sub(/\(.*/, "", text)
	match(text, /[a-z0-9_]+$/)
	return substr(text, RSTART)
}

# A member as it is declared: its type, and its name with the asterisks.
function put_member(declared, text,    at) {
	gsub(/[ \t\n]+/, " ", declared)
	gsub(/^ | ?;$/, "", declared)
	if (declared ~ /\(\*/) {
		print ".It Vt \"" declared "\"" >file
	} else {
		match(declared, /\**[a-z0-9_]+(\[[^]]*\])*$/)
		at = RSTART
		print ".It Vt \"" trim(substr(declared, 1, at - 1)) "\" Fa " substr(declared, at) >file
	}
	put(sentence(text))
}

function trim(text) {
	sub(/ $/, "", text)
	return text
}

# Members or values: "declared /* behind */", with a comment before it.
function put_members(body, separator,    n, i, lines, before, declared, text, in_comment) {
	n = split(body, lines, "\n")
	before = declared = ""
	for (i = 1; i <= n; i++) {
		if (in_comment || (declared == "" && lines[i] ~ /^[ \t]*\/\*/)) {
			before = before "\n" lines[i]
			in_comment = lines[i] !~ /\*\//
			continue
		}
		if (lines[i] ~ /^[ \t]*$/) continue
		declared = declared " " lines[i]
		if (declared !~ separator) continue
		text = ""
		if (match(declared, /\/\*/)) {
			text = substr(declared, RSTART)
			declared = substr(declared, 1, RSTART - 1)
			while (text !~ /\*\//) text = text "\n" lines[++i]
		}
		gsub(/[ \t]+$/, "", declared)
		if (separator == "[;]") {
			if (declared !~ /size_t size;$/)
				put_member(declared, plain(before == "" ? text : before))
		} else {
			put_value(declared, plain(before == "" ? text : before))
		}
		before = declared = ""
	}
}

function put_value(declared, text) {
	gsub(/[ \t,]/, "", declared)
	sub(/=.*/, "", declared)
	print ".It Dv " declared >file
	put(sentence(text))
}

# ---- a page ----

function put_names(    i, n) {
	n = split("", names)
	names[++n] = page
	for (i = 1; i <= items; i++)
		if (kind[i] == "function" && item_name[i] != page) names[++n] = item_name[i]
	for (i = 1; i <= n; i++) print ".Nm " names[i] (i < n ? " ," : "") >file
	for (i = 2; i <= n; i++) link(names[i])
}

function link(name,    path) {
	path = out "/" name ".3"
	print ".so man3/" page ".3" >path
	close(path)
}

function put_item(i) {
	if (kind[i] == "function") {
		print ".Ss " item_name[i] >file
		put_paragraphs(item_doc[i] == "NULL-safe." ? "Frees what the result owns. NULL-safe." : item_doc[i])
		return
	}
	if (kind[i] == "macro") {
		print ".Ss " item_name[i] >file
		put_paragraphs(item_doc[i] == "" ? "Is " item_body[i] "." : item_doc[i])
		return
	}
	print ".Ss " item_name[i] >file
	put_paragraphs(item_doc[i])
	print ".Bl -tag -width Ds" >file
	put_members(item_body[i], kind[i] == "struct" ? "[;]" : "[A-Z0-9_]")
	print ".El" >file
}

function put_return_values(    i, is_step, is_int) {
	for (i = 1; i <= items; i++) {
		if (kind[i] != "function" || item_body[i] !~ /^FCP_API int /) continue
		is_int = 1
		if (item_body[i] ~ /_result \*result/) is_step = 1
	}
	if (!is_int) return
	print ".Sh RETURN VALUES" >file
	if (is_step) {
		print "0: all was done that was asked." >file
		print "A positive" >file
		print ".Vt \"enum fcp_status\" :" >file
		print "it ended with less, and" >file
		print ".Fa result->outcome" >file
		print "has the reason." >file
		print "\\-1: it failed, and" >file
	} else {
		print "0, or \\-1:" >file
	}
	print ".Fa err" >file
	print "is filled in." >file
	print ".Sh ERRORS" >file
	print "See" >file
	print ".Xr fcp_error 3 ;" >file
	print "those that mean something of their own here are named above." >file
}

function end_section(    i) {
	if (page == "" || items == 0) { page = ""; items = 0; return }
	file = out "/" page ".3"
	print ".\\\" SPDX-License-Identifier: Apache-2.0" >file
	print ".\\\" Made of fcpause.h by man/pages.awk." >file
	print ".Dd " date >file
	print ".Dt " toupper(page) " 3" >file
	print ".Os" >file
	print ".Sh NAME" >file
	put_names()
	print ".Nd " heading >file
	print ".Sh LIBRARY" >file
	print "libfcpause (libfcpause, \\-lfcpause)" >file
	print ".Sh SYNOPSIS" >file
	print ".In fcpause.h" >file
	for (i = 1; i <= items; i++)
		if (item_name[i] == page) put_prototype(item_body[i])
		else if (item_name[i] == "struct " page) print ".Vt " item_name[i] " ;" >file
	for (i = 1; i <= items; i++)
		if (kind[i] == "function" && item_name[i] != page) put_prototype(item_body[i])
	print ".Sh DESCRIPTION" >file
	print "The conventions that all functions share, how structs grow, threads, signals and errors are in" >file
	print ".Xr libfcpause 3 ." >file
	for (i = 1; i <= items; i++) if (item_name[i] == page) put_item(i)
	for (i = 1; i <= items; i++) if (item_name[i] != page) put_item(i)
	put_return_values()
	print ".Sh SEE ALSO" >file
	if (index(" " commands " ", " " command " ")) print ".Xr fcpause-" command " 1 ," >file
	print ".Xr libfcpause 3" >file
	close(file)
	page = ""
	items = 0
}

# ---- the header ----

/^\/\* ---- / { begin_section($0); next }
page == "" { next }
/^\/\* clang-format/ || /^#(if|endif|ifdef)/ { next }
/^\/\*/ {
	doc = $0
	while (doc !~ /\*\//) { getline; doc = doc "\n" $0 }
	doc = plain(doc)
	next
}
/^#define / {
	body = $0
	sub(/^#define [A-Z_]+ /, "", body)
	add("macro", $2, doc, body)
	doc = ""
	next
}
/^(struct|enum)( [a-z_]+)? \{/ {
	what = $1
	name = $2 == "{" ? "FCP_FIND_..." : $1 " " $2
	body = ""
	while ((getline) > 0 && $0 !~ /^\};/) body = body $0 "\n"
	add(what, name, doc, body)
	doc = ""
	next
}
/^FCP_API / {
	body = $0
	while (body !~ /;/) { getline; body = body " " $0 }
	gsub(/[ \t]+/, " ", body)
	add("function", function_name(body), doc, body)
	doc = ""
	next
}
/^$/ { doc = "" }
END { end_section() }
