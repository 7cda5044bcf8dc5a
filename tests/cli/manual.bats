#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Holds the parser, --help and the manual together: each is asked for its own list of commands,
# options, arguments, defaults, variables and exit codes, and the lists must be equal. What the
# manual says of an option is then tried on the parser.

load helpers

setup_file() { export BATS_TEST_TIMEOUT=120; }

# ---- what --help says ------------------------------------------------------------------------

# The commands of the overview, "NAME<TAB>SUMMARY" a line.
help_commands() {
	"$FCPAUSE" --help | sed -nE '/^  fcpause /d; s/^  ([a-z-]+) +(.+)/\1\t\2/p'
}

commands() { help_commands | cut -f1; }

# help_rows COMMAND own|common: "NAMES<TAB>ARGUMENT<TAB>DEFAULT" an option, its names with commas
# between: "drain,no-drain", "n,dry-run".
help_rows() {
	env -u ARGP_HELP_FMT "$FCPAUSE" "$1" --help=all | awk -v want="$2" '
		function flush() {
			gsub(/ +/, " ", text)
			value = ""
			if (match(text, /\(default: [^)]*\)/))
				value = substr(text, RSTART + 10, RLENGTH - 11)
			if (names != "" && scope == want)
				print names "\t" arg "\t" value
			names = arg = text = ""
		}
		BEGIN { scope = "own" }
		/^ Common to all commands:/ { flush(); scope = "common"; next }
		/^ ? ? ? ? ? ? ? ?-/ {
			flush()
			rest = $0
			sub(/^ +/, "", rest)
			while (match(rest, /^(--[a-z0-9-]+|-[A-Za-z])(=[^ ,]+)?/)) {
				word = substr(rest, 1, RLENGTH)
				rest = substr(rest, RLENGTH + 1)
				equals = index(word, "=")
				if (equals) {
					arg = substr(word, equals + 1)
					word = substr(word, 1, equals - 1)
				}
				sub(/^-+/, "", word)
				names = names (names == "" ? "" : ",") word
				if (!sub(/^, /, "", rest))
					break
			}
			text = rest
			next
		}
		/^ / { text = text " " $0; next }
		{ flush() }
		END { flush() }' | sort
}

# All options of a command, "NAME<TAB>ARGUMENT<TAB>KIND": KIND is value, switch, toggle (has a no-
# form), negation or action (help, version). Letters are left out.
help_options() {
	{ help_rows "$1" own; help_rows "$1" common; } | awk -F '\t' '{
		count = split($1, names, ",")
		for (i = 1; i <= count; i++) {
			if (length(names[i]) == 1)
				continue
			kind = $2 != "" ? "value" : "switch"
			if (names[count] == "no-" names[1])
				kind = i == 1 ? "toggle" : "negation"
			if (names[i] == "help" || names[i] == "version")
				kind = "action"
			print names[i] "\t" $2 "\t" kind
		}
	}'
}

# rows COMMAND: help_options for a loop. A tab is white space to read, and two of them are one: an
# option without an argument gets "-".
rows() { help_options "$1" | awk -F '\t' '{ print $1 "\t" ($2 == "" ? "-" : $2) "\t" $3 }'; }

all_options() {
	local command
	for command in $(commands); do help_options "$command"; done | cut -f1 | sort -u
}

variable_of() {
	local name=${1^^}
	echo "FCPAUSE_${name//-/_}"
}

# ---- what the manual says --------------------------------------------------------------------

page() { echo "$ROOT/man/fcpause-$1.1"; }
# Of the commands and the library; a script's own test holds its page.
pages() { printf '%s\n' "$ROOT"/man/*.[0-9] | grep -vE '/fcpause-(resume-build|fph-bench|pause-many)\.[0-9]$'; }
# Sets PAGES, where a path may hold anything but a line break.
find_pages() { mapfile -t PAGES < <(pages) && [ "${#PAGES[@]}" -gt 5 ]; }

# section PAGE NAME: the lines of a section.
section() {
	awk -v name="$2" '/^\.Sh / { inside = substr($0, 5) == name; next } inside' "$1"
}

# page_rows PAGE SECTION: as help_rows.
page_rows() {
	section "$1" "$2" | awk '
		function flush() {
			if (names != "")
				print names "\t" arg "\t" value
			names = arg = value = ""
		}
		/^\.El/ { flush() }
		/^\.It Fl/ {
			flush()
			for (i = 2; i <= NF; i++) {
				if ($i == "Ar")
					arg = $++i
				else if ($i == "Fl") {
					i += $(i + 1) == "Fl" ? 2 : 1
					names = names (names == "" ? "" : ",") $i
				} else if ($i != ",")
					names = names " ?" $i
			}
		}
		last == "The default is" && /^\.Ql [^ ]+ \.$/ { value = $2 }
		{ last = $0 }
		END { flush() }' | sort
}

# The commands of a page's examples, "COMMAND ARGS…" a line.
examples() {
	sed -nE '
		/^\$ |^  fcpause /!d
		s/^\$ //
		s/\\e$/\\/
		:more
		/(\\|&&|\|)$/ { s/\\$//; N; s/\n */ /; s/\\e$/\\/; b more }
		s/(&&|\||;|>)/\n/g
		p' "$1" | sed -nE 's/^ *fcpause ([a-z].*)/\1/p'
}

# ---- values ----------------------------------------------------------------------------------

# good NAME ARGUMENT: a value that the parser must take; bad: those that it must refuse.
good() {
	case $2:$1 in
	N:* | TIME:*) echo 7 ;;
	STEP=TIME:*) echo fstrim=7 ;;
	KEY=VALUE:*) echo a=b ;;
	BYTES:*) echo 64K ;;
	LIST:steps) echo fstrim,sync ;;
	LIST:find) echo zero ;;
	USE:*) echo build ;;
	TYPE:*) echo diff ;;
	WHO:*) echo firecracker ;;
	MEANING:*) echo zero ;;
	MODE:*) echo hierarchy ;;
	WHEN:*) echo never ;;
	FORMAT:*) echo json ;;
	FILE:* | 'FILE|URL':* | DIR:* | PATH:* | URL:* | TEXT:* | USER:*) echo value ;;
	*) echo "no good value is known for --$1 $2: add it to this test" >&2; return 1 ;;
	esac
}

bad() {
	case $2:$1 in
	TIME:*) printf '%s\n' x -1 1.5 '7 ' 7x 1s1 0.0001s 86400001 1441m 25h 18446744073709551616 ;;
	N:*) printf '%s\n' x -1 1.5 18446744073709551616 ;;
	KEY=VALUE:*) printf '%s\n' x =x --json ;;
	STEP=TIME:*) printf '%s\n' sync 7 nix=7 sync= sync=x sync=1.5 sync=25h ;;
	BYTES:*) printf '%s\n' x 4097 1KB 99999999T ;;
	LIST:*) printf '%s\n' nix --json ;;
	USE:* | TYPE:* | MODE:* | MEANING:* | WHEN:* | WHO:* | FORMAT:*) printf '%s\n' nix ;;
	FILE:* | 'FILE|URL':* | DIR:* | PATH:* | URL:* | TEXT:* | USER:*) printf '%s\n' --json ;;
	*) echo "no bad value is known for --$1 $2: add it to this test" >&2; return 1 ;;
	esac
	echo # an empty one is never good
}

# What a command needs before it looks at anything else, into NEEDS: nobody listens there, so that
# a value that is accepted by mistake does nothing.
needs() {
	NEEDS=()
	case $1 in
	reclaim) NEEDS=(--envd http://127.0.0.1:1) ;;
	exec) NEEDS=(--envd http://127.0.0.1:1 --script true) ;;
	balloon-* | doctor | status | resume) NEEDS=(--api-sock "$T/none") ;;
	madvise-ranges) NEEDS=(--mem-file-path "$T/memory" --find zero) ;;
	share) NEEDS=(--mem-file-path "$T/memory" --share "$T/disk") ;;
	merge) NEEDS=(--base "$T/base" --layer "$T/layer" --out "$T/out") ;;
	inspect) NEEDS=(--mem-file-path "$T/memory") ;;
	snapshot | pause)
		NEEDS=(--api-sock "$T/none" --snapshot-path "$T/s" --mem-file-path "$T/m"
			--envd http://127.0.0.1:1)
		;;
	*) echo "the test does not know what $1 needs" >&2; return 1 ;;
	esac
}

# The exit code of a bad command line: exec has its command's codes, and one for what is its own.
usage() { if [ "$1" = exec ]; then echo 125; else echo 2; fi; }

# without NAME: NEEDS without that option and its value, into REST.
without() {
	local i
	REST=()
	for ((i = 0; i < ${#NEEDS[@]}; i += 2)); do
		[ "${NEEDS[i]}" = "--$1" ] || REST+=("${NEEDS[i]}" "${NEEDS[i + 1]}")
	done
}

# A file that madvise-ranges takes for a whole memory file: no hole, and nothing to release.
memory() { head -c 8192 /dev/zero | tr '\0' x >"$T/memory"; }

equal() { diff -u --label "$1" --label "$2" "$T/a" "$T/b"; }

# ---- the lists are equal ---------------------------------------------------------------------

@test "manual: there are commands and options to look at" {
	[ "$(commands | wc -l)" -ge 6 ]
	[ "$(all_options | wc -l)" -ge 30 ]
	[ "$(help_rows balloon-drain own | sed -n 1p)" = $'drain,no-drain\t\t' ]
	[ "$(help_rows balloon-drain own | sed -n 2p)" = $'fph-timeout-ms\tTIME\t1500' ]
	[ "$(help_rows pause common | grep dry-run)" = $'n,dry-run\t\t' ]
	[ "$(examples "$ROOT/man/fcpause.1" | wc -l)" -ge 8 ]
}

@test "manual: each command has a page, each page a command" {
	commands | sed 's/.*/fcpause-&.1/' | sort >a
	pages | sed -n 's|.*/\(fcpause-.*\.1\)$|\1|p' | sort >b
	equal 'commands of --help' 'pages in man'
	[ -f "$ROOT/man/fcpause.1" ]
}

@test "manual: a page's one-line description is the summary of --help" {
	local name summary
	while IFS=$'\t' read -r name summary; do
		echo "$name: $summary"
		grep -qxF ".Nm fcpause-$name" "$(page "$name")"
		grep -qxF ".Nd $summary" "$(page "$name")"
		grep -qxF ".Xr fcpause-$name 1 ." "$ROOT/man/fcpause.1"
	done < <(help_commands)
}

@test "help: a screen of 80 by 24 for each command, with an example and the name of its page" {
	local command
	"$FCPAUSE" --help >out
	[ "$(wc -l <out)" -le 24 ]
	run ! grep -E '.{81}' out
	for command in $(commands); do
		"$FCPAUSE" "$command" --help >out
		echo "$command: $(wc -l <out) lines"
		[ "$(wc -l <out)" -ge 10 ] && [ "$(wc -l <out)" -le 24 ]
		run ! grep -E '.{81}' out
		grep -q "^Usage: fcpause $command \[OPTION...\]" out
		grep -qx "All options: --help=all   Manual: fcpause-$command(1)" out
		# The options that it cannot do without are explained.
		sed -n '/^Usage/,/^[A-Z]/p' out | sed '1!{/^[A-Z]/d}' | grep -oE -- '--[a-z-]+' | sort -u >needed
		grep -oE -- '^ +(-[a-z], )?--[a-z-]+' out | grep -oE -- '--[a-z-]+' | sort -u >shown
		[ -s needed ]
		[ -z "$(comm -23 needed shown)" ]
		# What is shown is some of all.
		help_rows "$command" own | cut -f1 | tr , '\n' | sed 's/^/--/' >all
		help_rows "$command" common | cut -f1 | tr , '\n' | sed 's/^/--/' >>all
		[ -z "$(sort -u all | comm -13 - shown)" ]
		# The example is one that the parser takes.
		read -ra words < <(sed -n 's/^Example: fcpause //p' out)
		[ "${words[0]}" = "$command" ]
		fcp "$command" --help "${words[@]:1}"
		expect 0
		"$FCPAUSE" "$command" --help >out
		"$FCPAUSE" help "$command" | diff out -
		"$FCPAUSE" "$command" -h | diff out -
		"$FCPAUSE" "$command" --help=all >all
		[ "$(wc -l <all)" -gt "$(wc -l <out)" ]
		run ! grep -E '.{81}| $' all
	done
	fcp pause --help=every
	expect 2
	expect_err "--help: unknown value 'every' (all)"
}

@test "manual: each command's page has its options, arguments and defaults" {
	local command
	for command in $(commands); do
		help_rows "$command" own >a
		page_rows "$(page "$command")" OPTIONS >b
		equal "fcpause $command --help" "fcpause-$command.1"
	done
}

@test "manual: fcpause(1) has the common options, arguments and defaults of each command" {
	local command
	page_rows "$ROOT/man/fcpause.1" 'COMMON OPTIONS' >b
	for command in $(commands); do
		help_rows "$command" common >a
		equal "fcpause $command --help" fcpause.1
	done
}

@test "manual: a synopsis names the command's options, with their arguments" {
	local command common
	common=$(help_rows pause common | cut -f1,2 | tr '\t' ' ')
	for command in $(commands); do
		# A synopsis can have a common option that the command needs.
		help_options "$command" | awk -F '\t' '{ print $1 " " $2 }' |
			grep -vxF "$common" | grep -vE '^(dry-run|quiet|verbose|(no-)?settings|(no-)?sandbox|help|version) $' | sort >a
		section "$(page "$command")" SYNOPSIS |
			grep -oE 'Fl Fl [^ ]+( Ar [^ ]+)?' | sed -E 's/Fl Fl ([^ ]+)( Ar )?/\1 /' |
			grep -vxF "$common" | sort -u >b
		equal "fcpause $command --help" "SYNOPSIS of fcpause-$command.1"
	done
}

@test "manual: no page names an option that does not exist" {
	local file
	all_options >known
	# Options of other programs that the pages show.
	printf '%s\n' unix-socket sparse cflags libs >>known
	sort -u known >b
	find_pages
	for file in "${PAGES[@]}"; do
		grep -v '^\.\\"' "$file" | grep -oE '(Fl Fl |(^|[^-A-Za-z])--)[a-z][a-z0-9-]*' |
			sed -E 's/^(Fl Fl |[^-]?--)//' | sort -u >a
		comm -23 a b >unknown
		echo "$file: $(<unknown)"
		[ ! -s unknown ]
	done
}

@test "manual: no page names a letter that does not exist" {
	local command file
	for command in $(commands); do help_rows "$command" common; help_rows "$command" own; done |
		grep -oE '^[A-Za-z],' | tr -d , | sort -u >b
	find_pages
	for file in "${PAGES[@]}"; do
		grep -oE '(^\.(It |Op )?|[( ])Fl [A-Za-z]( |$)' "$file" | sed -E 's/.*Fl ([A-Za-z]).*/\1/' |
			sort -u >a
		comm -23 a b >unknown
		echo "$file: $(<unknown)"
		[ ! -s unknown ]
	done
}

@test "manual: the examples are accepted by the parser" {
	local file line
	local -a words
	find_pages
	for file in "${PAGES[@]}"; do
		[[ ${file##*/} == fcpause*.1 ]] || continue
		examples "$file" >lines
		echo "$file: $(wc -l <lines) examples"
		[ -s lines ]
		while IFS= read -r line; do
			read -ra words <<<"$line"
			# (In front: what follows an operand is one.)
			fcp "${words[0]}" --help "${words[@]:1}"
			expect 0
		done <lines
	done
}

@test "manual: fcpause-flags(5): each file of the page is right, and its values are as it says" {
	local block=0
	awk '/^\.Bd -literal/ { inside = 1; n++; next } /^\.Ed/ { inside = 0 }
		inside && (/^\{/ || begun[n]) { begun[n] = 1; print > ("flags." n) }' "$ROOT/man/fcpause-flags.5"
	for file in flags.*; do
		fcp pause -n --flags "$file" --strict-flags --api-sock s --snapshot-path s --mem-file-path m \
			--envd http://127.0.0.1:1 --json
		expect 0
		expect_json '.warnings | all(startswith("flag") | not)' '.settings.drain == {value: true, origin: "flags"}' \
			'.settings.reclaim == {value: true, origin: "flags"}' '.settings.fph_timeout_ms.value == 1500'
		block=$((block + 1))
	done
	[ "$block" -eq 2 ]
	# The values in the list of shapes.
	sed -nE 's/^\.It Li (\{.*|[0-9]+|\\\(dq.*)$/\1/p' "$ROOT/man/fcpause-flags.5" | sed 's/\\(dq/"/g' >values
	[ "$(wc -l <values)" -eq 4 ]
	while IFS= read -r value; do
		echo "{\"flagValues\": {\"reclaim-on-pause\": $value}}" >flags.json
		fcp reclaim -n --flags flags.json --strict-flags --envd http://127.0.0.1:1 --json
		expect 0
		expect_json '.settings.reclaim == {value: true, origin: "flags"}'
	done <values
}

@test "manual: pages that are referred to exist" {
	local name section
	grep -hoE '\.Xr (lib)?fcpause[a-z-]* [0-9]' "$ROOT"/man/* | sort -u >refs
	[ -s refs ]
	while read -r _ name section; do
		echo "$name($section)"
		[ -f "$ROOT/man/$name.$section" ]
	done <refs
}

@test "manual: libfcpause(3) has the errors of the header, and the library its functions" {
	sed -nE 's/^FCP_API .*\b(fcp_[a-z0-9_]+)\(.*/\1/p' "$ROOT/lib/fcpause.h" | sort -u >a
	[ -s a ]
	grep -oE '\bfcp_[a-z0-9_]+;' "$ROOT/lib/libfcpause.map" | tr -d ';' | sort -u >b
	equal fcpause.h libfcpause.map
	grep -oE '^	FCP_ERR_[A-Z_]+' "$ROOT/lib/fcpause.h" | tr -d '\t' | grep -vx FCP_ERR_NONE | sort -u >a
	sed -nE 's/^\.It Dv (FCP_ERR_[A-Z_]+)$/\1/p' "$ROOT/man/libfcpause.3" | sort -u >b
	[ -s a ]
	equal fcpause.h libfcpause.3
}

# ---- the parser does what they say -----------------------------------------------------------

@test "parser: each option of the manual is accepted, with its value" {
	local command names name arg value
	for command in $(commands); do
		while IFS=$'\t' read -r names arg; do
			for name in ${names//,/ }; do
				if [ ${#name} -eq 1 ]; then
					fcp "$command" "-$name" --help
				elif [ "$arg" = - ]; then
					fcp "$command" "--$name" --help
				else
					value=$(good "$name" "$arg")
					fcp "$command" "--$name" "$value" --help
					expect 0
					fcp "$command" "--$name=$value" --help
				fi
				expect 0
			done
		done < <({ page_rows "$(page "$command")" OPTIONS
			page_rows "$ROOT/man/fcpause.1" 'COMMON OPTIONS'; } |
			awk -F '\t' '{ print $1 "\t" ($2 == "" ? "-" : $2) }')
	done
}

@test "parser: a bad value is exit 2, and the message names the option" {
	local command name arg kind value
	for command in $(commands); do
		needs "$command"
		while IFS=$'\t' read -r name arg kind; do
			[ "$kind" = value ] || continue
			bad "$name" "$arg" >values
			while IFS= read -r value; do
				fcp "$command" "${NEEDS[@]}" "--$name=$value"
				expect "$(usage "$command")"
				expect_err "fcpause $command: "
				expect_err "--$name"
				expect_no_out
			done <values
		done < <(rows "$command")
	done
}

@test "parser: an option without its value is exit 2, and the message names both" {
	local command name arg kind
	for command in $(commands); do
		needs "$command"
		while IFS=$'\t' read -r name arg kind; do
			[ "$kind" = value ] || continue
			fcp "$command" "${NEEDS[@]}" "--$name"
			expect "$(usage "$command")"
			expect_err "fcpause $command: --$name needs a value: $arg"
		done < <(rows "$command")
	done
}

@test "parser: a switch with a value is exit 2, and the message names it" {
	local command name arg kind
	for command in $(commands); do
		needs "$command"
		while IFS=$'\t' read -r name arg kind; do
			[ "$kind" != value ] || continue
			fcp "$command" "${NEEDS[@]}" "--$name=1"
			expect "$(usage "$command")"
			expect_err "--$name"
		done < <(rows "$command")
	done
}

@test "parser: an option of another command only is exit 2, and the message names it" {
	local command name
	for command in $(commands); do
		needs "$command"
		help_options "$command" | cut -f1 | sort >own
		all_options | comm -23 - own >others
		while IFS= read -r name; do
			# Short for one of its own: --reclaim-timeout-ms does not make --reclaim its own, but
			# getopt(3) takes it so.
			[ "$(grep -c "^$name" own)" -eq 0 ] || continue
			fcp "$command" "${NEEDS[@]}" "--$name"
			expect "$(usage "$command")"
			expect_err "--$name"
		done <others
	done
}

@test "parser: the defaults are those of the manual" {
	local command
	unset FCPAUSE_WRITER
	memory
	for command in $(commands); do
		needs "$command"
		without find
		fcp "$command" "${REST[@]}" --dry-run --json
		# A memory file in which there is no kernel: partly done.
		[ "$status" -eq 4 ] || expect 0
		{ page_rows "$(page "$command")" OPTIONS; page_rows "$ROOT/man/fcpause.1" 'COMMON OPTIONS'; } |
			awk -F '\t' '$3 != "" { split($1, n, ","); print n[1] "=" $3 }' | sort >a
		[ -s a ]
		# What is not said at all is null, off, or 0.
		jq -r '.settings | to_entries[] | select(.value.origin == "default" and .value.value != [])
			| .key as $key | .value.value
			| if type == "boolean" then (if . then "on" else "off" end) else tostring end
			| ($key | gsub("_"; "-")) + "=" + .' out |
			grep -vE '=null$|^(reclaim|drain|best-effort|strict|strict-flags|resume|force|layer|any-base|verify|list|track-dirty-pages|thaw|stop|stdin)=|=0$|^step-timeout-ms' |
			sort >b
		# Of how things are printed a plan says nothing.
		grep -vxE 'amount-mib=0|log-format=text|settings=on' a >a2 || true
		mv a2 a
		equal 'manual' "fcpause $command --dry-run"
	done
}

@test "parser: the caps of reclaim are those of the manual and of --help" {
	local caps file
	needs reclaim
	fcp reclaim "${NEEDS[@]}" --dry-run --json
	expect 0
	caps=$(jq -r '[.settings | to_entries[] | select(.key | startswith("step_timeout_ms."))
		| (.key | ltrimstr("step_timeout_ms.")) + " " + (.value.value | tostring)] | join(", ")' out)
	[ -n "$caps" ]
	for file in "$ROOT/man/fcpause.1" "$(page reclaim)" "$(page pause)"; do
		echo "$file: $caps"
		tr '\n' ' ' <"$file" | grep -qF " $caps,"
	done
	"$FCPAUSE" reclaim --help=all | tr -s ' \n' ' ' | grep -qF "($(tr -d 'a-z_' <<<"$caps" | sed 's/^ //; s/  / /g'))"
}

# ---- the environment -------------------------------------------------------------------------

@test "environment: fcpause(1) has one variable for each option, and no other" {
	local command name kind
	for command in $(commands); do
		while IFS=$'\t' read -r name _ kind; do
			[ "$kind" = negation ] || [ "$kind" = action ] || variable_of "$name"
		done < <(rows "$command")
	done | sort -u >a
	section "$ROOT/man/fcpause.1" ENVIRONMENT | sed -nE 's/^\.It Ev ([A-Z_]+)$/\1/p' | sort >b
	equal 'options of --help' 'ENVIRONMENT of fcpause.1'
	# The word behind an underscore that ends the prefix itself.
	grep -hoE 'FCPAUSE_[A-Z_]+' "$ROOT"/man/* | sort -u | comm -23 - b >unknown
	echo "unknown: $(<unknown)"
	[ ! -s unknown ]
}

@test "environment: a bad value is exit 2, and the message names the variable or the option" {
	local command name arg kind value variable
	for command in $(commands); do
		needs "$command"
		while IFS=$'\t' read -r name arg kind; do
			case $kind in
			negation | action) continue ;;
			value) bad "$name" "$arg" | grep . >values ;;
			*) echo maybe >values ;;
			esac
			# The command line wins, so it must not say the same.
			without "$name"
			variable=$(variable_of "$name")
			while IFS= read -r value; do
				status=0
				env "$variable=$value" timeout 20 "$FCPAUSE" "$command" "${REST[@]}" \
					>out 2>err || status=$?
				expect "$(usage "$command")"
				grep -qF -e "$variable" -e "--$name" err || _show "err names neither"
			done <values
		done < <(rows "$command")
	done
}

@test "environment: a good value is a setting, and an option takes its place" {
	local command name arg kind value key variable
	unset FCPAUSE_WRITER
	memory
	for command in $(commands); do
		needs "$command"
		while IFS=$'\t' read -r name arg kind; do
			case $name:$kind in
			*:negation | *:action | json:* | quiet:* | verbose:* | dry-run:*) continue ;;
			settings:* | trace:* | log-format:*) continue ;; # of how things are printed: trace.bats, schema.bats
			flags:* | ranges:* | step-timeout-ms:* | before:* | after:*) continue ;; # below
			pid:*) continue ;; # excludes the file that is needed otherwise
			layer:value) continue ;; # of merge: not of the environment
			base:*) [ "$command" != madvise-ranges ] || continue ;;& # only for what --list finds by it
			mem-file-path:*) value=$T/memory ;;
			*:value) value=$(good "$name" "$arg") ;;
			*) value=1 ;;
			esac
			without "$name"
			key=${name//-/_}
			variable=$(variable_of "$name")
			[ "$command:$name" != balloon-install:free-page-reporting ] || REST+=(--free-page-hinting)
			[ "$command:$name" != resume:thaw ] || REST+=(--envd http://127.0.0.1:1)
			status=0
			env "$variable=$value" timeout 20 "$FCPAUSE" "$command" "${REST[@]}" --dry-run --json \
				>out 2>err || status=$?
			expect 0
			expect_json ".settings.$key.origin == \"env\""
			[ "$kind" = value ] || continue
			status=0
			env "$variable=$value" timeout 20 "$FCPAUSE" "$command" "${REST[@]}" \
				"--$name=$value" --dry-run --json >out 2>err || status=$?
			expect 0
			expect_json ".settings.$key.origin == \"cli\""
		done < <(rows "$command")
	done
}

@test "environment: FCPAUSE_FLAGS, _RANGES, _BEFORE, _AFTER and _STEP_TIMEOUT_MS" {
	memory
	FCPAUSE_BEFORE=memory FCPAUSE_AFTER=none fcp inspect --after memory --dry-run --json
	expect 0
	expect_json '.settings.before == {value: "memory", origin: "env"}' \
		'.settings.after == {value: "memory", origin: "cli"}'
	echo '4096 4096' >ranges
	echo '{"flagValues": {"free-page-hinting": 7}}' >flags.json
	FCPAUSE_FLAGS=flags.json fcp balloon-drain --api-sock none --dry-run --json
	expect 0
	expect_json '.settings.flags.origin == "env"' '.settings.fph_timeout_ms == {value: 7, origin: "flags"}'
	FCPAUSE_RANGES=ranges fcp madvise-ranges --mem-file-path memory --list
	expect 0
	expect_out '4096 4096'
	FCPAUSE_STEP_TIMEOUT_MS=sync=3,fstrim=0 fcp reclaim --envd http://127.0.0.1:1 \
		--step-timeout-ms fstrim=4 --dry-run --json
	expect 0
	expect_json '.settings["step_timeout_ms.sync"] == {value: 3, origin: "env"}' \
		'.settings["step_timeout_ms.fstrim"] == {value: 4, origin: "cli"}'
}

@test "environment: a command passes over the variables of options that it does not take" {
	local command name
	memory
	for command in $(commands); do
		needs "$command"
		help_options "$command" | cut -f1 | sort >own
		all_options | comm -23 - own | grep -v '^no-' >others
		local -a set=()
		while IFS= read -r name; do set+=("$(variable_of "$name")=nix"); done <others
		status=0
		env "${set[@]}" timeout 20 "$FCPAUSE" "$command" "${NEEDS[@]}" --dry-run >out 2>err || status=$?
		expect 0
	done
}

# ---- exit codes, and the pages themselves ----------------------------------------------------

@test "manual: the exit codes of --help are those of fcpause(1)" {
	local command
	for command in $(commands); do
		"$FCPAUSE" "$command" --help=all | tr '\n' ' ' | sed 's/.*Exit codes: //' |
			tr ',' '\n' | awk 1 | sed -nE 's/^ *([0-9]+) .*/\1/p' >a
		if [ "$command" = exec ]; then
			section "$(page exec)" 'EXIT STATUS' | sed -nE 's/^\.It Li ([0-9]+)( .*)?$/\1/p' >b
			equal 'fcpause exec --help' fcpause-exec.1
			continue
		fi
		section "$ROOT/man/fcpause.1" 'EXIT STATUS' | sed -nE 's/^\.It Li ([0-9]+)$/\1/p' >b
		[ -s a ]
		equal "fcpause $command --help" fcpause.1
		section "$(page "$command")" 'EXIT STATUS' | sed -nE 's/^\.It Li ([0-9]+)$/\1/p' >a
		[ -s a ]
		comm -23 a b >unknown
		[ ! -s unknown ]
	done
}

@test "manual: the pages have no lint" {
	local file
	command -v mandoc >/dev/null || skip 'mandoc is not installed'
	find_pages
	for file in "${PAGES[@]}"; do
		run mandoc -T lint -W warning "$file"
		echo "$output"
		[ -z "$output" ]
	done
}

@test "manual: a list's words are quoted one by one" {
	run ! grep -nE '^\.[SDQ][a-z] [^ ]+ , [^ ]' "$ROOT"/man/*.[1357]
}

@test "manual: fcpause(1) names the classes of errors that the schema has" {
	"$FCPAUSE" schema | jq -r '."$defs".error.properties.class.enum[]' | sort >a
	sed -n '/^The classes are$/,/^\.El$/s/^\.Ql \([a-z]*\).*/\1/p' "$ROOT/man/fcpause.1" | sort >b
	[ -s a ]
	equal 'the schema' 'fcpause.1'
}

@test "manual: the diagnostics of the scripts' pages are what the scripts say" {
	local script text part
	for script in resume-build fph-bench; do
		sed -n '/^\.Sh DIAGNOSTICS/,/^\.Sh SEE/s/^\.It "\(.*\)"$/\1/p' "$ROOT/man/fcpause-$script.1" >texts
		[ "$(wc -l <texts)" -ge 4 ]
		# The words between what is named in each.
		while IFS= read -r text; do
			sed -E 's/\.\.\.|URL|\bN\b/\n/g' <<<"$text" | sed -E 's/^[ :,]+|[ :,]+$//g' | grep . >parts
			while IFS= read -r part; do
				grep -qF -- "$part" "$ROOT/scripts/$script" "$ROOT/scripts/vm.sh" || { echo "$script: $part"; false; }
			done <parts
		done <texts
	done
}

@test "manual: on a terminal of 80 columns no example is wider" {
	local page
	command -v mandoc >/dev/null || skip 'mandoc is not installed'
	for page in "$ROOT"/man/*.[157]; do
		# What inspect draws in 80 columns is wider with the page's margin.
		[ "${page##*/}" != fcpause-inspect.1 ] || continue
		mandoc -T ascii -O width=78 "$page" | sed 's/.\x08//g' | sed -n '/^EXAMPLES/,/^[A-Z]/p' >text
		run ! grep -E '.{81}' text || { echo "$page: $output"; false; }
	done
}

@test "manual: the pages show what is in them" {
	local command dashes
	command -v mandoc >/dev/null || skip 'mandoc is not installed'
	for command in $(commands); do
		mandoc -T ascii "$(page "$command")" | sed 's/.\x08//g' >text
		# An option that the source has, but that a slip in its markup hides.
		help_rows "$command" own | cut -f1 | tr , '\n' >names
		while IFS= read -r name; do
			[ ${#name} -eq 1 ] || name=-$name
			grep -qE -- "^ +(--?[a-z-]+, )?-$name( |$|,)" text || { echo "$command: -$name"; false; }
		done <names
	done
}

# "TYPE NAME(PARAMETER,…)" a function, without blanks that do not matter.
header_functions() {
	tr '\n\t' '  ' <"$ROOT/lib/fcpause.h" | grep -oE 'FCP_API [^;]*\);' |
		sed -E 's/^FCP_API //; s/;$//; s/ +/ /g; s/, /,/g'
}

# The pages of the library, without the links to them.
library_pages() { grep -L '^\.so' "${FCPAUSE_BUILD:-$ROOT/build}"/man3/*.3; }

# The functions of a page's synopsis.
page_functions() {
	awk '
		/^\.Ft / { sub(/^\.Ft /, ""); gsub(/"/, ""); type = $0 ~ /\*$/ ? $0 : $0 " " }
		/^\.Fn / {
			name = $2
			parameters = ""
			rest = $0
			while (match(rest, /"[^"]*"/)) {
				parameters = parameters (parameters == "" ? "" : ",") substr(rest, RSTART + 1, RLENGTH - 2)
				rest = substr(rest, RSTART + RLENGTH)
			}
			print type name "(" parameters ")"
		}
		/^\.Sh DESCRIPTION/ { exit }' "$1"
}

@test "the library's pages: each function of the header is in the synopsis of one, as it is declared" {
	[ "$(header_functions | wc -l)" -gt 20 ]
	diff <(header_functions | sort) <(for page in $(library_pages); do page_functions "$page"; done | sort)
}

@test "the library's pages: each function has one, or a link to one, which has its name" {
	local name page build=${FCPAUSE_BUILD:-$ROOT/build}
	for name in $(header_functions | grep -oE 'fcp_[a-z0-9_]+\(' | tr -d '('); do
		page=$build/man3/$name.3
		[ -s "$page" ] || { echo "no $name.3"; return 1; }
		! grep -q '^\.so' "$page" || page=$build/$(sed 's/^\.so //' "$page")
		grep -qx "\.Nm $name\( ,\)\?" "$page" || { echo "$name is not in $page"; return 1; }
	done
}

@test "the library's pages: members and values of the header are in them, each with what it is" {
	local build=${FCPAUSE_BUILD:-$ROOT/build}
	# But for the sizes that structs begin with.
	sed '/^\/\* ---- initializers/,$d' "$ROOT/lib/fcpause.h" | sed 's|/\*.*||; /^ \*/d; /^\t \*/d' |
		awk '/^(struct|enum)( [a-z_]+)? \{/ { inside = 1 } /^\};/ { inside = 0 }
			inside && /[,;][ \t]*$/ { if (match($0, /\(\*[a-z_]+\)\(/)) print substr($0, RSTART + 2, RLENGTH - 4)
				else { sub(/[ \t]*[=;,[].*/, ""); if (match($0, /[A-Za-z0-9_]+$/)) print substr($0, RSTART) } }' |
		grep -vxE 'size|arg|err' | sort -u >declared
	[ "$(wc -l <declared)" -gt 250 ]
	for page in $(library_pages); do cat "$page"; done | grep '^\.It' | grep -oE '[A-Za-z0-9_]+' | sort -u >shown
	comm -23 declared shown >missing
	[ ! -s missing ] || { cat missing; return 1; }
	grep -qx '.It Vt "char" Fa warning\[256\]' "$build/man3/fcp_merge.3"
	grep -A1 -x '.It Vt "bool" Fa created' "$build/man3/fcp_merge.3" | grep -qx 'The file is there and whole.'
}

@test "the library's pages have no lint, and libfcpause(3) names each of them and no other" {
	local file
	for file in $(library_pages); do basename "$file" .3; done | grep -vx libfcpause | sort >pages
	[ "$(wc -l <pages)" -gt 18 ]
	sed -nE 's/^\.It Xr (fcp_[a-z_]+) 3$/\1/p' "$ROOT/man/libfcpause.3" | sort | diff pages -
	command -v mandoc >/dev/null || skip 'mandoc is not installed'
	for file in $(library_pages); do
		run mandoc -T lint -W warning "$file"
		[ -z "$output" ] || { echo "$output"; return 1; }
	done
}
