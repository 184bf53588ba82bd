#!/bin/sh
# Every rule of the format that a set can break: rules.tsv has one line each,
# mkset writes the set, the helper answers for a host of its own below a
# temporary directory.  TAP.
#
# usage: run.sh [ID ...]	only these lines
set -u

MK_SRCDIR=${MK_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
MK_BUILDDIR=${MK_BUILDDIR:-$MK_SRCDIR}
rules=$MK_SRCDIR/tests/vectors/rules.tsv
mkset=$MK_BUILDDIR/tests/mkset/mkset
helper=$MK_BUILDDIR/mesh-authorized-keys

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
mkdir -p "$conf" "$cache" "$memory" || exit 99

# make_set ARGUMENTS: the set, the map, and in $offer what the client offers.
make_set() {
	eval "set -- $1"
	"$mkset" "$@" --print udf --out "$cache/" >"$t/asked" || return 1
	offer=
	udf=
	# --offer prints before the fingerprint, which always comes last.
	while read -r word rest; do
		[ -z "$rest" ] || offer="$word $rest"
		udf=$word
	done <"$t/asked"
	echo "alice $udf" >"$conf/map"
}

# make_memory ARGUMENTS: of a host that has seen that other set.
make_memory() {
	if [ "$1" = empty ]; then
		: >"$memory/$udf.seen"
		return
	fi
	[ "$1" != - ] || set -- ""
	eval "set -- $1"
	"$mkset" "$@" --seen "$memory/$udf.seen"
}

# ask: what the helper prints, and the lines of it in $keys.
ask() {
	# shellcheck disable=SC2086 # type and key are two arguments
	"$helper" --root "$root" --debug alice $offer >"$t/out" 2>"$t/err"
	status=$?
	keys=0
	while read -r _; do
		keys=$((keys + 1))
	done <"$t/out"
}

# judge: what is wrong, or nothing.
judge() {
	[ "$status" = "$exit" ] ||
		echo "exit status is $status, not $exit"
	[ "$keys" = "$want" ] ||
		echo "$keys keys are printed, not $want"
	[ "$reason" = - ] || grep -Fq -e "$reason" "$t/err" ||
		echo "the reason is not '$reason'"
}

# wanted ID IDS...
wanted() {
	[ $# -gt 1 ] || return 0
	id_wanted=$1
	shift
	for one; do
		[ "$one" != "$id_wanted" ] || return 0
	done
	return 1
}

count=0
failures=0
tab=$(printf '\t')
while IFS=$tab read -r id section args exit want reason rule seen; do
	case $id in
	'' | '#'*) continue ;;
	esac
	wanted "$id" "$@" || continue
	count=$((count + 1))
	rm -f "$cache"/* "$memory"/*
	[ "$args" != - ] || args=
	if ! { make_set "$args" &&
	    { [ -z "$seen" ] || make_memory "$seen"; }; } 2>"$t/err"; then
		wrong="mkset failed"
	else
		ask
		wrong=$(judge)
	fi
	if [ -z "$wrong" ]; then
		echo "ok $count - $section $id: $rule"
		continue
	fi
	failures=$((failures + 1))
	echo "not ok $count - $section $id: $rule"
	printf '%s\n' "$wrong" | sed 's/^/# /'
	sed 's/^/# /' "$t/err"
done <"$rules"
echo "1..$count"
[ "$failures" -eq 0 ]
