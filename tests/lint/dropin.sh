#!/bin/sh
# What meshkeys setup writes for sshd is what is installed to be copied.
set -eu

# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"
source=$srcdir/src/cmd/setup_write.c
header=$srcdir/src/cmd/setup.h
template=$srcdir/sshd_config.d/10-meshkeys.conf.in

# defined NAME: the last string of a macro.
defined() {
	sed -n "s/^#define $1[[:space:]].*\"\\([^\"]*\\)\"\$/\\1/p" "$header"
}

# The literals between the two marks, their macros put in, joined as the
# compiler does it.
sed -n '/^\/\* The text of/,/^\/\* End of the text/p' "$source" |
    sed -n '/^    "/p' |
    sed "s|\" SETUP_HELPER \"|@libexecdir@/meshkeys$(defined SETUP_HELPER)|
	s|\" SETUP_AKC_USER \"|$(defined SETUP_AKC_USER)|
	s/^    \"//; s/\";*\$//" |
    awk '{ gsub(/\\t/, "\t"); n = gsub(/\\n$/, ""); printf "%s%s", $0,
	n ? "\n" : "" }' >"$scratch/written"
[ "$(wc -l <"$scratch/written")" -ge 3 ] ||
    echo "found no text in $source" >"$complaints"
diff "$template" "$scratch/written" >>"$complaints" || :
verdict "setup writes sshd_config.d/10-meshkeys.conf.in"
grep -q "^	AuthorizedKeysCommand @libexecdir@/" "$template" ||
    echo "$template names no command" >"$complaints"
verdict "the drop-in names the installed helper"
finish
