#!/bin/sh
# What meshportal has answered with 201 is there, whatever becomes of it:
# killed at any time while eight people publish at once, ended by a signal,
# beside exports that are killed; and what a database may be that is none.
#
# It needs no root: all is on the loopback and in a directory of its own.

MK_SRCDIR=${MK_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
MK_BUILDDIR=${MK_BUILDDIR:-$MK_SRCDIR}
portal=$MK_BUILDDIR/meshportal
crowd=$MK_BUILDDIR/contrib/bench/crowd
mkset=$MK_BUILDDIR/tests/mkset/mkset
load=$MK_SRCDIR/tests/e2e/portal-load.py
people=3000
rounds=15
LC_ALL=C
export LC_ALL
umask 022

# shellcheck source=tests/tap.sh
. "$MK_SRCDIR/tests/tap.sh"
# shellcheck disable=SC2034 # tap.sh reads it
tap_shows=log
[ -z "${MK_SKIP_E2E-}" ] || skip_all "MK_SKIP_E2E is set"
for tool in curl python3; do
	command -v $tool >/dev/null || skip_all "no $tool"
done
[ -x "$portal" ] && [ -x "$crowd" ] || skip_all "no meshportal"

t=$(mktemp -d)
pids=

finish_up() {
	for pid in $pids; do
		kill -s KILL "$pid" 2>/dev/null
	done
	rm -rf "$t"
}
trap finish_up EXIT
trap 'exit 1' INT TERM HUP

ended() {
	! kill -0 "$1" 2>/dev/null
}

# start PORT: $pid serves at $name.
start() {
	: >"$t/out"
	"$portal" --data "$t/data" --listen "127.0.0.1:$1" --no-limits \
	    >"$t/out" 2>>"$t/log" </dev/null &
	pid=$!
	pids="$pids $pid"
	tries=200
	until [ -s "$t/out" ]; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] && ! ended "$pid" || return 1
		sleep 0.02
	done
	name=$(sed 's/.* as //' "$t/out")
}

# stop SIGNAL: how it ended is in $rc.
stop() {
	kill -s "$1" "$pid"
	rc=0
	wait "$pid" 2>/dev/null || rc=$?
}

# pause: between 0 and 0.5 s, never the same.
pause() {
	sleep "0.$(($(od -An -N2 -tu2 /dev/urandom) % 50 + 10))"
}

loaded() {
	python3 "$load" "$1" "$2" "$t/ids" "$t/create" "$t/publish" "$3"
}

: >"$t/log"
ok "a portal" start 0
port=${name##*:}
day_ago=$(($(date +%s) - 86400))
"$crowd" durable "$name" "$day_ago" "$people" >"$t/create" 3>"$t/ids"
"$crowd" --publish durable "$name" "$day_ago" "$people" >"$t/publish" \
    3>/dev/null

#
# Killed, again and again.
#
python3 "$load" send "$port" "$t/create" "$t/publish" 90 "$t/acked" \
    2>"$t/load" &
sender=$!
pids="$pids $sender"
lived=yes
exported=0
for round in $(seq "$rounds"); do
	pause
	"$portal" export --data "$t/data" "$t/www" >"$t/export.out" \
	    2>>"$t/export.log" &
	exporter=$!
	pause
	stop KILL
	[ "$rc" -eq 137 ] || lived=no
	# Half of the exports end by themselves.
	[ $((round % 2)) -eq 0 ] || kill -s KILL "$exporter" 2>/dev/null
	wait "$exporter" 2>/dev/null && exported=$((exported + 1))
	start "$port" || lived=no
done
ok "$rounds times killed and started again" test "$lived" = yes
ok "an export ended well beside that" test "$exported" -gt 0
ok "what the exports left is whole" loaded files "$t/www" -

#
# Ended by a signal under load.
#
begun=$(date +%s)
stop TERM
ok "a signal ends it under load" test "$rc" -eq 0
ok "soon" test $(($(date +%s) - begun)) -le 8
start "$port"
pause
stop INT
ok "and another one" test "$rc" -eq 0
start "$port"

rc=0
wait "$sender" || rc=$?
cat "$t/load"
ok "everybody was answered at last" test "$rc" -eq 0
ok "what was acknowledged is there" loaded check "$port" "$t/acked"
stop KILL
start "$port"
ok "and after another end" loaded check "$port" "$t/acked"
ok "it was $people people with two versions" test "$(cat "$t/why")" = \
    "$people $people"
"$portal" export --data "$t/data" "$t/www" >"$t/export.out"
ok "an export has all of it" loaded files "$t/www" "$t/acked"
"$portal" export --data "$t/data" "$t/www" >"$t/export.out"
ok "the next one nothing to do" grep -q "^0 written, 0 removed" \
    "$t/export.out"
stop TERM

#
# A database that is none of ours is left alone.
#
# foreign STATEMENT: the database of another program, or of another time.
foreign() {
	mkdir -m 0700 "$t/other" 2>/dev/null
	rm -f "$t/other/portal.db"*
	[ -z "${2-}" ] || cp "$t/data/portal.db" "$t/other"
	(umask 077 && python3 - "$t/other/portal.db" "$1" <<-'END'
	import sqlite3, sys
	db = sqlite3.connect(sys.argv[1])
	db.execute(sys.argv[2])
	db.commit()
	END
	)
	before=$(sha256sum <"$t/other/portal.db")
	rc=0
	timeout 10 "$portal" --data "$t/other" --listen 127.0.0.1:0 \
	    >"$t/told" 2>&1 || rc=$?
	cat "$t/told"
	[ "$rc" -eq 71 ] && grep -q "$3" "$t/told" &&
	    [ "$before" = "$(sha256sum <"$t/other/portal.db")" ]
}
ok "another program's database" foreign 'CREATE TABLE a (b)' '' \
    'not the database of a portal'
ok "one of a newer portal" foreign 'PRAGMA user_version = 2' copy \
    'has form 2'

# A file system that has become read-only.
if [ "$(id -u)" -eq 0 ]; then
	apart='unshare --mount --propagation private'
else
	apart='unshare --user --map-root-user --mount --propagation private'
fi
read_only() {
	# shellcheck disable=SC2016,SC2086
	$apart sh -c 'mount --bind "$1" "$1" &&
	    mount -o remount,bind,ro "$1" || exit 99
	    timeout 10 "$2" --data "$1" --listen 127.0.0.1:0' - "$t/data" \
	    "$portal" >"$t/told" 2>&1
	rc=$?
	cat "$t/told"
	[ "$rc" -eq 71 ] && grep -q 'Read-only file system' "$t/told"
}
# shellcheck disable=SC2086
if $apart mount -t tmpfs tmpfs "$t/www" 2>/dev/null; then
	ok "a read-only disk is told at the start" read_only
fi

#
# One stranger does not stop everybody.
#
start 0
stop TERM
: >"$t/out"
"$portal" --data "$t/data" --listen 127.0.0.1:0 >"$t/out" 2>>"$t/log" &
pid=$!
pids="$pids $pid"
until [ -s "$t/out" ]; do
	sleep 0.05
done
port=$(sed 's/.*://' "$t/out")
umask 077
udf=$("$mkset" --seed large --print udf)
"$mkset" --seed large --devices 1024x4 --updated now-2d --portal \
    "127.0.0.1:$port" --account large@example.com --request CreateAccount \
    --dump body >"$t/body"
get() {
	curl -sS -m 20 -o "$t/got" -w '%{http_code}' --interface "$1" \
	    "http://127.0.0.1:$port/.well-known/mmm/$udf.json"
}
ok "a set of 1,024 devices" test 201 = "$(curl -sS -m 20 -o "$t/got" \
    -w '%{http_code}' -H 'Content-Type: application/json' \
    --data-binary "@$t/body" "http://127.0.0.1:$port/.well-known/mmm/")"
mkfifo "$t/wait"
python3 "$load" slow "$port" "$udf" 60 <"$t/wait" >"$t/slow" &
slow=$!
pids="$pids $slow"
exec 7>"$t/wait"
tries=200
until [ -s "$t/slow" ] || [ "$tries" -eq 0 ]; do
	tries=$((tries - 1))
	sleep 0.1
done
ok "of who takes no answers, few are kept" grep -Eq '^[1-9]x200 5[0-9]x503$' \
    "$t/slow"
ok "others do not mind" test 200 = "$(get 127.0.0.5)"
ok "the log tells" grep -q "answers that nobody takes: '127.0.0.66'" "$t/log"
exec 7>&-
wait "$slow"
ok "then there is room again" test 200 = "$(get 127.0.0.66)"
stop TERM
ok "nothing went wrong in it" not grep -q 'portal.error' "$t/log"

finish
