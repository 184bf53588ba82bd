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

# usages: of a help text, each way to use the word, one a line.
usages() {
	awk '
	/^$/ { exit }
	/^usage: |^       [^ ]/ {
		if (text != "") print text
		text = substr($0, 8)
		sub(/^[^ ]* /, "", text)
		next
	}
	{ text = text $0 }
	END { print text }'
}

# says PAGE PROGRAM WORD: whether the page has all that 'help WORD' says.
says() {
	# shellcheck disable=SC2086 # a word may be two
	"$2" help $3 >"$scratch/help"
	{
		usages <"$scratch/help"
		texts <"$scratch/help"
	} | while read -r text; do
		part=$(echo "$text" | squeeze)
		grep -Fq -e "$part" "$scratch/page" ||
		    echo "not in $1: $text"
	done
}

# says_all PAGE WHAT PROGRAM LEAST SED: all words, which the sed script takes
# from the list in --help; there are that many of them at least.
says_all() {
	page_of=$(basename "${1%.*}")
	if [ ! -x "$3" ] || ! command -v mandoc >/dev/null 2>&1; then
		skip "$page_of(${1##*.}) says what help says" \
		    "no $page_of, or no mandoc"
		return
	fi
	mandoc -T ascii "$1" 2>/dev/null |
	    sed "s/.$(printf '\b')//g" | squeeze >"$scratch/page"
	"$3" --help | sed -n "$5" >"$scratch/words"
	[ "$(wc -l <"$scratch/words")" -ge "$4" ] ||
	    echo "there are hardly any $2" >"$complaints"
	verdict "$page_of has $2"
	while read -r word; do
		says "$1" "$3" "$word" >"$complaints"
		verdict "$page_of(${1##*.}) says what 'help $word' says"
	done <"$scratch/words"
}

says_all man/meshman.1 words "$builddir/meshman" 16 \
    's|^  /\([a-z]*\) .*|\1|p'
says_all man/meshkeys.8 commands "$builddir/meshkeys" 13 \
    '/^commands/,/^$/s/^  \([a-z]*\( [a-z][a-z]*\)*\)  .*/\1/p'

# What the other papers have people type is there to be typed: of each line
# "meshkeys COMMAND ...", in quotes or indented, the command and its options.
# shellcheck disable=SC2016 # the backquotes are those of a text
typed() {
	sed -n -e 's/^ \{4,\}\(# \)\{0,1\}meshkeys \([a-z].*\)/\2/p' \
	    -e 's/^[^"`]*["`]meshkeys \([a-z][^"`]*\)["`].*/\1/p' "$@" |
	    sed 's/  *#.*//' | sort -u
}
papers="README SECURITY.md NEWS debian/meshkeys.README.Debian"
if [ ! -x "$builddir/meshkeys" ]; then
	skip "commands of meshkeys in the papers" "no meshkeys"
else
	# shellcheck disable=SC2086 # words
	typed $papers >"$scratch/typed"
	[ "$(wc -l <"$scratch/typed")" -ge 15 ] ||
	    echo "hardly any in $papers" >"$complaints"
	while read -r line; do
		# shellcheck disable=SC2086 # words
		set -- $line
		[ "$1" != help ] || continue
		[ "$1" != map ] || set -- "$1 $2"
		# shellcheck disable=SC2086 # words
		"$builddir/meshkeys" help $1 >"$scratch/help" 2>&1 ||
		    echo "meshkeys $line: no such command" >>"$complaints"
		"$builddir/meshkeys" --help >>"$scratch/help"
		for option in $(echo "$line" | grep -o -e '--[a-z][a-z-]*')
		do
			grep -q -e "$option\>" "$scratch/help" ||
			    echo "meshkeys $line: no $option" >>"$complaints"
		done
	done <"$scratch/typed"
	verdict "commands of meshkeys in the papers are there"
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
