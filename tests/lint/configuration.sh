#!/bin/sh
# meshkeys.conf(5) has every keyword of the program and no other, with a
# default that the program takes, and its examples are right.
set -eu

# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"
cd "$srcdir"
page=man/meshkeys.conf.5
helper=$builddir/mesh-authorized-keys

# The two tables: all of the first, and of the second what a file may have.
{
	sed -n '/^} keywords\[] = {/,/^};/s/^	{ "\([a-z-]*\)",.*/\1/p' \
	    src/edge/config.c
	sed -n '/^} settings\[] = {/,/^};/p' src/edge/policy.c |
	    sed -n 's/^	{ "\([a-z-]*\)",.*true }.*/\1/p'
} | sort >"$scratch/code"
[ "$(wc -l <"$scratch/code")" -ge 14 ] ||
    echo "hardly any keywords in src/edge" >"$complaints"
verdict "the program has keywords"

sed -n '/^\.Sh KEYWORDS/,/^\.Sh [^K]/p' "$page" >"$scratch/keywords"
sed -n 's/^\.It Cm \([a-z-]*\).*/\1/p' "$scratch/keywords" | sort \
    >"$scratch/told"
diff "$scratch/code" "$scratch/told" >"$complaints" || :
verdict "$page has the keywords of the program"

awk '
function flush() {
	if (name != "" && value == "") print name ": no default"
	else if (name != "") print name, value > defaults
}
/^\.It Cm / { flush(); name = $3; value = "" }
/^Default:$/ {
	getline
	value = $0
	sub(/^\.Cm /, "", value)
	sub(/ \.$/, "", value)
}
/^Default: all of$/ {
	while ((getline line) > 0 && line ~ /^\.Cm |^and$|^\(/) {
		if (!sub(/^\.Cm /, "", line))
			continue
		sub(/ [,.]$/, "", line)
		value = value (value == "" ? "" : ",") line
	}
	flush()
	name = line ~ /^\.It/ ? substr(line, 8) : ""
	sub(/ .*/, "", name)
	value = ""
}
END { flush() }' defaults="$scratch/defaults" "$scratch/keywords" \
    >"$complaints"
verdict "each keyword has its default"

if [ ! -x "$helper" ]; then
	skip "what the program takes" "mesh-authorized-keys is not built"
	finish
	exit
fi

# takes FILE: whether the program can read it as its configuration.
takes() {
	mkdir -p "$scratch/root"
	chmod 644 "$1"
	rc=0
	"$helper" --config "$1" --root "$scratch/root" nobody-of-that-name \
	    >"$scratch/out" 2>&1 || rc=$?
	[ "$rc" -eq 0 ] || {
		echo "${1##*/}: status $rc"
		cat "$scratch/out"
	}
}

chmod 755 "$scratch"
echo "no-such-keyword yes" >"$scratch/wrong"
[ -n "$(takes "$scratch/wrong")" ] ||
    echo "an unknown keyword is taken" >"$complaints"
verdict "what is wrong is not taken"

takes "$scratch/defaults" >"$complaints"
[ "$(wc -l <"$scratch/defaults")" -eq "$(wc -l <"$scratch/code")" ] ||
    echo "not every default could be tried" >>"$complaints"
verdict "the defaults are taken"

# One file for each example.
awk -v dir="$scratch" '
/^\.Sh / { on = ($2 == "EXAMPLES") }
on && /^\.Bd/ { n++; file = dir "/example-" n; next }
/^\.Ed/ { file = "" }
on && file != "" { gsub(/\\-/, "-"); print > file }
END { print n + 0 }' "$page" >"$scratch/n"
[ "$(cat "$scratch/n")" -ge 4 ] || echo "hardly any examples" >"$complaints"
for example in "$scratch"/example-*; do
	takes "$example" >>"$complaints"
done
verdict "the examples are taken"
finish
