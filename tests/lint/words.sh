#!/bin/sh
# Words that have no place in the tree: marks of what was left undone, and
# paths of the machine that somebody worked on.
set -eu

# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"
cd "$srcdir"

# In pieces, so that this file passes its own test.
undone='TO''DO|FIX''ME|XX''X'
machine='/wo''rk/|/tm''p/[A-Za-z0-9]'
boundary='(^|[^A-Za-z0-9_.~/})-])'

# What people wrote: no product of autoconf, configure or make, no build
# directory, and no base64, in which any letters can follow one another.
sources() {
	find . -name config.status ! -path ./config.status |
	    sed 's|/config.status$||' >"$scratch/builds"
	find . \( -name .git -o -name .deps -o -name build-aux \
	    -o -name autom4te.cache \) -prune -o \
	    -type f ! -name '*.o' ! -name '*.a' ! -name '*.log' \
	    ! -name '*.trs' ! -name '*~' ! -name '*.json' ! -name '*.pub' \
	    ! -name '*.tar.*' ! -name .dirstamp ! -name stamp-h1 \
	    ! -path ./configure ! -path ./aclocal.m4 ! -path ./Makefile \
	    ! -path ./Makefile.in ! -path './config.*' -print |
	    sort | while read -r file; do
		while read -r build; do
			case $file in "$build"/*) continue 2 ;; esac
		done <"$scratch/builds"
		echo "$file"
	done
	[ ! -f configure.ac ] || echo ./configure.ac
}

sources | sort -u >"$scratch/sources"

# search FLAGS PATTERN: lines of text files.
search() {
	while read -r file; do
		grep -EHIn "$1" "$file" || :
	done <"$scratch/sources"
}

search "(^|[^A-Za-z])($undone)([^A-Za-z]|\$)" >"$complaints"
verdict "nothing is marked as undone"
search "$boundary($machine)" >"$complaints"
verdict "no path of somebody's machine"
[ -s "$scratch/sources" ] || echo "found no file in '$srcdir'" >"$complaints"
verdict "there is something to read"
finish
