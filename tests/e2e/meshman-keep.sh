#!/bin/sh
# meshman and a portal: nothing is lost, whoever stops it, breaks the wire,
# fills the disk, sets the clock, or brings an old portal back.  No root
# needed.
set -eu

# shellcheck source=tests/e2e/man-lib.sh
. "$(dirname "$0")/man-lib.sh"

if [ ! -x "$builddir/meshportal" ]; then
	echo "1..0 # SKIP no meshportal here"
	exit 0
fi

wire_start
for key in k1 k2 k3; do
	new_key "$key"
done

as alice
wire down
man --portal "$url" personal alice@example.com --no-passphrase
ok "the portal is down: 75" ends 75 'no answer'
ok "and nothing was made" not ls "$dir"/*.key
man --portal ftp://a personal alice@example.com --no-passphrase
ok "no portal at all: 78" ends 78
wire 404
man --portal "$url" personal alice@example.com --no-passphrase
ok "a web server that is no portal: 75" ends 75 'as a portal'
wire ok
man --portal "$url" personal alice@example.com --no-passphrase --name X
ok "published" ends 0 "published as alice@example.com at $url" out
man sync
ok "the portal is remembered" ends 0 'nothing new' out
as bob
man --portal "$url" personal Alice@example.com --no-passphrase
ok "a name that is taken: 65" ends 65 'taken'
ok "and nothing was made" not ls "$dir"/*.key
man personal --no-passphrase
wire deaf
man --portal "$url" personal bob@example.com
ok "an answer that is lost: 75 and what to do" eval \
    'ends 75 && ends 75 "meshman /personal bob@example.com"'
wire ok
man --portal "$url" personal bob@example.com
ok "the same again goes on" ends 0 'published as bob' out
man personal bob@example.com
ok "and again" ends 0 'published as bob' out
man personal carol@example.com
ok "another account: 78" ends 78 'bob@example.com'
as carol
man personal --no-passphrase
man --portal "$url" personal bob@example.com
ok "a profile, and an account that is another's: 65" ends 65
man --portal "$url" personal carol@example.com
ok "it can choose another" ends 0 'published as carol' out

# What the portal has is what is here.
same_there() {
	man list --json
	udf=$(sed 's/.*"fingerprint":"\([^"]*\)".*/\1/' "$t/out")
	upstream=$(cat "$t/wire/upstream")
	python3 - "$upstream" "$udf" "$dir/profile.json" <<-'END'
	import json, sys, urllib.request
	there = json.load(urllib.request.urlopen(
	    "http://%s/.well-known/mmm/%s.json" % tuple(sys.argv[1:3]),
	    timeout=10))
	sys.exit(there != json.load(open(sys.argv[3])))
	END
}

keys() {
	man list
	[ "$(grep -c SHA256 "$t/out")" -eq "$1" ]
}

settled() {
	[ ! -e "$dir/outgoing.json" ] && [ ! -e "$dir/results.json" ]
}

as alice
ok "the set is there" same_there
for mode in deaf half; do
	saved
	wire "$mode"
	man ssh --key "$t/k1.pub"
	ok "$mode: 75, and that it is kept" ends 75 'signed and kept'
	ok "$mode: it is" [ -e "$dir/outgoing.json" ]
	ok "$mode: not yet the profile" keys 0
	wire ok
	man sync
	ok "$mode: the next word sends it again" eval 'ends 0 && settled'
	ok "$mode: and it is the profile" eval 'keys 1 && same_there'
	man ssh --key "$t/k1.pub"
	ok "$mode: made again it is there" eval 'ends 0 && keys 1'
	break
done
wire half
man ssh --key "$t/k2.pub"
ok "half an answer: 75" ends 75
wire down
man ssh --key "$t/k3.pub"
ok "then it is down: 75 and nothing else is begun" ends 75
ok "what was signed is kept" [ -e "$dir/outgoing.json" ]
wire ok
man ssh --key "$t/k3.pub"
ok "the next word sends both" eval 'ends 0 && keys 3 && same_there'
ok "and nothing is left" settled
wire 503
man ssh --key "$t/k2.pub"
ok "a key that is there is no change" eval 'ends 0 && settled'

# Refused for good.
new_key k4
for status in 400 401 413; do
	wire "refuse-$status"
	man ssh --key "$t/k4.pub"
	ok "$status: given up" eval 'not ends 0 && not ends 75 && settled'
	ok "$status: and told, cleanly" ends "$rc" "says $status: no[?]"
done
wire refuse-404
man ssh --key "$t/k4.pub"
ok "404: 66 and how to publish it again" eval 'ends 66 &&
    ends 66 "meshman /personal alice@example.com" && settled'
wire refuse-409
man ssh --key "$t/k4.pub"
ok "409 again and again: 75" eval 'ends 75 && settled'
wire 500
man ssh --key "$t/k4.pub"
ok "500: 75 and kept" eval 'ends 75 && [ -e "$dir/outgoing.json" ]'
wire ok
man sync
ok "and published in the end" eval 'ends 0 && keys 4 && same_there'
ok "which is no loss" settled

# Another administration device: here the same keys in another place.
new_key k5
new_key k6
rm -rf "$t/users/second"
cp -a "$t/users/alice" "$t/users/second"
wire down
man ssh --key "$t/k5.pub"
ok "signed, and not sent" [ -e "$dir/outgoing.json" ]
wire ok
as second
man ssh --key "$t/k6.pub"
ok "another is faster" eval 'ends 0 && keys 5'
as alice
man sync
ok "given up: 75, and that it has to be made again" \
    ends 75 'not published and has to be made again'
ok "the word itself was done" eval 'settled && keys 5 && same_there'
man ssh --key "$t/k5.pub"
ok "made again" eval 'ends 0 && keys 6 && same_there'
new_key k7
wire deaf
man ssh --key "$t/k7.pub"
wire ok
as second
man sync
ok "what was published though the answer was lost" eval 'ends 0 && keys 7'
new_key k8
man ssh --key "$t/k8.pub"
ok "and another goes on from there" eval 'ends 0 && keys 8'
as alice
man list
man sync
ok "is no loss" eval 'ends 0 && settled && keys 8 && same_there'
as second
man sync

# A portal that goes back, and one that forgets.
as bob
portal_stop
cp -a "$t/data" "$t/data.old"
portal_start
man ssh --key "$t/k1.pub"
ok "a version that the portal will lose" ends 0
portal_stop
rm -rf "$t/data"
cp -a "$t/data.old" "$t/data"
portal_start
man sync
ok "it has gone back: told, and published again" eval \
    'ends 0 "has gone back" && says "published again" && keys 1'
ok "and is there" same_there
portal_stop
rm -rf "$t/data"
cp -a "$t/data.old" "$t/data"
portal_start
man ssh --key "$t/k2.pub"
ok "gone back before a change: the change goes on from ours" eval \
    'ends 0 "has gone back" && keys 2 && same_there'
portal_stop
mv "$t/data" "$t/data.kept"
portal_start
man sync
ok "it knows nothing: 66 and what to do" eval 'ends 66 &&
    ends 66 "meshman /personal bob@example.com"'
man personal bob@example.com
ok "which does it" eval 'ends 0 && same_there'
portal_stop
rm -rf "$t/data"
mv "$t/data.kept" "$t/data"
portal_start

# Two at once.
as carol
man ssh --key "$t/k1.pub"
setsid --wait "$meshman" ssh --key "$t/k2.pub" \
    >/dev/null 2>"$t/err2" </dev/null &
pid=$!
man ssh --key "$t/k3.pub"
rc2=0
wait "$pid" || rc2=$?
ok "two at once: both are done" eval '[ "$rc2" -eq 0 ] && ends 0 && keys 3'

# A device that is deleted.
as alice
man pin
pin=$(cat "$t/out")
as phone
man connect --portal "$url" alice@example.com --pin "$pin" --name phone --yes
ok "a device asks to join" ends 0
as alice
man accept /all
ok "and is accepted" ends 0
as phone
man complete
ok "which it learns" ends 0
man sync
ok "it is in the profile" ends 0
man list
ok "and sees itself" eval 'ends 0 && says "phone  \(this device\)"'
as alice
man sync
man delete phone --yes
ok "deleted" ends 0
as phone
man sync
ok "it learns that: 65" ends 65 'does not belong to the profile any more'
ok "what it was is shown" says 'removed:'
ok "nothing is destroyed" [ -e "$dir/device.key" ]

# Clocks.
faketime=$(find /usr/lib /usr/lib64 -name libfaketime.so.1 2>/dev/null |
    sed 1q)
clock() {
	by="env LD_PRELOAD=$faketime FAKETIME=$1 NO_FAKE_STAT=1"
	by="$by FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME_NO_CACHE=1"
}

as local
man personal --no-passphrase --name laptop
man ssh --key "$t/k1.pub"
if [ -z "$faketime" ]; then
	skip "clocks" "libfaketime is missing; run: contrib/install-deps"
elif [ "${MK_SANITIZERS:-no}" != no ]; then
	skip "clocks" "sanitizers and libfaketime do not go together"
else
	clock +40d
	man sync
	ok "fifty days before it expires: nothing" ends 0 'nothing new' out
	clock +61d
	man sync
	ok "29 days before: signed anew" ends 0 'signed anew' out
	clock +160d
	man list
	ok "expired: shown as that" ends 0 EXPIRED out
	man sync
	ok "and signed anew" eval 'ends 0 "signed anew" out && keys 1'
	by=
	man list
	ok "dated far ahead: shown all the same" ends 0
	man ssh --key "$t/k2.pub"
	ok "but not changed: 65 and the clock" ends 65 clock
	clock -900d
	man ssh --key "$t/k2.pub"
	ok "before the build: 75 and the clock" ends 75 clock
	by=
fi

# Killed at each call that writes, and every write on a full disk: the next
# word goes on, and portal and device agree.
before() {
	portal_stop
	rm -rf "$XDG_DATA_HOME" "$t/data"
	cp -a "$t/saved" "$XDG_DATA_HOME"
	cp -a "$t/data.saved" "$t/data"
	portal_start
}

# mended WHICH: what is wrong afterwards is added to $bad.
mended() {
	man sync
	ends 0 || bad="$bad $1:sync"
	man ssh --key "$t/k1.pub"
	ends 0 || bad="$bad $1:ssh"
	keys 1 || bad="$bad $1:keys"
	settled || bad="$bad $1:left"
	same_there || bad="$bad $1:there"
}

# strike CALL:WHAT:WHEN: happens to the next word.
strike() {
	by="strace -qq -o /dev/null -e trace=${1%%:*} -e inject=$1"
}

kill_at() {
	before
	strike "$1:signal=KILL:when=$2"
	man ssh --key "$t/k1.pub"
	by=
	[ "$rc" -ne 137 ] || killed=$((killed + 1))
	man list
	ends 0 || bad="$bad $2:list"
	mended "$2"
}

calls() {
	before
	by="strace -qq -o $t/trace -e trace=$1"
	man ssh --key "$t/k1.pub"
	by=
	last=$(grep -c "^$1(" "$t/trace" || :)
}

kill_all() {
	calls "$1"
	killed=0
	bad=
	i=1
	while [ "$i" -le "$last" ]; do
		kill_at "$1" "$i"
		i=$((i + 1))
	done
	ok "killed at each of $last $1" [ "$killed" -eq "$last" ]
	ok "$1: the next word mends it ($bad)" [ -z "$bad" ]
}

# The disk is full from one write on.
fill_all() {
	calls write
	bad=
	i=1
	while [ "$i" -le "$last" ]; do
		before
		strike "write:error=ENOSPC:when=$i+"
		man ssh --key "$t/k1.pub"
		by=
		[ "$rc" -ne 0 ] || bad="$bad $i:status"
		mended "$i"
		i=$((i + 1))
	done
	ok "a full disk at each of $last writes is told and mended ($bad)" \
	    [ -z "$bad" ]
}

# make_all: /personal, killed at each call.
make_all() {
	as made
	bad=
	i=1
	while :; do
		rm -rf "$XDG_DATA_HOME"
		strike "$1:signal=KILL:when=$i"
		man personal --no-passphrase --name X
		by=
		[ "$rc" -eq 137 ] || break
		mkdir -p "$dir"
		chmod 700 "$dir"
		cp -a "$dir" "$t/made"
		man personal --no-passphrase --name X
		ends 0 || ends 78 'already' || bad="$bad $i:again"
		for key in "$t"/made/*.key; do
			[ ! -e "$key" ] || cmp -s "$key" \
			    "$dir/$(basename "$key")" || bad="$bad $i:key"
		done
		man list
		ends 0 || bad="$bad $i:list"
		rm -rf "$t/made"
		i=$((i + 1))
	done
	ok "/personal killed at each of $((i - 1)) $1: goes on ($bad)" \
	    [ -z "$bad" ]
}

# An acceptance is told to a device only if it was published.
accept_at() {
	rm -rf "$t/users/erin" "$t/users/tablet"
	cp -a "$t/erin" "$t/users/erin"
	cp -a "$t/tablet" "$t/users/tablet"
	portal_stop
	rm -rf "$t/data"
	cp -a "$t/data.saved" "$t/data"
	portal_start
	as erin
	strike "$1:signal=KILL:when=$2"
	man accept /all
	by=
	[ "$rc" -eq 137 ] || return 1
	as tablet
	man complete
	man list
	if ends 0 && not says 'tablet  .this device'; then
		bad="$bad $2:early"
	fi
	as erin
	man sync
	ends 0 || bad="$bad $2:sync"
	man accept /all
	settled || bad="$bad $2:left"
	as tablet
	man complete
	man list
	says 'tablet  .this device' || bad="$bad $2:complete"
}

accept_all() {
	bad=
	i=1
	while accept_at "$1" "$i"; do
		i=$((i + 1))
	done
	ok "/accept killed at each of $((i - 1)) $1: once more ($bad)" \
	    eval '[ "$i" -gt 1 ] && [ -z "$bad" ]'
}

prepare_accept() {
	as erin
	man --portal "$url" personal erin@example.com --no-passphrase --name X
	man pin
	pin=$(cat "$t/out")
	as tablet
	man connect --portal "$url" erin@example.com --pin "$pin" \
	    --name tablet --yes
	portal_stop
	cp -a "$t/users/erin" "$t/users/tablet" "$t"
	rm -rf "$t/data.saved"
	cp -a "$t/data" "$t/data.saved"
	portal_start
}

if [ "${MK_SANITIZERS:-no}" != no ]; then
	skip "killed" "sanitizers and strace do not go together"
elif ! strace -o /dev/null true 2>/dev/null; then
	skip "killed" "no strace here; run: contrib/install-deps"
else
	as dave
	man --portal "$url" personal dave@example.com --no-passphrase --name X
	portal_stop
	saved
	cp -a "$t/data" "$t/data.saved"
	portal_start
	for call in renameat write fsync unlinkat sendmsg; do
		kill_all "$call"
	done
	fill_all
	for call in renameat write fsync; do
		make_all "$call"
	done
	prepare_accept
	for call in renameat unlinkat sendmsg; do
		accept_all "$call"
	done
fi

finish
