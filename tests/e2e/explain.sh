#!/bin/sh
# meshkeys explain and keys: each reason for which a key is printed or not
# is told, and what they say is what the helper does.

. "$(dirname "$0")/tool-lib.sh"

: >"$config/meshkeys.conf"

# helper_words WORD...: those of explain as sshd gives them to the helper.
helper_words() {
	if [ "$#" -eq 2 ] && [ -f "$2" ]; then
		# shellcheck disable=SC2046 # type and base64 are words
		set -- "$1" $(cut -d' ' -f1,2 "$2")
	fi
	as_akc timeout 20 "$helper" "$@" >"$t/akc" 2>/dev/null </dev/null
}

# agrees: the helper ends as it was said, and prints what was said.
agrees() {
	helper_words "$@"
	akc=$?
	printed=False
	[ ! -s "$t/akc" ] || printed=True
	python3 -c "import json, sys
o = json.load(open(sys.argv[1]))
assert o['status'] == $akc, (o['status'], $akc)
assert o['printed'] == $printed, o['printed']
assert int(sys.argv[2]) == (0 if $printed else $akc or 1), sys.argv[2]" \
	    "$t/json" "$json_rc"
}

# explain USER [KEY...]: for people in out, for programs in json; both end
# with the same status, and the helper is asked, too.
explain() {
	tool --json explain "$@"
	cp "$t/out" "$t/json"
	json_rc=$rc
	tool explain "$@"
	ok "explain $case_name: as the helper" agrees "$@"
	ok "explain $case_name: the same with --json" [ "$rc" -eq "$json_rc" ]
	ok "explain $case_name: printable" eval \
	    '! grep -q "[^[:print:]]" "$t/out" && [ ! -s "$t/err" ]'
}

# why STATUS PATTERN...: on standard output, each.
why() {
	[ "$rc" -eq "$1" ] || return 1
	shift
	for pattern; do
		grep -Eq -e "$pattern" "$t/out" || {
			echo "nothing of '$pattern'"
			return 1
		}
	done
}

# tells WORDS STATUS PATTERN...: of alice's login, or of that of $user with
# $key.
tells() {
	case_name=$1
	shift
	# shellcheck disable=SC2086 # type and base64 are words
	explain "${user:-alice}" ${key-}
	ok "explain $case_name" why "$@"
	user= key=
}

# key NAME N: the Nth key of a version, as a login offers it.
key_of() {
	sed -n "${2}p" "$sets/$1.keys"
}

alices() {
	which=$1
	shift
	version "$which" --seed alice --device X --device Y "$@"
}

start() {
	fresh_start
	rm -rf "$config/users"
	echo "alice $alice" >"$config/map"
	: >"$config/meshkeys.conf"
	tool import "$sets/$1.json" alice
	[ "$rc" -eq 0 ] || bail "import of '$1' failed"
}

user= key=
alices older --updated now-3h --description 'X=a\x1b[31mb\nc"d'
alices now --updated now-2h --device Z --host H --bare B
alices newer --updated now-1h --delete X
alices listed --updated now-30m
alices expired --updated now-3h --expires now-1h
alices soon --updated now-1h --expires now+1h
alice=$udf
version bobs --seed bob --device P --updated now-1h
bob=$udf
new_key rsa -trsa -b2048
new_key weak -trsa -b1024
version rsas --seed rsas --device R="$keys/rsa.pub" \
    --device W="$keys/weak.pub" --updated now-1h
rsas=$udf
set=$cache/$alice.json
seen=$memory/$alice.seen
new_key stranger
new_key casual
alices sharing --device S="$keys/casual.pub" --updated now-1h
version shared --seed bob --device B="$keys/casual.pub" --updated now-1h
alices odd --updated now-1h --break hand=device:X=stranger

# The way to a key.
start now
rm "$config/meshkeys.conf"
tells "without a configuration" 0 '^configuration: there is no file' \
    "^identity: source 'map' names her, with 1 profile" \
    "^profile $alice: '/etc/meshkeys/map', line 1\$" \
    'cache: the set was confirmed .* ago, which is fresh' \
    'memory: the newest set seen was signed 20' \
    'set: verified from the fingerprint, signed 20.*, expires never' \
    'device M.* \("X"\): ssh-ed25519 SHA256:.*, may log in' \
    'device M.* \("H"\): a host' 'device M.*: has no SSH key' \
    '^verdict: 3 keys printed; the helper exits with status 0' \
    "meshkeys check alice"
: >"$config/meshkeys.conf"
key=$(key_of now 1)
tells "a key of hers" 0 'the key asked about' \
    'verdict: the key is printed: it is that of device M.* \("X"\)'
key_of now 2 >"$t/two.pub"
key=$t/two.pub
tells "the file of a key" 0 'the key is printed: .*\("Y"\)'
echo "# mine

$(key_of now 2) my comment" >"$t/three.pub"
tool explain alice "$t/three.pub"
ok "explain a file with comments" why 0 'the key is printed: .*\("Y"\)'
{
	printf '%065430d' 0 | sed 's/^/#/'
	printf '\r\n%s' "$(key_of now 2)"
} >"$t/long.pub"
tool explain alice "$t/long.pub"
ok "explain a file without a line feed at its end" why 0 \
    'the key is printed: .*\("Y"\)'
tool explain alice "restrict $(key_of now 1) comment"
ok "explain a line of authorized_keys" why 0 'the key is printed: .*\("X"\)'
key=$(ssh-keygen -lf "$t/two.pub" | cut -d' ' -f2)
tells "a fingerprint" 0 "^offered: $key" 'the key is printed: .*\("Y"\)'
tool explain alice - <"$t/two.pub"
ok "explain: standard input is empty here" [ "$rc" -eq 64 ]
rc=0
meshkeys explain alice - <"$t/two.pub" >"$t/out" 2>"$t/err" || rc=$?
ok "explain a key on standard input" why 0 'the key is printed: .*\("Y"\)'
{
	echo '# the hosts'
	echo "bob $bob"
	echo "alice $alice options=no-pty"
} >"$config/map"
tells "options of her line" 0 "'/etc/meshkeys/map', line 3" \
    'before each key stands no-pty'
mkdir "$config/users"
echo "$alice" >"$config/users/alice"
tells "a file of hers" 0 "'/etc/meshkeys/users/alice', line 1"
rm -r "$config/users"
sed -i "s/^\(alice:.*,,,\):/\1,mesh=$alice:/" /etc/passwd
: >"$config/map"
tells "GECOS" 0 "source 'passwd' names her" "'/etc/passwd', line [0-9]"
sed -i "s/,mesh=$alice//" /etc/passwd

# Other keys.
start now
key=$keys/stranger.pub
tells "a key that nobody knows" 1 'it is no key of .alice. now, and this host'
cp "$sets/bobs.json" "$cache/$bob.json"
key=$(key_of bobs 1)
tells "the key of another user" 1 'it is no key of .alice. now'
ssh-keygen -q -s "$keys/casual" -I id -n alice "$keys/stranger.pub"
key=$keys/stranger-cert.pub
tells "a certificate" 1 '^offered: a certificate, which is never' \
    'verdict: .*a certificate'
key='ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA'
tells "a key that is cut" 1 '^offered: malformed' 'verdict: .*malformed'
key=SHA256:nonsense
tells "a fingerprint that is cut" 1 'verdict: .*malformed'
tool explain alice "$keys/stranger"
ok "explain a private key: refused" complained 64 'private key'
ok "explain a private key: not shown" eval \
    '! grep -q "$(sed -n 2p "$keys/stranger")" "$t/err"'
tool explain -- alice "$(cat "$keys/stranger")"
ok "explain a private key as a word: refused" complained 64 'private key'
ok "explain a private key as a word: not shown" eval \
    '! grep -q "$(sed -n 2p "$keys/stranger")" "$t/err"'
tool explain alice MD5:12:34
ok "explain MD5" complained 64 'SHA256'
tool explain alice "$t/absent"
ok "explain: no such file" complained 66 'absent'
head -c 400000 /dev/zero >"$t/large"
tool explain alice "$t/large"
ok "explain: a file that is too large" complained 64 'larger than'
tool explain alice "$seen"
ok "explain: a file without a key" complained 64 'no public key'
tool explain alice ssh-ed25519 nonsense
ok "explain: words without a key" complained 64 'no public key'
tool explain ''
ok "explain: no name" complained 64 'user name'
tool explain
ok "explain: nobody" complained 64 'usage'

# The device that was deleted since: what an administrator wants to know.
start now
tool import "$sets/newer.json" alice
key=$(key_of now 1)
tells "a deleted device" 1 'deleted: the profile names 1 deleted device' \
    'verdict: .* the key of device M.*, seen from 20.*Z to 20.*Z, which has' \
    'verdict: .* been deleted since; the helper exits with status 0'
key=$(ssh-keygen -lf - <<-END | cut -d' ' -f2
$(key_of now 1)
END
)
tells "a deleted device by its fingerprint" 1 'deleted since'
key=$(key_of now 3)
tells "a device that is gone" 1 'which the profile no longer lists'
tool import "$sets/listed.json" alice
ok "explain: a set that lists a deleted device comes" [ "$rc" -eq 0 ]
key=$(key_of now 1)
tells "a device deleted earlier" 1 'memory: .*1 deletion remembered' \
    'device M.*("X").*deleted earlier' \
    'that of device M.* \("X"\), and of a device that was deleted'
sed -i 's/ 20[^ ]*Z 20[^ ]*Z / - - /' "$memory/$alice.keys"
key=$(key_of now 3)
tells "a key without times" 1 'from an unknown time to an unknown time, which'
echo nonsense >>"$memory/$alice.keys"
key=$keys/stranger.pub
tells "a damaged list of keys" 1 'keys seen: .*damaged at line' \
    'no key of .alice. now, and the list of keys seen is of no use'

# Types and strength.
start now
echo "alice $rsas" >"$config/map"
cp "$sets/rsas.json" "$cache/$rsas.json"
tells "a weak key" 0 'ssh-rsa SHA256:.*, may log in' \
    'ssh-rsa SHA256:.*too weak' '1 key printed'
key=$keys/weak.pub
tells "the weak key" 1 'that of device M.* \("W"\), and too weak'
echo "alice $rsas key-types=ssh-ed25519" >"$config/map"
tells "key types" 1 "of a type that 'key-types' does not allow" \
    'no device of hers has a key'
key=$keys/rsa.pub
tells "a key of another type" 1 'that of device .*key-types'

# Nobody, and no Mesh keys.
start now
user=bob
tells "not mapped" 1 '^identity: no source names her' \
    "meshkeys map add bob FINGERPRINT" 'nothing says which profile'
user=bob key=$keys/stranger.pub
tells "not mapped, with a key" 1 'nothing says which profile'
mkdir "$config/users"
: >"$config/users/alice"
tells "an empty file of hers" 1 \
    "identity: '/etc/meshkeys/users/alice' has no line, and no other source"
rm -r "$config/users"
echo 'alice -' >"$config/map"
tells "denied" 1 "identity: a dash in '/etc/meshkeys/map', line 1" \
    'by order of the administrator'
echo 'alice nonsense' >"$config/map"
tells "a bad line of hers" 78 "^identity: .*map:1: .*not a fingerprint" \
    'status 78'
echo 'nonsense yes' >"$config/meshkeys.conf"
tells "a bad configuration" 78 '^configuration: .*:1: .*nonsense' 'status 78'
: >"$config/meshkeys.conf"

# Names that passwd may have.
for user in "o'brien" 'a b' '$(id)' '-dash' '.dot' 'a%20' '%41'; do
	case_name="the user <$user>"
	echo "$(python3 -c 'import sys, urllib.parse
n = urllib.parse.quote(sys.argv[1], safe="")
print("%%%02X" % ord(n[0]) + n[1:] if n[0] in ".-" else n)' \
    "$user") $alice" >"$config/map"
	tool explain -- "$user"
	ok "explain $case_name" why 0 '3 keys printed'
	tool keys -- "$user"
	ok "keys of $case_name" eval 'said 0 "^3.ssh-ed25519"'
done
tool explain "$(printf 'a\033[31m\n')"
ok "explain a name with control characters" eval \
    'why 1 "nothing says" && ! grep -q "[^[:print:]]" "$t/out"'
user=

tool explain "$(printf 'a\377 b')"
ok "explain: the command for a name of other bytes" why 1 \
    'map add "\$\(printf .a\\377\\040b.\)" FINGERPRINT'
tool explain -- -dash2
ok "explain: the command for a name with a dash" why 1 \
    "map add -- '-dash2' FING"

# Sets that are kept out.
start now
sed 's/"signature":"..../"signature":"AAAA/' "$sets/now.json" >"$t/forged"
put "$t/forged" "$set"
tells "a forged set" 65 'set: personal: the signature is wrong' \
    'to do: .*meshkeys refresh' 'status 65'
head -c 700 "$sets/now.json" >"$t/half"
put "$t/half" "$set"
tells "half a set" 65 'set: .*' 'status 65'
put "$sets/bobs.json" "$set"
tells "another's set" 65 'set: master: '
put "$sets/older.json" "$set"
tells "a replayed set" 65 'set: version: .*older than the newest one seen' \
    "to do: .*meshkeys accept alice"
key=$(key_of now 1)
tells "a key of hers, and a replayed set" 65 'older than the newest' \
    'keys seen: this is the key of device M'
put "$sets/expired.json" "$set"
rm "$seen"
tells "an expired set" 65 'set: version: the profile has expired' \
    'meshman /sync' 'memory: this host has seen no set'
fresh_start
tells "a set that was never fetched" 66 'cache: no profile set' \
    "meshkeys refresh alice" 'status 66'
start older
tells "a hostile description" 0 'device M.* \("a\?\[31mb\?c"d"\)'
ok "explain a hostile description: --json" python3 -c \
    "import json; json.load(open('$t/json'))"
echo damaged >"$seen"
tells "a damaged memory" 71 'memory: damaged' 'restore that file' 'status 71'
start now
chmod 600 "$seen"
tells "a memory that the helper cannot read" 77 "chmod a\+r $seen"
chown root "$seen"
tells "a memory that its owner cannot read" 77 'memory: open: .*denied'
rm "$set"
tells "no set, and a memory that its owner cannot read" 66 \
    'cache: no profile set' 'memory: open: .*denied'
start now
chmod 750 "$cache"
tells "a cache that the helper cannot read" 77 "chmod a\+rx $cache"
rm "$set"
tells "a cache that the helper cannot read, empty" 77 "chmod a\+rx $cache"
chmod 755 "$cache"
start now
chmod 700 "$memory"
tells "a memory closed as a whole" 77 "chmod a\+rx $memory"
chmod 755 "$memory"
chmod 666 "$set"
tells "a set that others may write" 77 'chmod go-w|chmod o-w|chmod g-w'
start now
echo 'max-set 4096' >"$config/meshkeys.conf"
tells "a set that is too large" 65 'larger than max-set' \
    "raise 'max-set' in meshkeys.conf; then run: meshkeys refresh alice"

# Age.
start soon
tells "a set that expires" 0 'expires 20'
touch -d '2 hours ago' "$set"
tells "a stale set" 0 \
    "confirmed 2 hours ago, which is stale, and 'when-stale' allows it"
echo 'when-stale restrict' >"$config/meshkeys.conf"
tells "a stale set, restricted" 0 "puts 'restrict' before its keys"
echo "alice $alice options=restrict,pty" >"$config/map"
tells "options of a stale set" 0 'before each key stands restrict$'
echo "alice $alice" >"$config/map"
tool keys alice
ok "keys: restrict is told" eval 'said 0 "^1.restrict ssh" &&
    hinted "stale, so .when-stale. puts .restrict."'
echo 'when-stale deny' >"$config/meshkeys.conf"
tells "a stale set, denied" 75 'denies it' 'device .*no login, since' \
    'status 75'
key=$(key_of soon 1)
tells "a key of a stale set" 75 "denies it"
: >"$config/meshkeys.conf"
touch -d '8 days ago' "$set"
tells "a set that is too stale" 75 'too stale, beyond .stale-for. 7 days'
touch -d 'tomorrow' "$set"
tells "a time in the future" 0 'a time in the future.*is stale'
touch "$set"
echo "alice $alice not-before=2199-01-01T00:00:00Z" >"$config/map"
tells "not-before" 65 'policy: .*not-before' "to do: 'not-before'"
echo "alice $alice max-signed-age=1m" >"$config/map"
tells "max-signed-age" 75 'policy: .*max-signed-age' 'to do: she signs anew'

# The last set that came was refused.
start now
echo "portal file:$portal" >"$config/meshkeys.conf"
serve older
refresh
tells "a refusal" 0 'last problem: a set that came was refused.*older than' \
    '3 keys printed'

rm "$portal/$alice.json"
refresh
tells "a portal without her set" 0 \
    'last problem: no set came from the portal, .*no such profile'

# Two profiles, and one of them refused.
start now
{
	echo "alice $bob"
	echo "alice $alice"
} >"$config/map"
put "$sets/bobs.json" "$cache/$bob.json"
tells "two profiles" 0 'with 2 profiles' "^profile $bob: .*line 1" \
    "^profile $alice: .*line 2" '4 keys printed'
put "$t/forged" "$set"
tells "two profiles, one forged" 0 'set: personal: ' \
    '1 key printed, though not of every profile'
key=$keys/stranger.pub
tells "a strange key, one forged" 1 'it is in no set that verifies of .alice.,'
echo "alice $bob key-types=ssh-rsa
alice $alice" >"$config/map"
tells "no key for login, one forged" 1 'no set that is let in has a key that'
echo "alice $bob
alice $alice" >"$config/map"
tool keys alice
ok "keys of two profiles, one forged" eval 'said 0 "^1.ssh-ed25519" &&
    hinted "no keys of $alice: personal: "'
put "$t/forged" "$cache/$bob.json"
tells "two profiles, both forged" 65 'status 65'

# A key in both of them.
start sharing
echo "alice $bob when-stale=deny
alice $alice options=no-pty" >"$config/map"
put "$sets/shared.json" "$cache/$bob.json"
key=$keys/casual.pub
tells "a key of two profiles" 0 'no-pty; a key that another profile has, too,'
touch -d '2 hours ago' "$cache/$bob.json"
key=$keys/casual.pub
tells "a key of two profiles, one denied" 0 \
    'device .*("B").*no login.*the key asked' \
    'verdict: the key is printed: it is that of device M.* \("S"\);'

# Other keys of the set, which a login by a good one does not look at.
start older
put "$sets/odd.json" "$set"
touch -d '2 hours ago' "$set"
key=$(key_of odd 2)
tells "a good key beside a forged device" 0 'ago, which is stale' \
    'other keys: ' 'the key is printed: it is that of device M.* \("Y"\)'

# The chain.
start now
printf '#!/bin/sh\necho chained\n' >/run/libexec/other
chmod 755 /run/libexec/other
echo 'chain /run/libexec/other %u' >"$config/meshkeys.conf"
tool explain alice
ok "explain: a chain follows" why 0 \
    "chain: '/run/libexec/other' is asked then"
# shellcheck disable=SC2046 # words
tool explain alice $(key_of now 1)
ok "explain: no chain behind a match" why 0 \
    "chain: '/run/libexec/other' is not asked"
tool keys alice
ok "keys: a chain follows" eval 'said 0 "^3.ssh" && hinted "chain, ./run"'
put "$t/forged" "$set"
tool explain alice
ok "explain: no chain behind a refusal" why 65 'is not asked' 'status 65'
echo 'chain-on-refusal yes' >>"$config/meshkeys.conf"
tool explain alice
ok "explain: a chain behind a refusal" why 65 \
    'no Mesh key: .*; then the chain is asked, and the helper exits as it does'

# keys
start now
tool keys alice
cut -f2- "$t/out" >"$t/lines"
helper_words alice
ok "keys: the lines of the helper" cmp "$t/akc" "$t/lines"
ok "keys: their numbers" [ "$(cut -f1 "$t/out" | tr -d '\n')" = 123 ]
tool --json keys alice
ok "keys: --json" json "[k['line'] for k in o['keys']] == [1, 2, 3] and
    o['user'] == 'alice' and ''.join(k['text'] + '\n' for k in o['keys'])
    == open('$t/akc').read()"
tool keys bob
ok "keys: nobody" eval '[ "$rc" -eq 0 ] && [ ! -s "$t/out" ] &&
    hinted "nothing names"'
put "$t/forged" "$set"
tool keys alice
ok "keys: refused" eval 'complained 65 "signature is wrong" &&
    hinted "meshkeys explain alice"'
tool keys alice extra
ok "keys: too many words" complained 64 usage

# By anybody, and below another root.
start now
rc=0
setpriv --reuid alice --regid alice --clear-groups meshkeys explain alice \
    >"$t/out" 2>"$t/err" || rc=$?
ok "explain by a user" why 0 '3 keys printed'
chmod 700 /run/home/root
cp "$t/two.pub" /run/home/root/two.pub
chmod 600 /run/home/root/two.pub
tool explain alice /run/home/root/two.pub
ok "explain a file that only root may read" why 0 'the key is printed'
mkdir -p "$t/root/etc/meshkeys" "$t/root$cache" "$t/root$memory"
chown meshkeys:meshkeys "$t/root$cache" "$t/root$memory"
echo "alice $bob" >"$t/root/etc/meshkeys/map"
cp "$sets/bobs.json" "$t/root$cache/$bob.json"
tool --root "$t/root" explain alice
ok "explain --root" why 0 "'$t/root/etc/meshkeys/map', line 1" '1 key printed'
mv "$t/root" "$t/a root"
chmod 600 "$t/a root$cache/$bob.json"
tool --root "$t/a root" explain alice
ok "explain --root with a blank" why 77 "run: chmod a\+r '$t/a root$cache/" \
    "meshkeys check --root '$t/a root' alice"
rm -r "$cache"
tool explain alice
ok "explain without a cache" why 66 'no profile set'
mkdir "$cache"
chown meshkeys:meshkeys "$cache"

# What the reference implementation wrote in 2017.
vectors=$MK_SRCDIR/tests/vectors
old=$(cat "$vectors/legacy-2017.udf")
fresh_start
echo "alice $old" >"$config/map"
: >"$config/meshkeys.conf"
put "$vectors/legacy-2017.json" "$cache/$old.json"
tells "a set of 2017" 0 'of the form of 2016 or 2017, which has no times' \
    'keys? printed'
key=$(head -n 1 "$vectors/legacy-2017.keys" | cut -d' ' -f1,2)
tells "a key of a set of 2017" 0 'the key is printed'
tool import "$vectors/legacy-2017.json" alice
tells "a set of 2017, pinned" 0 'pinned to a set without times'
echo "alice $old not-before=2016-01-01T00:00:00Z" >"$config/map"
tells "a set of 2017 and not-before" 65 'policy: .*at no known time'
ok "explain: nobody signs it anew" not grep -q 'to do' "$t/out"
finish
