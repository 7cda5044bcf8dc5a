#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # for the other shells
# fcpause completion bash, zsh, fish: made of the parser's own tables, and tried in those shells.

load helpers

needs_shell() { command -v "$1" >/dev/null || skip "$1 is not installed"; }

# bash_words WORD…: what bash offers for the last word, split as bash splits the line.
bash_words() {
	bash --norc -c '
		source <("$1" completion bash)
		COMP_WORDS=("${@:2}")
		COMP_CWORD=$(($# - 2))
		_fcpause
		[ ${#COMPREPLY[@]} -eq 0 ] || printf "%s\n" "${COMPREPLY[@]}"' sh "$FCPAUSE" "$@" | sort
}

offers() { diff -u - <(bash_words "${@}"); }

commands() { "$FCPAUSE" --help | sed -nE '/^  fcpause /d; s/^  ([a-z-]+) .*/\1/p'; }

@test "bash: the commands, and the options of each as --help has them" {
	local command
	{ commands; printf '%s\n' help schema completion version --help --version; } | sort | offers fcpause ''
	printf '%s\n' snapshot share status | sort >a
	{ cat a; echo schema; } | sort | offers fcpause s
	for command in $(commands); do
		"$FCPAUSE" "$command" --help=all | grep -oE '^ +(-[a-zA-Z], )?--[a-z-]+.*' |
			grep -oE '^ +(-[a-zA-Z], )?--[a-z-]+(, --no-[a-z-]+)?' | grep -oE -- '--[a-z-]+' | sort -u >options
		[ "$(wc -l <options)" -gt 15 ]
		offers fcpause "$command" -- <options
	done
}

@test "bash: values: choices, lists, files, with an equals sign too" {
	printf '%s\n' auto diff full | offers fcpause pause --type ''
	echo full | offers fcpause pause --type = f
	printf '%s\n' auto diff full | offers fcpause snapshot --type =
	printf '%s\n' fcpause firecracker | offers fcpause pause --writer f
	echo build | offers fcpause inspect --use b
	echo sync,drop_caches | offers fcpause reclaim --steps sync,d
	printf '%s\n' compact_memory= drop_caches= fstrim= sync= | offers fcpause pause --step-timeout-ms ''
	printf '%s\n' base changed free zero | offers fcpause madvise-ranges --find ''
	mkdir dir
	: >'a file'
	printf '%s\n' 'a file' | offers fcpause pause --mem-file-path a
	echo dir | offers fcpause pause --chroot-base d
	printf '%s\n' 'a file' | offers fcpause pause --flags a
	offers fcpause pause --timeout-ms '' </dev/null
	printf '%s\n' bash fish zsh | offers fcpause completion ''
	printf '%s\n' share snapshot status | offers fcpause help s
	# A layer is a switch of pause, and a file of merge.
	echo 'a file' | offers fcpause merge --layer a
	offers fcpause exec -- ls --a </dev/null
}

@test "zsh: completes a command, an option and a value" {
	needs_shell zsh
	"$FCPAUSE" completion zsh >_fcpause
	zsh -n _fcpause
	cat >try.zsh <<'Z'
zmodload zsh/zpty
zpty z zsh -f -i
try() {
	local line
	zpty -w -n z "$1"$'\n'
	while zpty -r z line; do
		[[ $line != *GOT* || $line == *print* ]] || { print -r -- "${${line#*GOT\[}%%\]*}"; return; }
	done
}
zpty -w z "PS1= PS2= RPS1=; unsetopt zle_bracketed_paste prompt_cr prompt_sp; stty -echo; fpath=($PWD \$fpath); autoload -Uz compinit; compinit -u -d $PWD/dump; fcpause() { print -r -- GO'T['\$*']' }"
try $'fcpause stat\t'
try $'fcpause pause --api-s\tx --typ\tfu\t'
try $'fcpause pause --writer=fire\t --no-dr\t'
try $'fcpause exec --scr\ttrue -- ls'
try $'fcpause completion f\t'
zpty -d z
Z
	TERM=dumb timeout 60 zsh -f try.zsh | tr -d '\r' >got
	diff -u - got <<-'G'
	status
	pause --api-sock=x --type=full
	pause --writer=firecracker --no-drain
	exec --script=true -- ls
	completion fish
	G
}

@test "fish: commands, options with their texts, values" {
	needs_shell fish
	"$FCPAUSE" completion fish >fcpause.fish
	fish -n fcpause.fish
	fish_words() {
		HOME=$T XDG_CONFIG_HOME=$T timeout 60 fish --no-config -c 'source fcpause.fish; complete -C "$argv[1]"' "$1"
	}
	[ "$(fish_words 'fcpause stat' | cut -f1)" = status ]
	[ "$(fish_words 'fcpause pause --no-dr')" = $'--no-drain\tdrain or not, regardless of flags' ]
	[ "$(fish_words 'fcpause pause --type ' | cut -f1 | sort | tr '\n' ' ')" = 'auto diff full ' ]
	[ "$(fish_words 'fcpause reclaim --strict-f' | cut -f1)" = --strict-flags ]
	[ -z "$(fish_words 'fcpause reclaim --drai')" ]
	: >memory.file
	fish_words 'fcpause pause --mem-file-path mem' | grep -q '^memory.file'
	[ "$(fish_words 'fcpause completion z')" = zsh ]
}

@test "another shell, none, a full disk" {
	fcp completion tcsh
	expect 2
	expect_err "completion: unknown shell 'tcsh' (bash, zsh, fish)"
	fcp completion
	expect 2
	expect_err 'completion: a shell is needed: bash, zsh or fish'
	[ -e /dev/full ] || return 0
	status=0
	"$FCPAUSE" completion bash >/dev/full 2>err || status=$?
	expect 1
}

@test "make install puts them where the shells look" {
	make -s -C "$ROOT" install DESTDIR="$T/root" PREFIX=/usr B="${FCPAUSE_BUILD:-$ROOT/build}" >make.log 2>&1 || { cat make.log; false; }
	"$FCPAUSE" completion bash | diff - root/usr/share/bash-completion/completions/fcpause
	"$FCPAUSE" completion zsh | diff - root/usr/share/zsh/site-functions/_fcpause
	"$FCPAUSE" completion fish | diff - root/usr/share/fish/vendor_completions.d/fcpause.fish
}
