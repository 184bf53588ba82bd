#!/bin/sh
# The worked example of mesh-profile-set(5) is, byte for byte, what mkset
# makes and what the helper prints for it.
set -eu

# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"

page=$srcdir/man/mesh-profile-set.5
mkset=$builddir/tests/mkset/mkset
helper=$builddir/mesh-authorized-keys
made=$scratch/made

# block NAME: the text behind the comment 'block NAME', unfolded, without
# escapes.
block() {
	awk -v name="$1" '
	$1 == ".\\\"" && $2 == "block" { found = $3 == name; next }
	found && /^\.Ed/ { exit }
	found && /^\.Bd/ { next }
	found {
		gsub(/\\-/, "-")
		if (sub(/\\e$/, ""))
			printf "%s", $0
		else
			print
	}' "$page"
}

make_set() {
	"$mkset" --seed example --updated 2026-01-01T00:00:00Z \
	    --device laptop "$@"
}

# same NAME: compares the block with the file of what was made.
same() {
	block "$1" >"$scratch/shown"
	[ -s "$made" ] || echo "nothing was made" >"$complaints"
	diff "$scratch/shown" "$made" >>"$complaints" || :
	verdict "the example: $1"
}

# level NAME LEVEL
level() {
	make_set --dump "$2" >"$made"
	same "$1"
}

if [ ! -x "$mkset" ]; then
	echo "1..0 # SKIP no mkset; run: make tests/mkset/mkset"
	exit 0
fi

grep -q 'mkset .*seed example .*updated 2026' "$page" ||
    echo "the page does not name the command" >"$complaints"
verdict "the page names the command"
make_set --print udf >"$made"
same fingerprint
level master master
level device device:laptop
level ssh ssh
level personal personal
level protected personal.protected
make_set --dump personal.envelope |
    sed 's/.*"signature":"\([^"]*\)".*/\1/' >"$made"
same signature
make_set | sha512sum | sed 's/ .*//' >"$made"
same digest

size=$(make_set | wc -c | sed 's/\([0-9]\)\([0-9][0-9][0-9]\)$/\1,\2/')
grep -q "The set has $size bytes" "$page" ||
    echo "it has $size bytes" >"$complaints"
verdict "the example: size"

if [ -x "$helper" ]; then
	root=$scratch/root
	config=$root${MK_CONFDIR:-/etc/meshkeys}
	cache=$root${MK_CACHEDIR:-/var/cache/meshkeys}
	mkdir -p "$config" "$cache"
	chmod -R go-w "$root"
	make_set --out "$cache/"
	echo "alice $(block fingerprint)" >"$config/map"
	"$helper" --root "$root" alice >"$made" 2>"$complaints" || :
	same line
else
	skip "the example: line" "no mesh-authorized-keys"
fi
finish
