#!/bin/sh
# The helper as a process: whatever its arguments, environment, descriptors,
# limits, log and clock are.

. "$(dirname "$0")/lib.sh"

new_key X
publish --seed alice --devices 1023 --device "X=$keys/X.pub" \
    --updated now-1h --seen "$t/seen"
alice=$udf
echo "alice $alice" >"$config/map"
key=$(cut -d' ' -f2 "$keys/X.pub")
helper_run alice
ok "1,024 lines" decided 1024
cp "$t/out" "$t/all"

# Arguments: sshd's are in order, anybody's are nothing.
usage() {
	[ "$rc" -eq 64 ] && [ ! -s "$t/out" ] && grep -q '^usage:' "$t/err"
}

helper_run
ok "no user: usage, 64" usage
helper_run alice ssh-ed25519 "$key" more
ok "too many words: 64" usage
helper_run ''
ok "an empty name: 64" usage
helper_run "$(printf '%257s' '' | tr ' ' a)"
ok "257 bytes are no name: 64" usage
helper_run -rf ssh-ed25519 "$key"
ok "a name that looks like an option: 64" usage
helper_run --no-such alice
ok "an unknown option: 64" usage
helper_run alice "$(ssh-keygen -lf "$keys/X.pub" | cut -d' ' -f2)"
ok "an offered fingerprint" decided 1
helper_run alice ssh-ed25519 "$key"
ok "an offered key" decided 1
helper_run alice ssh-rsa "$key"
ok "of another type than it says" decided 0
helper_run alice ssh-ed25519-cert-v01@openssh.com "$key"
ok "a certificate that is none" decided 0
for bad in '' A "${key%????}" "$key=" "$key AAAA" "${key}AAAA" \
    "$(printf 'AA\nAA')" '%k' "$(head -c 131000 /dev/zero | tr '\0' A)"; do
	helper_run alice ssh-ed25519 "$bad"
	ok "a broken key matches none" decided 0
	helper_run alice "SHA256:$bad"
	ok "nor a broken fingerprint" decided 0
done
helper_run --version
ok "--version" decided 1

# The environment: nothing in it is read.
rc=0
as_akc env LC_ALL=tr_TR.UTF-8 LANG=xx LANGUAGE=tr OPENSSL_CONF=/dev/full \
    TZ=:/etc/shadow HOME=/dev/null TMPDIR=/nowhere POSIXLY_CORRECT=1 \
    XDG_RUNTIME_DIR=/nowhere MESHKEYS_ROOT=/nowhere IFS=a \
    "$helper" alice ssh-ed25519 "$key" >"$t/out" 2>"$t/err" || rc=$?
ok "a hostile environment changes nothing" decided 1
rc=0
as_akc env -i "$helper" alice >"$t/out" || rc=$?
ok "nor an empty one" cmp "$t/all" "$t/out"
(cd "$t" && setpriv --reuid 902 --regid 902 --clear-groups "$helper" \
    alice) >"$t/out"
ok "nor another working directory" cmp "$t/all" "$t/out"
"$helper" alice >"$t/out"
ok "root may ask, too" cmp "$t/all" "$t/out"

# Somebody else's rights are not lent.
chmod u+s "$helper"
rc=0
as_akc "$helper" --config /etc/shadow alice >"$t/out" 2>"$t/err" || rc=$?
ok "set-user-ID it does nothing: 77" [ "$rc" -eq 77 ]
ok "and says so" [ "$(cat "$t/out" "$t/err" | grep -c 'chmod ug-s')" -eq 1 ]
ok "but tells nothing" [ "$(cat "$t/out" "$t/err" | wc -l)" -eq 1 ]
chmod u-s "$helper"

# Descriptors.
log_sync
rc=0
as_akc "$helper" alice <&- >"$t/out" 2>&- || rc=$?
ok "without descriptors 0 and 2" cmp "$t/all" "$t/out"
as_akc "$helper" alice <&- >&- 2>&- || rc=$?
ok "without any" [ "$rc" -eq 0 ]
as_akc "$helper" alice ssh-ed25519 "$key" 3</etc/shadow >"$t/out" || rc=$?
ok "with one that is none of ours" decided 1
{
	sleep 0.3
	as_akc "$helper" alice 2>"$t/err"
	echo "$?" >"$t/rc"
} | true
ok "sshd gone before the write: exit 0" [ "$(cat "$t/rc")" = 0 ]
as_akc "$helper" alice | { sleep 0.3 && cat; } >"$t/out"
ok "a slow reader gets every line" cmp "$t/all" "$t/out"
rc=0
as_akc "$helper" alice >/dev/full 2>"$t/err" || rc=$?
log_sync
log_lines >"$t/log"
ok "a full disk: 71" [ "$rc" -eq 71 ]
ok "told" in_log 'output: .*event=akc.error'

# undecided: no key comes out, and no signal.
undecided() {
	[ "$rc" -ne 0 ] && [ "$rc" -lt 128 ] && [ ! -s "$t/out" ]
}

# Limits.  The sanitizers need memory and a process of their own.
limits='nofile=3 nofile=4 cpu=1 core=0 memlock=0'
[ "${MK_SANITIZERS:-no}" != no ] ||
    limits="$limits as=20000000 data=1000000 nproc=1 stack=65536"
for limit in $limits; do
	rc=0
	as_akc timeout 10 prlimit "--$limit" "$helper" alice ssh-ed25519 \
	    "$key" >"$t/out" 2>"$t/err" || rc=$?
	ok "limited, $limit: decided or not, nothing in between" \
	    eval 'decided 1 || undecided'
done

# The log: absent, or nobody reads it.
forged() {
	rc=0
	as_akc timeout 10 "$helper" "$@" >"$t/out" 2>"$t/err" || rc=$?
}

echo "deploy MAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA" >>"$config/map"
kill -s STOP "$logger_pid"
timeout 2 sh -c 'while logger -m /dev/log full; do :; done'
forged deploy
ok "a log that nobody reads does not hold up" [ "$rc" -eq 66 ]
kill -s CONT "$logger_pid"
mv /dev/log /dev/log.away
forged deploy
ok "nor one that is not there" [ "$rc" -eq 66 ]
forged alice ssh-ed25519 "$key"
ok "keys come without a log" decided 1
mkfifo /dev/log
forged alice ssh-ed25519 "$key"
ok "and with a FIFO in its place" decided 1
rm /dev/log
mv /dev/log.away /dev/log
sed -i '$d' "$config/map"

# Wrong clocks.
faketime=$(find /usr/lib /usr/lib64 -name libfaketime.so.1 2>/dev/null |
    sed 1q)
at() {
	when=$1
	shift
	log_sync
	rc=0
	as_akc timeout 20 env LD_PRELOAD="$faketime" FAKETIME="$when" \
	    NO_FAKE_STAT=1 FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME_NO_CACHE=1 \
	    "$helper" "$@" >"$t/out" 2>"$t/err" || rc=$?
	log_sync
	log_lines >"$t/log"
}

if [ -z "$faketime" ]; then
	skip "wrong clocks" "libfaketime is missing; run: contrib/install-deps"
elif [ "${MK_SANITIZERS:-no}" != no ]; then
	skip "wrong clocks" "sanitizers and libfaketime do not go together"
else
	at '@2030-01-01 00:00:00' alice ssh-ed25519 "$key"
	ok "years ahead: too stale, 75" failed 75 freshness
	at '@1990-01-01 00:00:00' alice ssh-ed25519 "$key"
	ok "long ago, never seen: 65" failed 65 'clock|build'
	install -m 644 "$t/seen" "$memory/$alice.seen"
	at '@1990-01-01 00:00:00' alice ssh-ed25519 "$key"
	ok "long ago, the set that was seen last: as a stale one" decided 1
	echo "alice $alice when-stale=restrict" >"$config/map"
	at '@1990-01-01 00:00:00' alice ssh-ed25519 "$key"
	ok "so restrict counts" grep -q '^restrict ssh-ed25519 ' "$t/out"
	at '-2d' alice ssh-ed25519 "$key"
	ok "two days slow, before the build: the same" decided 1
	echo "alice $alice when-stale=deny" >"$config/map"
	at '@1990-01-01 00:00:00' alice ssh-ed25519 "$key"
	ok "and deny: 75" failed 75 freshness
fi

finish
