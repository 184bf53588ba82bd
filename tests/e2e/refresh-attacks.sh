#!/bin/sh
# The attacks of The Update Framework's list, by a portal on what one run of
# mesh-refresh keeps and on what a login gets afterwards.  SECURITY.md tells
# of each, under the same names, what protects and what remains.

. "$(dirname "$0")/refresh-lib.sh"

# alices NAME OPTION...: a version of her set; two hours ago is what is here.
alices() {
	which=$1
	shift
	version "$which" --seed alice --device X --device Y "$@"
}

# here NAME: the host has taken that version, and nothing before it.
here() {
	fresh_start
	serve "$1"
	refresh
	ok "$group: '$1' is here" taken "$1"
	remember_listing
}

# taken NAME: it was new, and is what counts now.
taken() {
	ended 0 updated=1 && holds "$1" && saw "$1" && has alice "$1"
}

# stays NAME: what came changed nothing.
stays() {
	unchanged && has alice "$1"
}

# keeps_out NAME WHAT PATTERN [KEPT]: refused, and all is as before.
keeps_out() {
	serve "$1"
	refresh
	ok "$group: $2: refused" refused "$3"
	ok "$group: $2: nothing changed" stays "${4:-now}"
}

failed_so() {
	ended 75 failed=1 && told "$1"
}

# fails WHAT PATTERN: the portal has failed, and all is as before.
fails() {
	refresh
	ok "$group: $1: 75" failed_so "$2"
	ok "$group: $1: nothing changed" stays now
}

alices older --updated now-3h
alices now --updated now-2h --device Z
alices newer --updated now-1h
alice=$udf
version bobs --seed bob --devices 1 --updated now-1h
bob=$udf
echo "alice $alice" >"$config/map"

group='arbitrary installation'
here now
version mallory --seed mallory --devices 1 --updated now-1h
keeps_out mallory "a stranger's set in her name" 'fingerprint'
while read -r how why; do
	alices forged --updated now-1h --device M --break "$how"
	keeps_out forged "$how" "$why"
done <<-'END'
	signature-bit personal: the signature is wrong
	stranger-signs-personal personal: signed by no online key
	signer=personal=device:X personal: signed by no online key
	master-signs-personal personal: signed by no online key
	wrong-key-personal personal: the signature is wrong
	online-signs-master master: 'kid' does not name
	wrong-key-master master: the signature is wrong
	stranger-signs-ssh ssh: signed by no online key
	payload-changed personal: 'val' is not the digest
END
fresh_start
remember_listing
refresh
ok "$group: nor at first sight" refused "^personal: 'val'"
ok "$group: nothing is remembered of it" unchanged
ok "$group: nobody logs in" shut alice 66

group='wrong content'
here now
keeps_out bobs "another user's true set" 'fingerprint'
echo "deploy $bob" >>"$config/map"
serve bobs "$bob"
serve bobs
refresh
ok "$group: his is taken for him" eval 'ended 65 refused=1 updated=1 &&
    has deploy bobs'
ok "$group: and not for her" has alice now
echo "alice $alice" >"$config/map"

group='endless data'
here now
place=$portal/$alice.json
truncate -s 1T "$place"
refresh_by='timeout 5 peak'
fails 'a terabyte of nothing' 'larger than 4194304 bytes'
[ "${MK_SANITIZERS:-no}" = no ] && ok "$group: $(cat "$t/err") KiB for it" \
    [ "$(cat "$t/err")" -lt 30000 ]
head -c 4194304 /dev/zero | tr '\0' '[' | sed '1s/^\[/{/' >"$place"
refresh
ok "$group: 4 MiB of brackets: refused" refused 'open brackets'
ok "$group: 4 MiB of brackets: nothing changed" stays now
[ "${MK_SANITIZERS:-no}" = no ] && ok "$group: $(cat "$t/err") KiB for it" \
    [ "$(cat "$t/err")" -lt 60000 ]
rm "$place"
mkfifo "$place"
fails 'a FIFO that nobody writes to' 'not a regular file'
ln -sf /dev/zero "$place"
fails '/dev/zero' 'not a regular file|ermission'
rm "$place"
mkdir "$place"
fails 'a directory' 'not a regular file'
rmdir "$place"
refresh_by=

group='extraneous entries'
here now
alices more --updated now-1h --break two-ssh
keeps_out more 'two SSH profiles' 'two of'
alices more --updated now-1h --break two-personal
keeps_out more 'two profiles' 'two of'
alices more --updated now-1h \
    --edit 'ssh/@UDF(device:X)@/@UDF(device:M)@/'
keeps_out more 'a key of a device that is not listed' 'does not list'
alices more --updated now-1h --break alias=ssh:Y=ssh:X
keeps_out more 'a key that stands twice' 'twice'
alices more --updated now-1h --break alias=device:Y=device:X
keeps_out more 'a device that stands twice' 'twice' 
alices more --updated now-1h --edit \
    'set/"Entries":[/"Entries":[@REPEAT({"SignedOther":{}}\x2c,63)@/'
keeps_out more '65 entries' 'limit of 64'
alices more --updated now-1h --edit \
    'set/"Entries":[/"Entries":[@REPEAT({"SignedOther":{}}\x2c,62)@/'
serve more
refresh
ok "$group: others are not looked into" ended 0 updated=1
ok "$group: and add no key" has alice newer

group='fast-forward'
here now
alices ahead --updated now+25h
keeps_out ahead 'P of tomorrow and an hour' 'ahead|future'
alices ahead --master-updated now+25h --updated now+25h
keeps_out ahead 'M of tomorrow and an hour' 'ahead|future'
serve newer
refresh
ok "$group: what is true follows" eval 'ended 0 updated=1 && saw newer'
alices ahead --updated now+23h
serve ahead
refresh
ok "$group: P of 23 hours ahead is remembered" \
    eval 'ended 0 updated=1 && saw ahead'
alices true --updated now
remember_listing
keeps_out true 'then a true P' 'older' ahead
alices true --master-updated now --updated now
serve true
refresh
ok "$group: a newer M beats it" eval 'ended 0 updated=1 && saw true &&
    has alice true'
remember_listing
keeps_out ahead 'which does not come back' 'older' true

group='indefinite freeze'
here now
for n in 1 2 3; do
	touch -d '1 hour ago' "$cache/$alice.json"
	refresh
	ok "$group: confirmed, $n" eval 'ended 0 current=1 && has alice now &&
	    [ "$(find "$cache/$alice.json" -mmin -1)" ]'
done
echo "max-signed-age 1h" >>"$config/meshkeys.conf"
refresh
ok "$group: max-signed-age is no matter of a run" ended 0 current=1
ok "$group: but ends it at a login" shut alice 75
sed -i '$d' "$config/meshkeys.conf"
echo "alice $alice not-before=$(date -u -d '1 hour ago' \
    +%Y-%m-%dT%H:%M:%SZ)" >"$config/map"
refresh
ok "$group: so is not-before" ended 0 current=1
ok "$group: which ends it, too" shut alice 65
echo "alice $alice" >"$config/map"
alices ends --updated now-2h --expires now+2s --device M
fresh_start
serve ends
refresh
ok "$group: a set that will expire is taken" eval 'ended 0 updated=1 &&
    has alice ends'
sleep 3
refresh
ok "$group: Expires: no longer confirmed" refused 'xpired'
ok "$group: Expires: nobody logs in" shut alice 65
here now
rm "$portal/$alice.json"
fails 'a portal that is empty' 'no such profile'
touch -d '20 minutes ago' "$cache/$alice.json"
refresh
ok "$group: no run makes it younger" \
    [ ! "$(find "$cache/$alice.json" -mmin -19)" ]
echo "alice $alice when-stale=restrict" >"$config/map"
ok "$group: after fresh-for it is stale" eval 'as_akc "$helper" alice |
    grep -q ^restrict'
echo "alice $alice" >"$config/map"
touch -d '30 days ago' "$cache/$alice.json"
refresh
ok "$group: after stale-for nobody logs in" shut alice 75
serve now
refresh
ok "$group: until a portal confirms it" eval 'ended 0 current=1 &&
    has alice now'

group='malicious mirror'
here now
rm "$portal/$alice.json"
fails 'nothing' 'no such profile'
ok "$group: told in the log" in_log 'event=refresh.failed user=alice'
: >"$portal/$alice.json"
fails 'an empty file' 'no profile set'
echo '<html>log in here</html>' >"$portal/$alice.json"
fails 'a page for people' 'no profile set'
head -c 3000 "$sets/newer.json" >"$portal/$alice.json"
refresh
ok "$group: half a set: refused" refused '^set: '
ok "$group: half a set: nothing changed" stays now
ok "$group: told in the log" in_log "event=refresh.refused user=alice"
echo "{}" >"$portal/$alice.json"
refresh
ok "$group: an object of nothing: refused" refused .
ok "$group: an object of nothing: nothing changed" stays now
chmod 0 "$portal/$alice.json"
refresh
ok "$group: unreadable: 75" ended 75 failed=1
ok "$group: unreadable: nothing changed" stays now
rm -f "$portal/$alice.json"
serve newer
refresh
ok "$group: it ends when the portal does as it should" \
    eval 'ended 0 updated=1 && has alice newer'

# splice P S: P of one version, S of another.
splice() {
	p=$(cat "$sets/$1.json")
	s=$(cat "$sets/$2.json")
	cut=',{"SignedApplicationProfile"'
	printf '%s%s%s' "${p%%"$cut"*}" "$cut" "${s#*"$cut"}"
}

group='mix-and-match'
here now
splice newer newer >"$sets/mixed.json"
ok "$group: the test joins what it has cut" \
    cmp -s "$sets/mixed.json" "$sets/newer.json"
splice newer now >"$sets/mixed.json"
keeps_out mixed 'a newer P, the old S' 'not the SSHProfile'
splice now newer >"$sets/mixed.json"
keeps_out mixed 'the old P, a newer S' 'not the SSHProfile'
alices mixed --updated now-1h --break lost-ssh
keeps_out mixed 'a newer P, no S' 'is missing'
alices mixed --updated now-1h --break replayed-ssh
keeps_out mixed 'an S that she signed at another time' \
    'not the SSHProfile'
alices mixed --master-updated 2025-12-31T23:59:59Z --updated now-1h
keeps_out mixed 'an older M in a newer P' 'older'

group='rollback'
here now
serve older
refresh
ok "$group: the older set: refused" refused older
ok "$group: the older set: nothing changed" stays now
rm "$cache/$alice.json"
remember_listing
refresh
ok "$group: also with the cache deleted" refused older
ok "$group: nothing came back" unchanged
ok "$group: nobody logs in" shut alice 66
install -o meshkeys -g meshkeys -m 644 "$sets/older.json" \
    "$cache/$alice.json"
remember_listing
refresh
ok "$group: also with the older one in the cache" refused older
ok "$group: and that is not confirmed" unchanged
ok "$group: nobody logs in with it" shut alice 65
serve now
refresh
ok "$group: the newest that was seen is taken again" \
    eval 'ended 0 updated=1 && holds now && saw now && has alice now'
remember_listing
alices other --updated "$(sed -n 's/^personal \([^ ]*\) .*/\1/p' \
    "$memory/$alice.seen")" --device M
keeps_out other 'the same time, another P' 'another content'
alices other --updated now-1h --device M --online 2
keeps_out other 'the same time, another M' 'another content'
rm "$memory/$alice.seen" "$cache/$alice.json"
serve older
refresh
ok "$group: what remains: a lost memory" eval 'ended 0 updated=1 &&
    saw older'

group='one device'
here now
alices without --updated now-1h --delete X --device Z
serve without
refresh
ok "$group: deleted, it is out with the next run" \
    eval 'ended 0 updated=1 && has alice without'
ok "$group: its tombstone stands" [ "$(grep -c '^deleted ' \
    "$memory/$alice.seen")" -eq 1 ]
alices again --updated now-30m --device Z
serve again
refresh
ok "$group: a later set lists it again: it stays out" \
    eval 'ended 0 updated=1 && has alice without'
alices again --updated now-20m --without X --device Z
serve again
refresh
alices again --updated now-10m --device Z
serve again
refresh
ok "$group: so it does where the profile has forgotten it" \
    eval 'ended 0 updated=1 && has alice without'
alices again --master-updated now-10m --updated now-10m --device Z
serve again
refresh
ok "$group: and with a new M" eval 'ended 0 updated=1 &&
    has alice without'
alices again --updated now --device Z --edit \
    'personal/"Updated"/"Deleted":["@UDF(device:X)@"]\x2c"Updated"/'
remember_listing
serve again
refresh
ok "$group: listed and deleted at once: refused" refused .
ok "$group: nothing changed" unchanged

group='an online key'
alices two --online 2 --updated now-2h
here two
alices stolen --online 2 --signer 1 --updated now-90m --device M
serve stolen
refresh
ok "$group: until it is signed out it adds devices" \
    eval 'ended 0 updated=1 && has alice stolen'
alices out --master-updated now-1h --updated now-1h --delete M
serve out
refresh
ok "$group: a new M without it wins" eval 'ended 0 updated=1 &&
    has alice out'
remember_listing
alices stolen --online 2 --signer 1 --updated now-1m --device M
keeps_out stolen 'what it signs later, with the old M' older out
alices stolen --master-updated now-1h --updated now-1m --device N \
    --break signer=personal=online1 --break signer=ssh=online1
keeps_out stolen 'what it signs later, with the new M' . out
alices stolen --master-updated now --updated now --device N \
    --online 2 --signer 1 --break signer=master=online1
keeps_out stolen 'an M by itself' . out

group='master key'
here now
alices other --updated now-1h --device M --break other-master
keeps_out other 'another one with her fingerprint written to it' .
# Nobody can find a second key for a fingerprint; this memory has met one.
sed -i "s/^key .*/key $(printf %0128d 7)/" "$memory/$alice.seen"
remember_listing
serve newer
refresh
ok "$group: a second key for the fingerprint: refused" \
    refused 'another master key'
ok "$group: nothing changed" unchanged
ok "$group: nobody logs in by either" shut alice 65

finish
