#!/bin/sh
# The vectors of this directory: mkset makes them again byte for byte, and
# the helper prints for each fingerprint exactly the keys that stand beside
# it.  TAP.
#
# usage: vectors.sh [--write]	makes them anew, in the source tree
set -u

MK_SRCDIR=${MK_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
MK_BUILDDIR=${MK_BUILDDIR:-$MK_SRCDIR}
vectors=$MK_SRCDIR/tests/vectors
mkset=$MK_BUILDDIR/tests/mkset/mkset
helper=$MK_BUILDDIR/mesh-authorized-keys
names="current-3 legacy-2016 legacy-2017 legacy-2017-may"

# arguments NAME: how mkset makes it; the words are single ones.
arguments() {
	case $1 in
	current-3)
		echo --seed current-3 --device laptop --device phone \
		    --device desktop --host gateway --openssh phone \
		    --proof laptop --delete tablet --online 2 \
		    --expires 2199-12-31T23:59:59Z \
		    --description laptop=Laptop
		;;
	legacy-2016)
		echo --seed legacy-2016 --legacy 2016 --devices 2
		;;
	legacy-2017)
		echo --seed legacy-2017 --legacy 2017 --devices 2
		;;
	legacy-2017-may)
		echo --seed legacy-2017-may --legacy 2017 --ssh-form b1 \
		    --devices 1
		;;
	esac
}

# make_vector NAME DIR: NAME.json, NAME.keys and NAME.udf in DIR.
make_vector() {
	# shellcheck disable=SC2046 # words
	"$mkset" $(arguments "$1") --out "$2/$1.json" --print keys \
	    >"$2/$1.keys" &&
	    "$mkset" $(arguments "$1") --print udf >"$2/$1.udf"
}

if [ "${1-}" = --write ]; then
	for name in $names; do
		make_vector "$name" "$vectors" || exit 1
	done
	exit 0
fi

. "$MK_SRCDIR/tests/tap.sh"
for program in "$mkset" "$helper"; do
	if [ ! -x "$program" ]; then
		echo "Bail out! no '$program'; run: make check"
		exit 99
	fi
done
umask 022
t=$(mktemp -d) || exit 99
trap 'rm -rf "$t"' EXIT
trap 'exit 99' HUP INT TERM
root=$t/root
conf=$root${MK_CONFDIR:-/etc/meshkeys}
cache=${MK_CACHEDIR:-/var/cache/meshkeys}
memory=$root${cache%/cache/meshkeys}/lib/meshkeys
cache=$root$cache
mkdir -p "$conf" "$cache" "$memory" "$t/new" || exit 99

# same NAME: made again, nothing differs.
same() {
	make_vector "$1" "$t/new" || return 1
	for kind in json keys udf; do
		cmp "$vectors/$1.$kind" "$t/new/$1.$kind" || return 1
	done
}

# printed NAME: the helper prints the keys, in order, and no other line.
printed() {
	read -r udf <"$vectors/$1.udf"
	echo "alice $udf" >"$conf/map"
	cp "$vectors/$1.json" "$cache/$udf.json" || return 1
	"$helper" --root "$root" --debug alice >"$t/lines" || return 1
	cut -d ' ' -f 1,2 "$t/lines" >"$t/keys"
	diff "$vectors/$1.keys" "$t/keys"
}

for name in $names; do
	ok "$name: mkset makes it again" same "$name"
	ok "$name: the helper prints its keys" printed "$name"
done
finish
