#!/bin/sh
# The manual pages are clean mdoc, and the steps of a decision read the same
# in the program, in its manual page and in SECURITY.md.
set -eu

# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"
here=$(cd "$(dirname "$0")" && pwd)
cd "$srcdir"

source=src/cmd/mesh-authorized-keys.c
page=man/mesh-authorized-keys.8
security=SECURITY.md

if ! command -v mandoc >/dev/null 2>&1; then
	skip "manual pages" "mandoc is missing; run: contrib/install-deps"
else
	for file in man/*.[1-8]; do
		[ -f "$file" ] || continue
		mandoc -T lint -W warning "$file" >"$complaints" 2>&1 || :
		verdict "$file"
	done
fi

for program in ${MK_PROGRAMS-}; do
	[ -f "man/${program##*/}.8" ] ||
	    echo "there is no man/${program##*/}.8" >"$complaints"
	verdict "$program has a manual page"
done

# steps FILE: one step a line, "1 words of the step", without markup.
steps() {
	awk -f "$here/steps.awk" "$1"
}

for file in "$source" "$page" "$security"; do
	if [ ! -f "$file" ]; then
		skip "steps in $file" "no such file"
		continue
	fi
	steps "$file" >"$scratch/steps"
	[ "$(awk 'END { print NR }' "$scratch/steps")" -ge 3 ] ||
	    echo "$file: no list behind the words 'The steps of a decision'" \
	    >"$complaints"
	verdict "$file lists the steps of a decision"
	if [ ! -f "$source" ] || [ "$file" = "$source" ]; then
		continue
	fi
	steps "$source" >"$scratch/reference"
	diff "$scratch/reference" "$scratch/steps" >"$complaints" || :
	verdict "$file: the steps are those of $source, word for word"
done
finish
