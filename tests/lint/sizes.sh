#!/bin/sh
# The sizes that CONTRIBUTING.md promises.  With -v also prints a table of
# what was measured.
# shellcheck disable=SC2016 # the dollars are awk's
set -eu

# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"
here=$(cd "$(dirname "$0")" && pwd)
cd "$srcdir"

measured=$scratch/measured
lengths=$scratch/lengths
widths=$scratch/widths

# shellcheck disable=SC2046
awk -f "$here/sizes.awk" $(c_files src tests contrib) >"$measured"
find tests contrib autogen.sh -type f \( -name '*.sh' -o -name '*.awk' \
    -o -name check -o -name demo -o -name install-deps -o -name run \) |
    sort | while read -r script; do
	awk -f "$here/sizes.awk" "$script" | grep '^wide' || :
done >"$widths"

# complain KIND CONDITION TEXT: awk over the lines of one kind.
complain() {
	awk -F '\t' "\$1 == \"$1\" && ($2) { print $3 }" "$measured" \
	    >"$complaints"
}

# rank PERCENT: of the sorted numbers on standard input.
rank() {
	awk -v p="$1" '{ v[NR] = $1 }
	END { i = int((NR * p + 99) / 100); print NR ? v[i ? i : 1] : 0 }'
}

at='$2 ":" $3 ": "'

complain function '$5 > 100' "$at \$4 \" has \" \$5 \" lines, over 100\""
verdict "no function over 100 lines"

complain function '$6 > 25' "$at \$4 \" has complexity \" \$6 \", over 25\""
verdict "no complexity over 25"

complain function '$7 > 5' "$at \$4 \" has \" \$7 \" parameters, over 5\""
verdict "at most 5 parameters"

complain deep 1 "$at \"more than 3 levels of nesting\""
verdict "at most 3 levels of nesting"

complain file '$3 > 800' '$2 ": " $3 " lines, over 800"'
verdict "no file over 800 lines"

complain wide 1 "$at \$4 \" columns, over 80\""
awk -F '\t' "{ print $at \$4 \" columns, over 80\" }" "$widths" \
    >>"$complaints"
verdict "no line over 80 columns"

awk -F '\t' '$1 == "function" { print $5 }' "$measured" | sort -n >"$lengths"
p95=$(rank 95 <"$lengths")
if [ "$p95" -gt 60 ]; then
	echo "95 of 100 functions have up to $p95 lines, over 60"
fi >"$complaints"
verdict "95 of 100 functions have at most 60 lines"

if [ ! -s "$lengths" ]; then
	echo "found no function in '$srcdir': the measure itself is broken"
fi >"$complaints"
verdict "there is something to measure"

# table KIND FIELD TITLE: one row.
table() {
	awk -F '\t' -v f="$2" "\$1 == \"$1\" { print \$f }" "$measured" |
	    sort -n >"$scratch/column"
	printf '# %-22s %6d %6d %6d %6d\n' "$3" \
	    "$(awk 'END { print NR }' "$scratch/column")" \
	    "$(rank 50 <"$scratch/column")" \
	    "$(rank 95 <"$scratch/column")" \
	    "$(rank 100 <"$scratch/column")"
}

if [ "${1-}" = -v ]; then
	printf '# %-22s %6s %6s %6s %6s\n' "" count p50 p95 max
	table file 3 "lines of a file"
	table function 5 "lines of a function"
	table function 6 "complexity"
	table function 7 "parameters"
	awk -F '\t' '$1 == "file" { lines += $3; comments += $4 }
	END { printf "# comments: %d of %d lines\n", comments, lines }' \
	    "$measured"
	echo "# longest functions:"
	grep '^function' "$measured" | sort -t "$(printf '\t')" -k 5,5nr |
	    awk -F '\t' 'NR <= 10 {
		printf "#   %4d  complexity %2d  %s:%d %s\n",
		    $5, $6, $2, $3, $4 }'
fi
finish
