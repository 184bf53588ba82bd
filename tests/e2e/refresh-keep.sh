#!/bin/sh
# What one run of mesh-refresh keeps: the cache, the memory and the list of
# keys, whatever is there before, and wherever the run is stopped.

. "$(dirname "$0")/refresh-lib.sh"

alices() {
	which=$1
	shift
	version "$which" --seed alice --device X --device Y "$@"
}

# leftovers: of files that were being written.
leftovers() {
	find "$cache" "$memory" -name '.mk-*' | grep .
}

# lies NAME [UDF]: that version is here, in every file and for a login.
lies() {
	holds "$1" && saw "$1" && has alice "$1" && not leftovers
}

# taken NAME: it was new, and lies here now.
taken() {
	ended 0 updated=1 && lies "$1"
}

confirmed() {
	ended 0 current=1 && lies "$1"
}

# here NAME: the host has taken that version, and nothing before it.
here() {
	fresh_start
	serve "$1"
	refresh
	taken "$1" || bail "no '$1'"
	remember_listing
}

# put NAME FILE: somebody puts it there by hand.
put() {
	rm -rf "$2"
	install -o meshkeys -g meshkeys -m 644 "$1" "$2"
}

alices older --updated now-3h
alices now --updated now-2h --device Z --proof Z
alices newer --updated now-1h --delete X --deleted 3
alice=$udf
version bobs --seed bob --devices 1 --updated now-1h
bob=$udf
echo "alice $alice" >"$config/map"
set=$cache/$alice.json
seen=$memory/$alice.seen
list=$memory/$alice.keys

# What a host writes when it sees somebody for the first time.
owned() {
	[ "$(stat -c '%U %G %a' "$set" "$seen" "$list" | sort -u)" = \
	    'meshkeys meshkeys 644' ]
}

names() {
	[ "$(cd / && find "$cache" "$memory" -type f | sort)" = \
	    "$(printf '%s\n' "$set" "$memory/.lock" "$list" "$seen" |
	    sort)" ]
}

# listed NAME...: .keys has a line of each key of these versions, no other.
listed() {
	for name; do
		cat "$sets/$name.keys"
	done | sort -u >"$t/want"
	cut -d' ' -f1,2 "$list" | sort | cmp -s - "$t/want"
}

formed() {
	time='[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z'
	key="[a-z0-9-]+ [A-Za-z0-9+/=]+ M[A-Z2-7-]{34}"
	! grep -Evx "$key $time $time (yes|no)" \
	    "$list"
}

serve now
refresh
ok "first sight: taken" taken now
ok "first sight: the memory, byte for byte" cmp "$seen" "$sets/now.seen"
ok "first sight: three files of meshkeys, 0644" owned
ok "first sight: and no others" names
ok "first sight: the lock is meshkeys' alone" \
    [ "$(stat -c '%U %a' "$memory/.lock")" = 'meshkeys 600' ]
ok "first sight: all keys are listed" listed now
ok "first sight: in their form" formed
ok "first sight: the proof of Z" [ "$(grep -c ' yes$' "$list")" -eq 1 ]
refresh
ok "again: current" confirmed now
serve newer
refresh
ok "deletions: taken" taken newer
ok "deletions: all are remembered" cmp "$seen" "$sets/newer.seen"
alices more --updated now-30m --without X --delete Y --device Z
serve more
refresh
ok "deletions: added to by the next ones" [ "$(grep '^deleted' \
    "$sets/newer.seen" "$sets/more.seen" -h)" = "$(grep '^deleted' "$seen")" ]
rc=0
setpriv --reuid meshkeys --regid meshkeys --clear-groups "$refresher" ||
    rc=$?
ok "meshkeys itself runs it" [ "$rc" -eq 0 ]
remember_listing
rc=0
setpriv --reuid alice --regid alice --clear-groups "$refresher" || rc=$?
ok "somebody else: 77" [ "$rc" -eq 77 ]
ok "somebody else: nothing changed" unchanged

# The list of keys only grows.
here older
sed -i 's/ 20[0-9TZ:-]*Z/ 2020-01-01T00:00:00Z/g' "$list"
cut -d' ' -f1,2,3,4,6 "$list" >"$t/lines"
serve now
refresh
ok "keys: a new one is added" listed older now
ok "keys: the old lines stay, first seen as before" eval \
    'cut -d" " -f1,2,3,4,6 "$list" | grep -Fx -f "$t/lines" |
    cmp -s - "$t/lines"'
ok "keys: last seen is now" not grep -q '2020-[^ ]* 2020-' "$list"
serve newer
refresh
ok "keys: one of a deleted device stays" listed older now newer
echo nonsense >>"$list"
cp "$list" "$t/lines"
alices more --updated now --without X --device Z
serve more
refresh
ok "keys: a damaged list keeps no set out" eval 'ended 0 updated=1 &&
    has alice more'
ok "keys: it is told" in_log 'keys: .*damaged at line'
ok "keys: and left as it is" cmp "$list" "$t/lines"

# The memory.
here older
put "$sets/now.json" "$set"
rm "$portal/$alice.json"
refresh
ok "a set newer than the memory: raised without a portal" \
    eval 'ended 75 failed=1 && lies now'
ok "its keys are listed" listed now
serve older
refresh
ok "and what is older is refused" refused older
rm "$seen" "$list" "$portal/$alice.json"
refresh
ok "no memory: that of the cache" eval 'ended 75 failed=1 && lies now'
rm "$seen" "$set"
serve older
refresh
ok "neither: first sight" taken older

# damage FILE WHAT: something that is no memory.
damage() {
	case $1 in
	empty) : ;;
	garbage) head -c 300 /dev/urandom ;;
	version) sed 's/^mesh-seen 1/mesh-seen 2/' "$sets/now.seen" ;;
	half) head -c 200 "$sets/now.seen" ;;
	crlf) sed 's/$/\r/' "$sets/now.seen" ;;
	more) cat "$sets/now.seen" "$sets/now.seen" ;;
	large) head -c 70000 /dev/zero ;;
	esac
}

{
	echo "deploy $bob"
	echo "alice $alice"
} >"$config/map"
for how in empty garbage version half crlf more large; do
	fresh_start
	rm -f "$portal/$bob.json"
	serve now
	refresh alice
	damage "$how" >"$t/damaged"
	put "$t/damaged" "$seen"
	serve newer
	serve bobs "$bob"
	remember_listing
	refresh
	ok "memory, $how: fails, and the other one is served" \
	    eval 'ended 75 failed=1 updated=1 && told "damaged" &&
	    has deploy bobs'
	ok "memory, $how: told at err" in_log '^<83>.*damaged.*user=alice'
	ok "memory, $how: nothing of hers changed" eval \
	    'cmp "$seen" "$t/damaged" && holds now && shut alice 71'
done
echo "alice $alice" >"$config/map"
here now
put "$sets/bobs.seen" "$seen"
serve newer
remember_listing
refresh
ok "memory of another master key: refused" refused 'another master key'
ok "memory of another master key: nothing changed" unchanged

# Whatever lies in place of the set, a good one still comes in.
odd() {
	case $1 in
	missing) rm "$2" ;;
	garbage) head -c 5000 /dev/urandom >"$2" ;;
	empty) : >"$2" ;;
	half) head -c 3000 "$sets/now.json" >"$2" ;;
	huge) truncate -s 1G "$2" ;;
	another) cp "$sets/bobs.json" "$2" ;;
	older) cp "$sets/older.json" "$2" ;;
	link) rm "$2" && ln -s "$sets/now.json" "$2" ;;
	secret) rm "$2" && ln -s /etc/shadow "$2" ;;
	dangling) rm "$2" && ln -s nowhere "$2" ;;
	fifo) rm "$2" && mkfifo "$2" ;;
	0600 | 0666 | 0000 | 0444) chmod "$1" "$2" ;;
	alice) chown alice "$2" ;;
	root) chown root "$2" ;;
	esac
}

for how in missing garbage empty half huge another older link secret \
    dangling fifo 0600 0666 0000 0444 alice root; do
	here now
	odd "$how" "$set"
	refresh
	ok "cache, $how: the set is back" eval 'ended 0 && lies now'
	[ "$how" = 0444 ] || ok "cache, $how: as a file of meshkeys" owned
done
ok "what a link led to is as it was" [ "$(stat -c '%U %a' /etc/shadow \
    "$sets/now.json")" = "$(printf 'root 640\nroot 644')" ]
here now
rm "$set"
mkdir "$set"
refresh
ok "cache, a directory: fails" eval 'ended 75 failed=1 && told "cannot"'
ok "cache, a directory: nothing is left" not leftovers
rmdir "$set"

# What lies in place of a memory cannot be guessed.
for how in link secret dangling fifo 0666 0000 alice; do
	here now
	odd "$how" "$seen"
	serve newer
	remember_listing
	refresh
	ok "memory, $how: fails" eval 'ended 75 failed=1 && told "cannot use"'
	ok "memory, $how: nothing changed" unchanged
done
for how in 0600 0444 root; do
	here now
	odd "$how" "$seen"
	refresh
	ok "memory, $how: a login can read it" confirmed now
	serve newer
	refresh
	ok "memory, $how: written anew" eval 'taken newer && owned'
done
for how in link secret 0666 alice; do
	here older
	odd "$how" "$list"
	serve now
	refresh
	ok "keys, $how: kept, and the set is taken" eval 'ended 0 updated=1 &&
	    lies now'
	ok "keys, $how: told" in_log 'cannot use'
done

# stops STATUS PATTERN: the run could not begin.
stops() {
	[ "$rc" -eq "$1" ] && [ ! -s "$t/out" ] && in_log "$2" &&
	    in_log 'event=refresh.error'
}

for dir in "$cache" "$memory"; do
	here now
	rm -rf "$t/away"
	mv "$dir" "$t/away"
	refresh
	ok "$dir absent: 78" stops 78 "run: install -d .*$dir"
	cp -a "$t/away" "$dir"
	chown root "$dir"
	refresh
	ok "$dir of root: 77" stops 77 "run: chown meshkeys $dir"
	chown alice "$dir"
	refresh
	ok "$dir of alice: 77" stops 77 "run: chown meshkeys $dir"
	chown meshkeys "$dir"
	chmod 0777 "$dir"
	refresh
	ok "$dir writable by others: 77" stops 77 "run: chmod go-w $dir"
	chmod 0755 "$dir"
	chmod 0777 "${dir%/*}"
	refresh
	ok "${dir%/*} writable by others: 77" stops 77 \
	    "run: chmod go-w ${dir%/*}"
	chmod 0755 "${dir%/*}"
	refresh
	ok "$dir as it should be" confirmed now
	mount --bind "$dir" "$dir"
	mount -o remount,bind,ro "$dir"
	serve newer
	remember_listing
	refresh
	ok "$dir read-only: an error" eval '[ "$rc" -eq 71 ] ||
	    [ "$rc" -eq 75 ]'
	ok "$dir read-only: told" in_log 'ead-only file system'
	ok "$dir read-only: a login goes on" eval 'has alice now ||
	    has alice newer'
	umount "$dir"
	refresh
	ok "$dir writable again" eval '[ "$rc" -eq 0 ] && lies newer'
done

# Reached through a link, whose parents are root's, too.
mkdir -m 0755 "$t/elsewhere"
for dir in "$cache" "$memory"; do
	here now
	mv "$dir" "$t/elsewhere/store"
	ln -s "$t/elsewhere/store" "$dir"
	serve newer
	refresh
	ok "$dir a link: followed" taken newer
	rm "$dir"
	mv "$t/elsewhere/store" "$dir"
done

# No room: in the cache, then in the memory.
for dir in "$cache" "$memory"; do
	here now
	rm -rf "$t/away"
	cp -a "$dir" "$t/away"
	mount -t tmpfs -o size=64k,mode=0755,uid=901,gid=901 tmpfs "$dir"
	cp -a "$t/away/." "$dir"
	cat /dev/zero >"$dir/full" 2>/dev/null
	alices newer --updated now-1h --delete X --devices 5
	serve newer
	refresh
	ok "$dir full: fails" eval 'ended 75 failed=1 &&
	    told "cannot write .*No space left"'
	ok "$dir full: the old set or the new one" eval 'has alice now ||
	    has alice newer'
	ok "$dir full: the memory is whole" saw now
	ok "$dir full: nothing is left" not leftovers
	rm "$dir/full"
	refresh
	ok "$dir has room: mended" eval '[ "$rc" -eq 0 ] && lies newer'
	umount "$dir"
done
alices newer --updated now-1h --delete X --device Z

# Killed at each system call of those that write, from the lock on.  What
# comes before it changes nothing.
before() {
	fresh_start
	cp -a "$t/saved/cache/." "$cache"
	cp -a "$t/saved/memory/." "$memory"
}

# kill_at CALL N: stopped there, then an ordinary run.  What is wrong
# afterwards is added to $bad.
kill_at() {
	before
	strace -f -qq -o /dev/null -e trace="$1" \
	    -e inject="$1:signal=KILL:when=$2" "$refresher" >/dev/null 2>&1
	[ "$?" -ne 137 ] || killed=$((killed + 1))
	has alice older || has alice newer || bad="$bad $2:login"
	"$refresher" || bad="$bad $2:status"
	lies newer || bad="$bad $2:set"
	listed older newer || late="$late $2"
}

# kill_all CALL
kill_all() {
	before
	strace -f -qq -o "$t/trace" -e trace=openat,"$1" "$refresher"
	lies newer || bail 'no run under strace'
	last=$(grep -c " $1(" "$t/trace")
	n=$(sed '/\.lock"/q' "$t/trace" | grep -c " $1(")
	[ "$n" -gt 0 ] || n=1
	times=$((last - n + 1))
	killed=0
	bad=
	late=
	while [ "$n" -le "$last" ]; do
		kill_at "$1" "$n"
		n=$((n + 1))
	done
	ok "killed at each of $times $1" [ "$killed" -eq "$times" ]
	ok "$1: a login is served, and the next run mends" [ -z "$bad" ]
	ok "$1: the list of keys, too" [ -z "$late" ]
}

if [ "${MK_SANITIZERS:-no}" != no ]; then
	skip "killed" "sanitizers and strace do not go together"
elif ! strace -o /dev/null true 2>/dev/null; then
	skip "killed" "no strace here; run: contrib/install-deps"
else
	here older
	rm -rf "$t/saved"
	mkdir "$t/saved"
	cp -a "$cache" "$t/saved/cache"
	cp -a "$memory" "$t/saved/memory"
	serve newer
	for call in openat write fchmod fsync renameat close; do
		kill_all "$call"
	done
fi

# Three at once, on a hundred users.
fresh_start
rm -rf "$portal" "$t/all"
mkdir "$portal" "$t/all"
n=0
while [ "$n" -lt 100 ]; do
	echo "user$n $(mkset --seed "user$n" --updated now-1h --print udf \
	    --out "$portal/" --seen "$t/all/")"
	n=$((n + 1))
done >"$config/map"
pids=
for n in 1 2 3; do
	timeout 30 "$refresher" --json >"$t/summary.$n" 2>"$t/err" &
	pids="$pids $!"
done
sum=
for pid in $pids; do
	wait "$pid"
	sum="$sum$?"
done
ok "three at once: $sum: all end well" [ "$sum" = 000 ]
ok "three at once: every set is here" eval \
    'diff -r -x "*.refused" "$portal" "$cache"'
ok "three at once: every memory is" eval \
    'diff -r -x "*.keys" -x .lock "$t/all" "$memory"'
ok "three at once: nothing is left" not leftovers

# A refusal is told once an hour.
portal_again() {
	rm -rf "$portal"
	mkdir "$portal"
	echo "alice $alice" >"$config/map"
}

told_now() {
	in_log '^<85>.*event=refresh.refused user=alice'
}

portal_again
here now
serve older
refresh
ok "a refusal is logged" told_now
note=$cache/$alice.refused
ok "and noted" grep -qx '65 .*' "$note"
refresh
ok "not again" eval 'refused older && not told_now'
touch -d '61 minutes ago' "$note"
refresh
ok "an hour later it is" told_now
refresh
ok "and not again" not told_now
touch -d '1 day' "$note"
refresh
ok "a note of tomorrow silences nobody" told_now
serve bobs
refresh
ok "another reason is told at once" told_now
serve now
refresh
ok "the note goes with a set that is confirmed" [ ! -e "$note" ]
serve older
refresh
serve newer
refresh
ok "or taken" [ ! -e "$note" ]

# Those who are named, and those whom nobody maps any more.
printf 'alice %s\ndeploy %s\n' "$alice" "$bob" >"$config/map"
fresh_start
serve now
serve bobs "$bob"
refresh alice
ok "a user by name" eval 'ended 0 profiles=1 updated=1 && has alice now'
ok "and no other" shut deploy 66
refresh "$(echo "$bob" | tr -d - | tr '[:upper:]' '[:lower:]')"
ok "a fingerprint as people type it" eval 'ended 0 profiles=1 updated=1 &&
    has deploy bobs'
serve newer
remember_listing
refresh alice nobody2
ok "one who is not mapped: 66" stops 66 nobody2
ok "and nothing is done" unchanged
echo "alice $alice" >"$config/map"
refresh
ok "who left stays in the cache for a day" [ -e "$cache/$bob.json" ]
touch -d '25 hours ago' "$cache/$bob.json"
refresh
ok "and not longer" [ ! -e "$cache/$bob.json" ]
ok "but in the memory" eval '[ -e "$memory/$bob.seen" ] &&
    [ -e "$memory/$bob.keys" ]'
touch -d '25 hours ago' "$cache/$alice.json"
rm "$portal/$alice.json"
refresh
ok "who is mapped stays" holds newer

# --dry-run writes nothing.
everything() {
	(cd / && find "${cache#/}" "${memory#/}" \
	    -printf '%p %i %u %m %s %T@ %C@\n' | sort)
}

dry() {
	everything >"$t/before"
	refresh --dry-run
	everything >"$t/after"
	cmp "$t/before" "$t/after"
}

fresh_start
serve newer
ok "dry, first sight: nothing is written" dry
ok "dry, first sight: it says what would be" ended 0 updated=1
here older
put "$sets/now.json" "$set"
serve newer
ok "dry, a cache newer than the memory: nothing is written" dry
ok "dry: it would be updated" ended 0 updated=1
serve older
ok "dry, refused: nothing is written" dry
ok "dry: it would be refused" refused older
serve now
ok "dry, the same: nothing is written" dry
ok "dry: it would be confirmed" ended 0 current=1
ok "a run after it does it" eval 'refresh; confirmed now'

# Clocks that jump.
faketime=$(find /usr/lib /usr/lib64 -name libfaketime.so.1 2>/dev/null |
    sed 1q)
at() {
	refresh_by="env LD_PRELOAD=$faketime FAKETIME=$1 NO_FAKE_STAT=1"
	refresh_by="$refresh_by FAKETIME_DONT_FAKE_MONOTONIC=1"
	refresh_by="$refresh_by FAKETIME_NO_CACHE=1"
	refresh
	refresh_by=
}

if [ -z "$faketime" ]; then
	skip "clocks" "libfaketime is missing; run: contrib/install-deps"
elif [ "${MK_SANITIZERS:-no}" != no ]; then
	skip "clocks" "sanitizers and libfaketime do not go together"
else
	here older
	serve now
	at +2d
	ok "two days ahead: a set of now is taken" taken now
	alices ahead --updated now+47h
	serve ahead
	at +2d
	ok "two days ahead: and one of then" eval 'ended 0 updated=1 &&
	    saw ahead'
	remember_listing
	alices true --updated now
	serve true
	refresh
	ok "the clock is right again: the true one is older" refused older
	ok "what was taken counts, as a stale one" eval 'unchanged &&
	    has alice ahead'
	serve ahead
	refresh
	ok "the one that was seen last is confirmed" eval \
	    '[ "$rc" -eq 0 ] && saw ahead && has alice ahead'
	alices true --master-updated now --updated now
	serve true
	refresh
	ok "a new M ends it" taken true
	here now
	at -2d
	ok "two days back: the set seen last is confirmed" \
	    eval '[ "$rc" -eq 0 ] && lies now'
	serve newer
	remember_listing
	at -2d
	ok "two days back: nothing new is taken" refused 'clock|build'
	ok "two days back: nothing is remembered" unchanged
	fresh_start
	remember_listing
	at -2d
	ok "two days back: nor at first sight" eval 'refused "clock|build" &&
	    unchanged'
	serve newer
	refresh
	ok "the clock is right again: taken" taken newer
fi

# Sets of 2016 and 2017 have no times: what was seen first stays.
for year in 2016 2017; do
	old=$MK_SRCDIR/tests/vectors/legacy-$year
	read -r udf <"$old.udf"
	echo "alice $udf" >"$config/map"
	fresh_start
	portal_again
	echo "alice $udf" >"$config/map"
	cp "$old.json" "$sets/old.json"
	cp "$old.keys" "$sets/old.keys"
	serve old "$udf"
	refresh
	ok "$year: taken" eval 'ended 0 updated=1 && has alice old'
	ok "$year: pinned" [ "$(grep -c ' - ' "$memory/$udf.seen")" -eq 3 ]
	refresh
	ok "$year: the same again is confirmed" eval 'ended 0 current=1 &&
	    has alice old'
	echo >>"$portal/$udf.json"
	refresh
	ok "$year: the same in other bytes" eval 'ended 0 && has alice old'
	version first --seed old --legacy "$year" --devices 1
	version second --seed old --legacy "$year" --devices 2
	echo "alice $udf" >"$config/map"
	serve second "$udf"
	refresh
	ok "$year: two devices are taken" eval 'ended 0 updated=1 &&
	    has alice second'
	serve first "$udf"
	remember_listing
	refresh
	ok "$year: another content is refused" refused pinned
	ok "$year: nothing changed" eval 'unchanged && has alice second'
done

# Fifty thousand users, one in a hundred without a set.
fresh_start
portal_again
n=0
while [ "$n" -lt 495 ]; do
	mkset --seed "user$n" --devices 1 --updated now-1h --print udf \
	    --out "$portal/"
	n=$((n + 1))
done >"$t/udfs"
awk 'BEGIN { letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567" }
function letter(n) { return substr(letters, n % 32 + 1, 1) }
{ udf[NR - 1] = $1 }
END {
	for (i = 0; i < 49500; i++)
		print "user" i, udf[i % NR]
	for (; i < 50000; i++)
		print "user" i, "MAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AA" \
		    letter(i / 1024) letter(i / 32) letter(i)
}' "$t/udfs" >"$config/map"
refresh_by='timeout 30 peak'
refresh
ok "50,000 users: 495 sets, and 500 that are not there" \
    ended 75 profiles=995 updated=495 failed=500
ok "50,000 users: every set is here" eval \
    'diff -r -x "*.refused" "$portal" "$cache"'
refresh
ok "50,000 users: then they are current" \
    ended 75 profiles=995 current=495 failed=500
ok "50,000 users: and the log is a line of counts behind at most a hundred" \
    eval 'in_log event=refresh.run && [ "$(wc -l <"$t/log")" -le 101 ]'
[ "${MK_SANITIZERS:-no}" != no ] ||
    ok "50,000 users: $(cat "$t/err") KiB" [ "$(cat "$t/err")" -lt 50000 ]
awk 'BEGIN { letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567" }
function letter(n) { return substr(letters, n % 32 + 1, 1) }
{ print; next }
END {
	for (i = 0; i < 50000; i++)
		print "more" i, "MAAAA-AAAAA-AAAAA-AAAAA-AAAAA-B" \
		    letter(i / 32768) letter(i / 1024) letter(i / 32) letter(i)
}' "$config/map" | sed '1,500!{/^user/d}' >"$t/map"
cp "$t/map" "$config/map"
refresh
ok "50,000 profiles that are nowhere, and 495 that are" \
    ended 75 profiles=50495 current=495 failed=50000
ok "a thousand of them are told" \
    [ "$(grep -o '"result":"failed"' "$t/out" | wc -l)" -eq 1000 ]
[ "${MK_SANITIZERS:-no}" != no ] ||
    ok "50,000 profiles: $(cat "$t/err") KiB" \
    [ "$(cat "$t/err")" -lt 100000 ]

finish
