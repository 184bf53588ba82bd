#!/bin/sh
# mesh-refresh --watch against a portal that tells of changes, one that lies
# about them, and one that goes away; below a --root, on the loopback only.
# How fast news arrives is measured by 'make bench', not here: each wait has
# a limit that is far beyond it and far below the next turn without a feed.
set -eu

builddir=${MK_BUILDDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
srcdir=${MK_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
watcher=$builddir/mesh-refresh
helper=$builddir/mesh-authorized-keys
mkset=$builddir/tests/mkset/mkset
umask 022

. "$srcdir/tests/tap.sh"
command -v python3 >/dev/null 2>&1 || skip_all "no python3"

t=$(mktemp -d)
root=$t/root
config=$root${MK_CONFDIR:-/etc/meshkeys}
cache=$root${MK_CACHEDIR:-/var/cache/meshkeys}
memory=$root${MK_STATEDIR:-/var/lib/meshkeys}
pids=
# shellcheck disable=SC2034 # tap.sh reads it
tap_shows=log

clean() {
	for pid in $pids; do
		kill -9 "$pid" 2>/dev/null || :
	done
	rm -rf "$t"
}
trap clean EXIT
trap 'exit 143' INT TERM

# A portal; its address in $at.
start_portal() {
	rm -f "$t/ready"
	python3 "$srcdir/tests/e2e/portal.py" --dir "$t/sets" \
	    --log "$t/requests" --ready "$t/ready" "127.0.0.1:$1" &
	portal=$!
	pids="$pids $portal"
	within 20 test -s "$t/ready" || exit 99
	at=$(head -n 1 "$t/ready")
}

stop_portal() {
	kill -9 "$portal"
	wait "$portal" 2>/dev/null || :
}

# tell WHAT: the portal's controls.
tell() {
	python3 - "http://$at/control/$1" <<-'EOF'
	import sys, urllib.request
	urllib.request.urlopen(sys.argv[1], b"", 9)
	EOF
}

# publish SEED OPTION...: a version of that user's set.
publish() {
	seed=$1
	shift
	"$mkset" --seed "$seed" "$@" --out "$t/new.json"
	mv "$t/new.json" "$t/sets/$("$mkset" --seed "$seed" --print udf).json"
}

# keys USER: how many a login gets.
keys() {
	"$helper" --root "$root" "$1" 2>/dev/null | grep -c . || :
}

has_keys() {
	[ "$(keys "$1")" = "$2" ]
}

# requests PATTERN: how many of them came.
requests() {
	grep -c "$1" "$t/requests" || :
}

start_watcher() {
	: >"$t/log"
	NOTIFY_SOCKET=$t/notify WATCHDOG_USEC=1000000 \
	    "$watcher" --root "$root" --debug --watch 2>>"$t/log" &
	watch=$!
	pids="$pids $watch"
}

logged() {
	grep -q -e "$1" "$t/log"
}

notified() {
	grep -q -e "$1" "$t/notified"
}

# ends PID: within ten seconds.
ended() {
	not kill -0 "$1"
}

# The processes whose parent is PID, and theirs.
below() {
	for child in $(cat "/proc/$1/task/$1/children" 2>/dev/null); do
		echo "$child"
		below "$child"
	done
}

mkdir -p "$t/sets" "$t/dir" "$cache" "$memory" "$config/users" \
    "$root/dir"
: >"$t/log"
: >"$t/requests"
python3 - "$t/notify" "$t/notified" <<-'EOF' &
	import socket, sys
	s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
	s.bind(sys.argv[1])
	with open(sys.argv[2], "w", buffering=1) as f:
	    while True:
	        f.write(s.recv(4096).decode() + "\n")
EOF
pids="$pids $!"
within 20 test -S "$t/notify" || exit 99

alice=$("$mkset" --seed alice --print udf)
bob=$("$mkset" --seed bob --print udf)
carol=$("$mkset" --seed carol --print udf)
start_portal 0
port=${at##*:}
conf() {
	printf '%s\n' "portal http://$at" "$@" \
	    >"$config/meshkeys.conf"
}
conf 'fresh-for 6s'
echo "alice $alice" >"$config/map"
publish alice --updated now-9h --devices 3

# At first.

start_watcher
ok 'it comes up, and says so' within 20 notified '^READY=1$'
ok 'and gets the set' within 20 has_keys alice 3
ok 'it says that it lives' within 10 notified '^WATCHDOG=1$'
ok 'and how it goes' within 10 notified '^STATUS=.* profiles'

# News.

publish alice --updated now-8h --devices 3 --delete device1
ok 'a deletion arrives' within 10 has_keys alice 2
publish alice --updated now-7h --devices 4 --delete device1
ok 'and what comes next' within 10 has_keys alice 3
ok 'the memory has the deletion' grep -q '^deleted ' "$memory/$alice.seen"
cp "$t/sets/$alice.json" "$t/right.json"
publish alice --updated now-9h --devices 3
ok 'an older set that is published is refused' \
    within 10 logged 'event=refresh.refused'
ok 'and changes nothing' has_keys alice 3
mv "$t/right.json" "$t/sets/$alice.json"
ok 'the right one again is taken as that' \
    within 10 logged "event=refresh.current.*$alice"

# Silence confirms, without another request for the set.

moved() {
	[ "$(stat -c %Y "$cache/$alice.json")" -ge "$1" ]
}
# A name that came while it was asked for has it asked for once more.
gets=none
while [ "$(requests "^GET")" != "$gets" ]; do
	gets=$(requests "^GET")
	sleep 3
done
ok 'silence moves the time of the set' \
    within 30 moved $(($(date +%s) + 3))
ok 'without asking for it' [ "$(requests "^GET")" -eq "$gets" ]
cp "$cache/$alice.json" "$t/kept.json"
"$mkset" --seed alice --updated now-9h --devices 3 --out "$t/older.json"
cat "$t/older.json" >"$cache/$alice.json"
touch -d '1 hour ago' "$cache/$alice.json"
ok 'bytes of another hand are not confirmed but mended' \
    within 30 cmp "$t/kept.json" "$cache/$alice.json"
ok 'by asking for them' [ "$(requests "^GET")" -gt "$gets" ]

# The map.

publish bob --updated now-5h --devices 1
echo "bob $bob" >>"$config/map"
ok 'a new line of the map is seen' within 20 has_keys bob 1
publish carol --updated now-5h --devices 2
echo "$carol" >"$config/users/carol"
ok 'a new file of users/ as well' within 20 has_keys carol 2
publish bob --updated now-4h --devices 2
ok 'and their news arrive' within 10 has_keys bob 2
echo "alice $alice and more" >"$config/map.new"
mv "$config/map.new" "$config/map"
ok 'a bad line is told' within 20 logged 'event=refresh.map'
echo "no-such-keyword" >"$config/meshkeys.conf"
ok 'a bad configuration is told' \
    within 20 logged 'going on with what was read before'
ok 'and ends nothing' kill -0 "$watch"
conf 'fresh-for 6s'
printf 'alice %s\nbob %s\n' "$alice" "$bob" >"$config/map"
ok 'both are mended' within 20 sh -c \
    "tail -n 3 '$t/log' | grep -q 'profiles; event=refresh.reload'"

# News while the set is on its way, and after it was not there at all.

tell behave/pause
publish carol --updated now-4h --devices 3
sleep 0.2
publish carol --updated now-3h --devices 4
ok 'a change during the fetch of the one before' within 10 has_keys carol 4
tell behave/honest

# SIGHUP.

: >"$t/notified"
gets=$(requests "^GET")
kill -HUP "$watch"
ok 'SIGHUP: reads again' within 10 notified '^RELOADING=1$'
ok 'with the time, for systemd' notified '^MONOTONIC_USEC=[0-9]*$'
ok 'is ready again' within 10 notified '^READY=1$'
asked() {
	[ "$(requests "^GET")" -ge $((gets + $1)) ]
}
ok 'and asks for everybody' within 10 asked 3

# More than the process may do as it is confined: another is started.

dave=$("$mkset" --seed dave --print udf)
"$mkset" --seed dave --updated now-3h --devices 1 \
    --out "$root/dir/$dave.json"
child=$(below "$watch" | head -n 1)
echo "dave $dave portal=file:/dir" >>"$config/map"
ok 'a portal that is a directory' within 20 has_keys dave 1
ok 'took another process' ended "$child"
ok 'of the same watcher' kill -0 "$watch"
publish bob --updated now-2h --devices 1
ok 'the feed goes on' within 10 has_keys bob 1

# The portal goes away and comes back.

stop_portal
ok 'a portal that is gone is told' within 20 logged 'event=refresh.feed'
ok 'logins go on' has_keys alice 3
publish alice --updated now-1h --devices 4 --delete device1 --delete device2
start_portal "$port"
ok 'what it got meanwhile arrives' within 40 has_keys alice 2

# A restored portal, with another store.

tell store
publish bob --updated now-1h --devices 3
ok 'another store: all is asked anew' within 20 has_keys bob 3

# A profile that the portal does not have is named in each answer.

erin=$("$mkset" --seed erin --print udf)
echo "erin $erin" >>"$config/map"
ok 'a profile that is not there is told' \
    within 20 logged "no such profile at.*$erin"
sleep 2
before=$(wc -l <"$t/requests")
sleep 4
ok 'and not asked for all the time' \
    [ "$(wc -l <"$t/requests")" -le $((before + 6)) ]
publish bob --updated now-50m --devices 2
ok 'the others have their feed' within 10 has_keys bob 2
publish erin --updated now-20m --devices 2
kill -HUP "$watch"
ok 'once it is there it comes' within 20 has_keys erin 2
publish erin --updated now-10m --devices 1
ok 'and its news, once it is asked about' within 20 has_keys erin 1

# Lies.  Each for as long as a hasty client would need for many requests.

listing() {
	(cd "$cache" && sha256sum ./*.json)
	(cd "$memory" && sed '/^etag/d' ./*.seen)
}
reloads() {
	grep -c 'event=refresh.reload' "$t/log"
}
reloaded() {
	[ "$(reloads)" -gt "$1" ]
}
listing >"$t/before"
for lie in backwards reset at-once strangers everything endless garbage \
    html stores never silent unknown busy; do
	tell "behave/lie-$lie"
	tell store
	# Each begins with all forgotten, also that it was lied to before.
	reloads=$(reloads)
	kill -HUP "$watch"
	ok "$lie: a new beginning" within 20 reloaded "$reloads"
	before=$(wc -l <"$t/requests")
	sleep 3
	ok "$lie: not many requests" \
	    [ "$(wc -l <"$t/requests")" -le $((before + 45)) ]
	listing >"$t/after"
	ok "$lie: nothing changes" cmp "$t/before" "$t/after"
done
ok 'it is still there' kill -0 "$watch"
tell behave/honest
publish alice --updated now-30m --devices 1
kill -HUP "$watch"
ok 'and news arrive' within 20 has_keys alice 1

# The end.

all=$(below "$watch")
kill "$watch"
rc=0
wait "$watch" || rc=$?
ok 'SIGTERM: ends well' [ "$rc" -eq 0 ]
ok 'and says so' within 5 notified '^STOPPING=1$'
gone() {
	for pid in $all; do
		not kill -0 "$pid" || return 1
	done
}
ok 'with all of its processes' within 10 gone

start_watcher
within 20 notified '^READY=1$'
within 10 sh -c "[ \$(grep -c . /proc/$watch/task/$watch/children) -gt 0 ]"
sleep 1
all=$(below "$watch")
kill -9 "$watch"
wait "$watch" 2>/dev/null || :
ok 'killed: the others end, too' within 20 gone

start_watcher
sleep 1
within 20 logged 'event=refresh.watch'
for pid in $(below "$(below "$watch" | head -n 1)"); do
	# The death of the first may have ended the second.
	kill -9 "$pid" 2>/dev/null || :
done
rc=0
wait "$watch" || rc=$?
ok 'without its fetching processes it fails' [ "$rc" -eq 71 ]

finish
