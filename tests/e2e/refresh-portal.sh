#!/bin/sh
# mesh-refresh against the real meshportal, and against what it exports: one
# run of many profiles, and the watcher; news, a deletion, restarts of the
# portal and of an older copy of its database.  The sets that are too many to
# be made one by one are those of contrib/bench/crowd.
set -eu

builddir=${MK_BUILDDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
refresher=$builddir/mesh-refresh
helper=$builddir/mesh-authorized-keys
server=$builddir/meshportal
mkset=$builddir/tests/mkset/mkset
crowd=$builddir/contrib/bench/crowd
confdir=${MK_CONFDIR:-/etc/meshkeys}
cachedir=${MK_CACHEDIR:-/var/cache/meshkeys}
memorydir=${MK_STATEDIR:-/var/lib/meshkeys}
many=2100
PATH=$PATH:/usr/sbin
umask 022

# shellcheck source=tests/tap.sh
. "${MK_SRCDIR:-$builddir}/tests/tap.sh"
for tool in curl python3; do
	command -v $tool >/dev/null 2>&1 || skip_all "no $tool"
done

t=$(mktemp -d)
chmod 755 "$t"
pids=
# shellcheck disable=SC2034 # tap.sh reads it
tap_shows="log portal.log"

clean() {
	for pid in $pids; do
		kill -9 "$pid" 2>/dev/null || :
	done
	rm -rf "$t"
}
trap clean EXIT
trap 'exit 143' INT TERM

# start PORT [OPTION...]: the portal, at $at, with the limits of strangers.
start() {
	: >"$t/out"
	port=$1
	shift
	"$server" --data "$t/data" --listen "127.0.0.1:$port" "$@" \
	    >"$t/out" 2>>"$t/portal.log" </dev/null &
	portal=$!
	pids="$pids $portal"
	within 20 test -s "$t/out" || exit 99
	at=$(sed 's/.* as //' "$t/out")
	port=${at##*:}
}

stop() {
	kill -s "${1:-TERM}" "$portal"
	wait "$portal" 2>/dev/null || :
}

restart() {
	stop "$@"
	start "$port"
}

# post FILE: whether it was taken.
post() {
	curl -sS -m 20 -H 'Content-Type: application/json' \
	    --data-binary "@$1" "http://$at/.well-known/mmm/" >"$t/answer"
	cat "$t/answer"
	grep -q '"Status":201' "$t/answer"
}

# ago HOURS: before the start of this script, so that the same set comes out
# twice.
begun=$(date +%s)
ago() {
	date -u -d "@$((begun - $1 * 3600))" +%Y-%m-%dT%H:%M:%SZ
}

# tell PERSON TRANSACTION OPTION...: of her set, which is kept.
tell() {
	who=$1
	what_told=$2
	shift 2
	"$mkset" --seed "$who" "$@" --out "$t/sets/$who.new"
	"$mkset" --seed "$who" "$@" --portal "$at" --account \
	    "$who@example.com" --request "$what_told" --dump body >"$t/body"
	mv "$t/sets/$who.new" "$t/sets/$who"
	post "$t/body"
}

# publish PERSON OPTION...: what comes behind her last one.
publish() {
	whose=$1
	shift
	cp "$t/sets/$whose" "$t/sets/$whose.before"
	tell "$whose" Publish --previous "$t/sets/$whose.before" "$@"
}

# host NAME URL: a host with that portal; all that follows is about it.
host() {
	root=$t/$1
	config=$root$confdir
	cache=$root$cachedir
	memory=$root$memorydir
	mkdir -p "$cache" "$memory" "$config/users"
	printf 'portal %s\nfresh-for 6s\n' "$2" >"$config/meshkeys.conf"
	[ "$1" = one ] || cp "$t/one$confdir/map" "$config/map"
}

# refresh: one run; status in $rc, the summary in run.
refresh() {
	rc=0
	timeout 120 "$refresher" --root "$root" --json "$@" >"$t/run" \
	    2>"$t/log" || rc=$?
}

# ended STATUS MEMBER=N...
ended() {
	echo "status $rc"
	cut -c 1-200 "$t/run"
	[ "$rc" -eq "$1" ] || return 1
	shift
	for pair; do
		grep -Eq "\"${pair%=*}\":${pair#*=}[,}]" "$t/run" || return 1
	done
}

has_keys() {
	[ "$("$helper" --root "$root" "$1" 2>/dev/null | grep -c . || :)" = \
	    "$2" ]
}

logged() {
	grep -q -e "$1" "$t/log"
}

# cached N: so many sets.
cached() {
	[ "$(find "$cache" -name '*.json' | wc -l)" -eq "$1" ]
}

: >"$t/log"
: >"$t/portal.log"
mkdir "$t/sets"

#
# Many profiles at a portal that has never seen this host.
#
start 0 --no-limits
day_ago=$(($(date +%s) - 86400))
"$crowd" refresh "$at" "$day_ago" "$many" >"$t/create" 3>"$t/ids"
python3 - "$at" "$t/create" <<-'END'
	import http.client, sys
	c = http.client.HTTPConnection(sys.argv[1])
	for line in open(sys.argv[2], "rb"):
	    c.request("POST", "/.well-known/mmm/", line.strip(),
	              {"Content-Type": "application/json"})
	    assert b'"Status":201' in c.getresponse().read()
END
tell alice CreateAccount --updated "$(ago 9)" --devices 3 >"$t/ok"
tell bob CreateAccount --updated "$(ago 9)" --devices 2 >"$t/ok"
alice=$("$mkset" --seed alice --print udf)
bob=$("$mkset" --seed bob --print udf)
restart
host one "http://$at"
{
	awk '{ print "user" NR, $1 }' "$t/ids"
	echo "alice $alice"
	echo "bob $bob"
} >"$config/map"
all=$((many + 2))
refresh
ok "$all profiles in one run, within the limits" ended 0 "updated=$all"
ok "they are there" cached "$all"
refresh
ok "the next run has nothing to do" ended 0 "current=$all"
ok "a login" has_keys alice 3
ok "a deletion is published" publish alice --updated "$(ago 8)" --devices 3 \
    --delete device1
refresh alice
ok "and arrives" has_keys alice 2
ok "for good" grep -q '^deleted ' "$memory/$alice.seen"

#
# The same as files.
#
www=$t/www
export_all() {
	"$server" export --data "$t/data" "$www" >"$t/exported"
}
ok "an export beside the portal" export_all
host two file:/www
cp -R "$www" "$root/www"
refresh
ok "from its files" ended 0 "updated=$all"
ok "the same sets" diff -r -q "$t/one$cachedir" "$cache"
if command -v nginx >/dev/null; then
	web=$(python3 -c 'import socket; s = socket.socket()
s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	mkdir "$t/nginx"
	{
		echo "daemon off; master_process off; pid $t/nginx/pid;"
		[ "$(id -u)" -ne 0 ] || echo "user root;"
		echo "error_log $t/nginx/error; events { }"
		echo "http { access_log $t/nginx/access;"
		for place in client_body proxy fastcgi uwsgi scgi; do
			echo "${place}_temp_path $t/nginx/$place;"
		done
		echo "server { listen 127.0.0.1:$web; root $www; } }"
	} >"$t/nginx.conf"
	nginx -e "$t/nginx/error" -c "$t/nginx.conf" &
	pids="$pids $!"
	within 20 test -s "$t/nginx/pid" || exit 99
	host three "http://127.0.0.1:$web"
	refresh
	ok "from a web server that has them" ended 0 "updated=$all"
	ok "the same again" diff -r -q "$t/one$cachedir" "$cache"
	refresh
	ok "and nothing new" ended 0 "current=$all"
	publish alice --updated "$(ago 7)" --devices 3 --delete device1 \
	    --delete device2 >"$t/ok"
	export_all
	ok "an export writes her two files" grep -q '^2 written, 0 removed' \
	    "$t/exported"
	refresh
	ok "which arrive alone" ended 0 updated=1 "current=$((all - 1))"
	ok "the deletion holds" has_keys alice 1
fi

#
# The watcher.
#
host four "http://$at"
"$refresher" --root "$root" --debug --watch 2>"$t/log" &
watch=$!
pids="$pids $watch"
ok "the watcher gets all" within 60 cached "$all"
ok "a change is published" publish bob --updated "$(ago 8)" --devices 4
ok "and in force soon" within 10 has_keys bob 4
# It is asked about in another question: one names 2,000 at most.
last=$cache/$(tail -n 1 "$t/ids").json
"$crowd" --publish refresh "$at" "$day_ago" "$many" 3>/dev/null |
    tail -n 1 >"$t/body"
before=$(sha256sum <"$last")
is_new() {
	[ "$(sha256sum <"$last")" != "$before" ]
}
ok "the last of all is published" post "$t/body"
ok "and comes as well" within 10 is_new

ok "a restart of the portal" restart
ok "what comes then" publish bob --updated "$(ago 7)" --devices 5
ok "is heard, too" within 40 has_keys bob 5
ok "a portal that was killed" restart KILL
ok "what comes then" publish bob --updated "$(ago 6)" --devices 4 \
    --delete device4
ok "is heard, too" within 40 has_keys bob 4

# An older copy of the database, as the manual says.
python3 - "$t/data/portal.db" "$t/backup" <<-'END'
	import sqlite3, sys
	a, b = map(sqlite3.connect, sys.argv[1:])
	a.backup(b)
END
ok "a deletion behind the backup" publish bob --updated "$(ago 5)" --devices 4 \
    --delete device4 --delete device3
cp "$t/body" "$t/again"
ok "is in force" within 10 has_keys bob 3
stop
rm -f "$t/data/portal.db"*
(umask 077 && cat "$t/backup" >"$t/data/portal.db")
: >"$t/log"
start "$port"
ok "the older set is refused" within 60 logged \
    "event=refresh.refused.*$bob"
ok "and the key stays away" has_keys bob 3
ok "its owner publishes it again" post "$t/again"
ok "what follows, too" publish bob --updated "$(ago 4)" --devices 4 \
    --delete device4 --delete device3 --delete device2
ok "is heard" within 40 has_keys bob 2

# Somebody who is not there.
erin=$("$mkset" --seed erin --print udf)
echo "erin $erin" >>"$config/map"
ok "a profile that is not there is told" within 30 logged \
    "no such profile at.*$erin"
ok "news of others" publish bob --updated "$(ago 3)" --devices 4 \
    --delete device4 --delete device3 --delete device2 --delete device1
ok "arrive at once" within 10 has_keys bob 1
tell erin CreateAccount --updated "$(ago 2)" --devices 2 >"$t/ok"
kill -HUP "$watch"
ok "she comes" within 40 has_keys erin 2
kill "$watch"
rc=0
wait "$watch" || rc=$?
ok "the watcher ends well" test "$rc" -eq 0
stop

finish
