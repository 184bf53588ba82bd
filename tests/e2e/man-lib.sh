# shellcheck shell=sh
# Read by the tests of meshman that need no root: TAP, users that are
# directories, and a portal behind a wire that breaks.  Everything lies below
# one directory, and what listens does so on the loopback.

builddir=${MK_BUILDDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
srcdir=${MK_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
meshman=$builddir/meshman
umask 022

. "$srcdir/tests/tap.sh"
for tool in python3 ssh-keygen; do
	command -v "$tool" >/dev/null 2>&1 || {
		skip_all "no $tool"
	}
done

t=$(mktemp -d)
pids=
# shellcheck disable=SC2034 # tap.sh reads it
tap_shows="out err"
HOME=$t/home
export HOME
unset XDG_DATA_HOME
mkdir "$HOME" "$t/wire"

end() {
	for pid in $pids; do
		kill -9 "$pid" 2>/dev/null || :
	done
	rm -rf "$t"
}
trap end EXIT
trap 'exit 143' INT TERM

# A user is a directory; 'as NAME' is who speaks from now on.
as() {
	XDG_DATA_HOME=$t/users/$1
	export XDG_DATA_HOME
	dir=$XDG_DATA_HOME/meshkeys
}

by=
# man WORD...: without a terminal; status in $rc, what it wrote in out, err.
man() {
	rc=0
	# shellcheck disable=SC2086 # $by is words
	setsid --wait timeout 60 $by "$meshman" "$@" >"$t/out" 2>"$t/err" \
	    </dev/null || rc=$?
}

# typed LINE... -- WORD...: the same at a terminal.
typed() {
	rc=0
	: >"$t/err"
	lines=0
	for word; do
		[ "$word" != -- ] || break
		lines=$((lines + 1))
	done
	python3 "$srcdir/tests/e2e/typist.py" "$@" >"$t/out" 2>&1 || rc=$?
}

# ends STATUS [PATTERN [WHERE]]: how the last word ended, and what it said.
ends() {
	[ "$rc" -eq "$1" ] || return 1
	[ $# -lt 2 ] || grep -Eq -e "$2" "$t/${3:-err}"
}

says() {
	grep -Eq -e "$1" "$t/out"
}

one_line() {
	[ "$(wc -l <"$t/$1")" -eq 1 ]
}

is_json() {
	python3 -c 'import json, sys; json.load(sys.stdin)' <"$t/out"
}

saved() {
	rm -rf "$t/saved"
	cp -a "$XDG_DATA_HOME" "$t/saved"
}

restored() {
	rm -rf "$XDG_DATA_HOME"
	cp -a "$t/saved" "$XDG_DATA_HOME"
}

new_key() {
	ssh-keygen -q -t ed25519 -N '' -C "$1" -f "$t/$1"
}
portal_start() {
	: >"$t/portal.log"
	"$builddir/meshportal" --data "$t/data" --listen 127.0.0.1:0 \
	    --name "127.0.0.1:$port" --no-limits >"$t/portal.log" 2>&1 &
	portal=$!
	pids="$pids $portal"
	within 20 grep -Eq 'serving http://127.0.0.1:[0-9]+' \
	    "$t/portal.log" || exit 99
	sed -n 's|.*serving http://\(127.0.0.1:[0-9]*\).*|\1|p' \
	    "$t/portal.log" | head -n 1 >"$t/wire/upstream"
}

portal_stop() {
	kill "$portal"
	wait "$portal" 2>/dev/null || :
}

wire() {
	echo "$1" >"$t/wire/mode.new"
	mv "$t/wire/mode.new" "$t/wire/mode"
}

# The wire first: the portal is named by its port.
wire_start() {
	wire ok
	python3 "$srcdir/tests/e2e/breaking.py" "$t/wire" 2>"$t/wire/log" &
	pids="$pids $!"
	within 20 test -s "$t/wire/port" || exit 99
	port=$(cat "$t/wire/port")
	url=http://127.0.0.1:$port
	portal_start
}
