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

# A page is of the section that its file name ends in, and says so.
for file in man/*.[1-8]; do
	page_of=${file##*/}
	title=$(echo "${page_of%.*}" | tr '[:lower:]' '[:upper:]')
	grep -qx "\.Dt $title ${page_of##*.}" "$file" ||
	    echo "the page does not begin with .Dt $title ${page_of##*.}" \
	    >"$complaints"
	verdict "$file is of the section that its name says"
done

for program in ${MK_PROGRAMS-}; do
	set -- man/"${program##*/}".[1-8]
	[ -f "$1" ] ||
	    echo "there is no man/${program##*/}.1 or .8" >"$complaints"
	[ $# -eq 1 ] || echo "more than one page: $*" >"$complaints"
	verdict "$program has a manual page"
done

# squeeze: all but blanks, in lower case and with one kind of quotes, since
# lines break elsewhere there.
squeeze() {
	tr -d ' \n' | tr '[:upper:]`' "[:lower:]'"
}

# texts: of a help text, the paragraph at its beginning and what is said of
# each option, one a line; the names of options on lines of their own.
texts() {
	awk '
	function flush() { if (text != "") print text; text = "" }
	NR <= 2 { next }
	/^usage:|^       / && !seen { next }
	{ seen = 1 }
	/^$/ { flush(); next }
	/^  --/ {
		flush()
		line = substr($0, 3)
		end = index(line, "  ")
		print substr(line, 1, end - 1)
		text = substr(line, end)
		next
	}
	{ text = text " " $0 }
	END { flush() }'
}

# says FILE WORD: whether the page has all that 'help WORD' says.
says() {
	"$meshman" help "$2" | texts | while read -r text; do
		part=$(echo "$text" | squeeze)
		grep -Fq -e "$part" "$scratch/page" ||
		    echo "not in $1: $text"
	done
}

meshman=$builddir/meshman
if [ ! -x "$meshman" ] || ! command -v mandoc >/dev/null 2>&1; then
	skip "meshman(1) says what help says" "no meshman, or no mandoc"
else
	mandoc -T ascii man/meshman.1 2>/dev/null |
	    sed "s/.$(printf '\b')//g" | squeeze >"$scratch/page"
	words=$("$meshman" --help | sed -n 's|^  /\([a-z]*\) .*|\1|p')
	[ -n "$words" ] || echo "there are no words" >"$complaints"
	verdict "meshman has words"
	for word in $words; do
		says man/meshman.1 "$word" >"$complaints"
		verdict "meshman(1) says what 'help $word' says"
	done
fi

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
