#!/bin/sh
# meshkeys map: who is who, added, removed, listed and checked, and what of
# it a login then takes.

. "$(dirname "$0")/refresh-lib.sh"

install -m 0755 "$MK_BUILDDIR/meshkeys" /run/bin/meshkeys ||
    bail 'no meshkeys'

# map ARGUMENT...: status in $rc, what it said in out and err, what it logged
# in log.
map() {
	log_sync
	rc=0
	timeout 60 meshkeys map "$@" >"$t/out" 2>"$t/err" </dev/null ||
	    rc=$?
	log_sync
	log_lines >"$t/log"
}

# said STATUS PATTERN: on standard output.
said() {
	[ "$rc" -eq "$1" ] && grep -Eq -e "$2" "$t/out"
}

# refused STATUS PATTERN: and nothing on standard output, nothing changed.
refused() {
	[ "$rc" -eq "$1" ] && [ ! -s "$t/out" ] &&
	    grep -Eq -e "$2" "$t/err"
}

logged() {
	[ "$(grep -c "event=meshkeys\.$1 user=$2" "$t/log")" -eq 1 ]
}

# is TEXT: the map, without the line feed at its end.
is() {
	[ "$(cat "$config/map")" = "$1" ]
}

# json PYTHON: of the object o that it printed.
json() {
	python3 -c "import json, sys
o = json.load(open(sys.argv[1]))
sys.exit(not ($1))" "$t/out"
}

# empty: nobody is named anywhere.
empty() {
	rm -rf "$config/users" "$config/map"
	write_accounts /etc
}

publish --seed alice --device X --device Y --updated now-1h \
    --description 'X=lap\x1b[31mtop'
alice=$udf
version bobs --seed bob --devices 1
bob=$udf
version carols --seed carol --devices 1
carol=$udf
: >"$config/meshkeys.conf"

# The first line on a host that has none.
rm -rf "$config"
map add alice "$alice"
ok "add: done" said 0 "^'alice' is added to /etc/meshkeys/map"
ok "add: the line" is "alice $alice"
ok "add: modes" [ "$(stat -c '%U %a' "$config" "$config/map" \
    "$config/.lock" | tr '\n' ' ')" = 'root 755 root 644 root 600 ' ]
ok "add: logged" logged map-add "alice udf=$alice"
ok "add: shows when the profile was signed" said 0 "$alice, signed 20"
ok "add: shows its devices, cleaned" said 0 '1 key  lap\?\[31mtop'
helper_run alice
ok "add: a login has her keys" decided 2
map add alice "$alice"
ok "add: the same again" refused 65 'has this fingerprint already: .*map:1'
ok "add: the line stands once" is "alice $alice"

# Fingerprints as people have them.
empty
bare=$(echo "$alice" | tr -d -)
for typed in "$bare" "$(echo "$alice" | tr '[:upper:]' '[:lower:]')" \
    "$(echo "$alice" | tr - ' ')" " $alice "; do
	map add alice "$typed"
	ok "typed: '$typed'" is "alice $alice"
	empty
done
# shellcheck disable=SC2046 # words
map add alice $(echo "$alice" | tr - ' ') when-stale=deny
ok "typed: in pieces, with an option" is "alice $alice when-stale=deny"
empty
map add alice "$(echo "$alice" | sed 's/.$/0/')"
ok "a digit that cannot be: 64" refused 64 'digit 0 never stands'
ok "a digit that cannot be: pointed at" grep -Eq '^ {38}\^$' "$t/err"
map add alice "${alice%?}"
ok "a letter missing" refused 64 '1 letter missing'
map add alice "${alice}AA"
ok "letters too many" refused 64 '2 letters too many'
map add alice "R${alice#M}"
ok "not of a key" refused 65 'not the fingerprint of a key'
map add alice MB5S-R4AJ-3FBT-7NHO-T26Z-2E6Y-WFH4
ok "of another Mesh" refused 64 'groups of four'
ok "nothing was written" not test -e "$config/map"
last=A
[ "${alice#"${alice%?}"}" != A ] || last=B
other=${alice%?}$last
map add alice "$other"
ok "a wrong letter that may be: warned" said 0 'warning: no profile of this'
ok "a wrong letter that may be: how to fetch" said 0 \
    "run: meshkeys refresh alice"
ok "a wrong letter that may be: no device" not said 0 '1 key'

# The set in the cache is no good.
empty
cp "$cache/$alice.json" "$t/good"
sed -i 's/"signature":"..../"signature":"AAAA/' "$cache/$alice.json"
map add alice "$alice"
ok "a forged set in the cache: warned" said 0 'warning: the set in the cache'
cp "$t/good" "$cache/$alice.json"

# What else is known of the user.
empty
map add dave "$alice"
ok "no account: warned" said 0 "warning: 'dave' has no account"
map add root "$alice"
ok "root: warned" said 0 "warning: 'root' is uid 0"
map add sshd "$alice"
ok "a system account: warned" said 0 "warning: 'sshd' is a system account"
map add alice "$alice"
ok "a user: no warning" not said 0 warning
map add alice "$bob"
ok "a second profile: that the first stays" said 0 \
    "'alice' already has $alice in .*map:4, which stays"
helper_run alice
ok "a second profile: both count" in_log "$bob"

# Dashes and options.
empty
map add deploy -
ok "a dash" said 0 "'deploy' has no Mesh keys here"
ok "a dash: the line" is 'deploy -'
map add deploy "$alice"
ok "beside a dash" refused 65 'a dash in .*map:1$'
map add alice - when-stale=deny
ok "a dash takes no options" refused 64 'takes no options'
empty
map add root -
ok "a dash for root: makes nobody root" not said 0 'uid 0'
map check
ok "a dash for root: nor does check say so" not said 0 'uid 0'
empty
map add alice "$alice" 'options=restrict,from="192.0.2.0/24"' portal=none
ok "options: quoted" is \
    "alice $alice \"options=restrict,from=\\\"192.0.2.0/24\\\"\" portal=none"
as_akc "$helper" alice >"$t/out" 2>&1
ok "options: in each line" [ "$(grep -c '^restrict,from="192.0.2.0/24" ' \
    "$t/out")" -eq 2 ]
map add deploy "$alice" nonsense=1
ok "an unknown option" refused 64 "'nonsense=1' is not portal="
map add deploy "$alice" when-stale=deny when-stale=deny
ok "an option twice" refused 64 'stands twice'
map add deploy "$alice" "portal=https://a/
mallory $alice"
ok "an option with a line feed" eval \
    '[ "$rc" -ne 0 ] && ! grep -q mallory "$config/map"'

# Names.
empty
for name in user@corp 'a b' -rf .hidden 50% "it's" 'a/b' "$(printf \
    '\303\274nal')" '"quoted"' 'back\slash' '#' "$(printf 'c\001')"; do
	map add -- "$name" "$alice"
	ok "name '$name': added" said 0 'is added to'
	helper_run -- "$name"
	ok "name '$name': logs in" decided 2
	map list -- "$name"
	ok "name '$name': listed" said 0 "$alice"
	map remove -- "$name"
	ok "name '$name': removed" said 0 '^1 line of'
done
ok "names: nothing is left" is ''
map add a:b "$alice"
ok "a colon: 64" refused 64 'user name has 1 to'
map add '' "$alice"
ok "no name: 64" refused 64 'user name has 1 to'
map add "$(printf '%0257d' 1)" "$alice"
ok "a name of 257 bytes: 64" refused 64 'user name has 1 to'
map add "$(printf 'a\nmallory')" "$alice"
ok "a name with a line feed: 64" refused 64 'user name has 1 to'
printf '%0900d:x:3000:3000:a,,,,mesh=%s:/:/bin/sh\n' 1 "$alice" \
    >>/etc/passwd
map list
ok "a line of passwd with a name of 900 bytes is nobody's" \
    eval '[ "$rc" -eq 0 ] && [ ! -s "$t/out" ]'

# The command that is told where another line is in the way.
empty
for name in alice 'a b' "it's" -x "$(printf '\303\274 $x`%%"')"; do
	map add -- "$name" -
	map add -- "$name" "$alice"
	ok "in the way of '$name': refused" refused 65 '^run first: meshkeys'
	sh -c "$(sed -n 's/^run first: //p' "$t/err")" >"$t/out" 2>&1
	ok "in the way of '$name': removed by that command" is ''
done

# The command that import tells for a user who is not mapped.
empty
for name in alice 'a b' "it's" -x "$(printf '\303\274 $x`%%"')"; do
	rm -f "$config/map"
	meshkeys import -- "$cache/$alice.json" "$name" >"$t/out" 2>"$t/err"
	sh -c "$(grep '^    meshkeys map add ' "$t/err")" >/dev/null 2>&1
	map list -- "$name"
	ok "the command of import adds '$name'" said 0 "$alice"
done

# Files as others leave them.
printf '# people\n\nbob -\n  # indented\ncarol -' >"$config/map"
map add alice "$alice"
ok "comments, order, and no line feed at the end" is "# people

bob -
  # indented
carol -
alice $alice"
printf 'bob -\r\ncarol -\r\n' >"$config/map"
map add alice "$alice"
ok "DOS line ends: 78" refused 78 'map:1: DOS line end; run: sed'
repair=$(sed 's/.*; run: //' "$t/err")
map check
ok "DOS line ends: check fails" said 2 'map:1: DOS line end'
sh -c "$repair"
map add alice "$alice"
ok "DOS line ends: repaired by that command" is "bob -
carol -
alice $alice"
printf '\357\273\277bob -\n' >"$config/map"
map add alice "$alice"
ok "a byte order mark: 78" refused 78 'map:1: a byte order mark; run: sed'
sh -c "$(sed 's/.*; run: //' "$t/err")"
map add alice "$alice"
ok "a byte order mark: repaired by that command" is "bob -
alice $alice"
mkdir "$config/users"
printf 'x\r\n' >"$config/users/a b"
map remove 'a b'
sh -c "$(sed 's/.*; run: //' "$t/err")"
ok "DOS line ends under an odd name: repaired by that command" \
    [ "$(cat "$config/users/a b")" = x ]
rm -r "$config/users"
chmod 666 "$config/map"
map add deploy "$alice"
ok "a map that others may write: 77" refused 77 'run: chmod go-w'
chmod 644 "$config/map"
mv "$config/map" "$t/elsewhere"
ln -s "$t/elsewhere" "$config/map"
map add deploy "$alice"
ok "a symbolic link: 77" eval '[ "$rc" -eq 77 ] &&
    ! grep -q deploy "$t/elsewhere"'
rm "$config/map"
echo "alice nonsense" >"$config/map"
map add alice "$alice"
ok "a bad line of hers: 78" refused 78 "map:1: 'nonsense' is not"
map remove alice
ok "a bad line of hers: removed" eval 'said 0 "^1 line" && is ""'

# One place that cannot be changed.
empty
mkdir "$config/users"
echo "$alice" >"$config/users/alice"
chmod 666 "$config/users/alice"
echo "alice $bob" >"$config/map"
map remove alice
ok "a file of users/ that others may write: 77" refused 77 'run: chmod go-w'
ok "and the map stays as well" is "alice $bob"

# Two at once, and killed.
empty
: >"$config/map"
for i in 1 2 3 4 5 6; do
	meshkeys map add "u$i" "$alice" >/dev/null 2>&1 &
	eval "pid$i=\$!"
done
for i in 1 2 3 4 5 6; do
	eval "wait \$pid$i"
done
ok "six at once all stay" [ "$(grep -c "^u[1-6] $alice\$" "$config/map")" \
    -eq 6 ]
whole=yes
for i in 1 2 3 4 5 6 7 8; do
	cp "$config/map" "$t/before"
	meshkeys map add "k$i" "$alice" >/dev/null 2>&1 &
	pid=$!
	sleep "0.00$i"
	kill -s KILL "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	echo "k$i $alice" | cat "$t/before" - >"$t/after"
	cmp -s "$config/map" "$t/before" || cmp -s "$config/map" "$t/after" ||
	    whole=no
done
ok "killed: the old or the new one" [ "$whole" = yes ]
map add last "$alice"
ok "killed: the next one goes on" said 0 'is added'
ok "killed: nothing is left there" [ -z "$(find "$config" -name '.mk-*')" ]

# Where it does not count.
empty
echo 'identity passwd' >"$config/meshkeys.conf"
echo 'bob -' >"$config/map"
map add alice "$alice"
ok "identity without map: taken back" refused 78 'does not list map'
ok "identity without map: as it was" is 'bob -'
map check
ok "identity without map: check warns" said 1 'does not count'
: >"$config/meshkeys.conf"

# Users in two places.
empty
mkdir "$config/users"
echo "$alice" >"$config/users/alice"
printf 'bob -\nalice %s\n' "$carol" >"$config/map"
map add alice "$bob"
ok "users/ and map: refused" refused 65 'named elsewhere, in .*map:2'
map check
ok "users/ and map: check names which decides" said 1 \
    "map:2: this line does not count: 'alice' is named in .*users/alice"
map list alice
ok "users/ and map: list has both" eval \
    'said 0 "$alice +/etc/meshkeys/users/alice:1" &&
    said 0 "$carol +/etc/meshkeys/map:2 +not used"'
map remove alice
ok "users/ and map: removed from both" eval \
    'said 0 "^2 lines" && is "bob -" && [ ! -e "$config/users/alice" ]'
map add deploy "$alice"
ok "a map with lines: added there" grep -q "^deploy $alice" "$config/map"
rm "$config/map"
map add alice "$alice"
ok "users/ and no map: a file of hers" [ "$(cat "$config/users/alice")" = \
    "$alice" ]
map add alice "$bob" when-stale=deny
ok "users/: a second line" grep -q "^$bob when-stale=deny" \
    "$config/users/alice"
map remove alice "$alice"
ok "users/: one of two removed" [ "$(cat "$config/users/alice")" = \
    "$bob when-stale=deny" ]
ok "users/: what is left is told" said 0 "still has 1 profile"

# GECOS.
empty
if [ -x /usr/sbin/usermod ]; then
	map add --gecos alice "$alice"
	ok "--gecos: added" said 0 'is added to /etc/passwd'
	ok "--gecos: other subfields stay" grep -q \
	    "^alice:x:1001:1001:Alice,,,,mesh=$alice:" /etc/passwd
	helper_run alice
	ok "--gecos: a login has her keys" decided 2
	map add alice "$alice"
	ok "--gecos: then not in the map" refused 65 \
	    'named elsewhere, in /etc/passwd:6'
	map add --gecos alice "$bob"
	ok "--gecos: there is room for one" refused 65 'is not empty'
	map list
	ok "--gecos: listed" said 0 "$alice +/etc/passwd:6"
	map remove alice
	ok "--gecos: remove names it" refused 66 'map remove --gecos alice'
	echo "alice $bob" >"$config/map"
	map check
	ok "--gecos: and map: the map decides" said 1 \
	    "passwd:6: this line does not count: .*in /etc/meshkeys/map"
	rm "$config/map"
	map remove --gecos alice "$bob"
	ok "--gecos: remove another profile" refused 66 'names no such'
	map remove --gecos alice
	ok "--gecos: removed" eval 'said 0 "^1 line" &&
	    grep -q "^alice:x:1001:1001:Alice,,,:" /etc/passwd'
	echo 'identity map' >"$config/meshkeys.conf"
	map add --gecos alice "$alice"
	ok "--gecos: where passwd does not count: taken back" eval \
	    'refused 78 "does not list passwd" &&
	    grep -q "^alice:x:1001:1001:Alice,,,:" /etc/passwd'
	: >"$config/meshkeys.conf"
	printf '#!/bin/sh\n' >"$t/usermod"
	chmod 755 "$t/usermod"
	mount --bind "$t/usermod" /usr/sbin/usermod
	map add --gecos alice "$alice"
	umount /usr/sbin/usermod
	ok "--gecos: a usermod that does nothing is seen" refused 71 \
	    'a login would not find that profile'
	echo "deploy $alice" >"$config/map"
	map add --gecos deploy "$alice"
	ok "--gecos: named in the map" refused 65 'named elsewhere.*map:1'
	sed -i 's/^alice:x:1001:1001:[^:]*:/alice:x:1001:1001:a,b,c,d,e:/' \
	    /etc/passwd
	map add --gecos alice "$alice"
	ok "--gecos: something else is there" refused 65 "is not empty: 'e'"
	odd=$(printf 'a\001')
	sed -i "s/^alice:x:1001:1001:[^:]*:/alice:x:1001:1001:$odd:/" \
	    /etc/passwd
	map add --gecos alice "$alice"
	ok "--gecos: what usermod would refuse" refused 65 \
	    'control character 0x01'
else
	skip "--gecos" "usermod is missing"
fi
map add --gecos nobodyhere "$alice"
ok "--gecos: no account" refused 66 'has no line in'
map add --gecos alice -
ok "--gecos: a dash" refused 64 'room for a fingerprint only'
map add --gecos --root / alice "$alice"
ok "--gecos: below a root" refused 64 'knows no --root'

# What nobody has seen is not done.
rc=0
meshkeys help >/dev/full 2>"$t/err" || rc=$?
ok "help that cannot be written: 71" [ "$rc" -eq 71 ]

# As programs read it.
empty
map add --json alice "$alice" when-stale=deny
ok "json: add" json 'o["command"] == "map add" and o["user"] == "alice" and
    o["udf"] == "'"$alice"'" and o["file"] == "/etc/meshkeys/map" and
    len(o["profile"]["devices"]) == 2 and o["warnings"] == []'
map add --json dave "$bob"
ok "json: add with warnings" json 'o["profile"] is None and
    len(o["warnings"]) == 2'
map list --json
ok "json: list" json '[l["user"] for l in o["lines"]] == ["alice", "dave"]
    and o["lines"][0]["options"] == ["when-stale=deny"] and
    o["lines"][0]["line"] == 1 and o["bad-lines"] == 0'
map check --json
ok "json: check" json 'o["failures"] == 0 and o["warnings"] == 1 and
    o["findings"][0]["level"] == "warning"'
map remove --json dave
ok "json: remove" json 'o["removed"] == 1'
map remove dave
ok "remove: nobody: 66" refused 66 'has such a line'
map list dave
ok "list: nobody: 66" refused 66 'no source names'
map add --root "$t/nowhere" alice "$alice"
ok "--root: no such directory: 78" refused 78 'no such directory'
mkdir -p "$t/root"
map add --root "$t/root" alice "$alice"
ok "--root: no /etc: 78" refused 78 "there is no '$t/root/etc'"
mkdir -p "$t/root/etc"
map add --root "$t/root" alice "$alice"
ok "--root: added" said 0 "is added to $t/root/etc/meshkeys/map"
mkdir -p "$t/a root/etc"
map add --root "$t/a root" alice -
map add --root "$t/a root" alice "$alice"
ok "--root: the command has it" grep -q \
    "^run first: meshkeys map remove --root '$t/a root' alice\$" "$t/err"
cp "$config/map" "$t/before"
for file in map meshkeys.conf; do
	printf 'log-level -\r\n' | tee "$config/$file" \
	    >"$t/a root/etc/meshkeys/$file"
	map check --root "$t/a root"
	sh -c "$(sed -n 's/.*; run: //p' "$t/out" "$t/err")"
	ok "--root: the command repairs its $file and not the host's" eval \
	    '[ "$(wc -c <"$config/$file")" -eq 13 ] &&
	    [ "$(cat "$t/a root/etc/meshkeys/$file")" = "log-level -" ]'
	rm "$config/$file"
done
cp "$t/before" "$config/map"
: >"$config/meshkeys.conf"
map list --root "$t/root"
ok "--root: listed" said 0 "$t/root/etc/meshkeys/map:1"

# Everybody may look, and root alone may write.
rc=0
as_akc /run/bin/meshkeys map list >"$t/out" 2>"$t/err" || rc=$?
ok "somebody else may list" said 0 "$alice"
rc=0
as_akc /run/bin/meshkeys map add deploy "$alice" >"$t/out" 2>"$t/err" ||
    rc=$?
ok "somebody else may not add" refused 77 'run: sudo meshkeys map add'

# check
empty
cat >"$config/map" <<-END
alice $alice
alice $alice
bob $bob
carol nonsense
erin $bob
deploy $alice x=y
END
map check
ok "check: fails" [ "$rc" -eq 2 ]
ok "check: a line twice" said 2 'FAIL +.*map:2: the same fingerprint twice'
ok "check: no fingerprint" said 2 "FAIL +.*map:4: 'nonsense' is not a"
ok "check: a bad option" said 2 "FAIL +.*map:6: 'x=y' is not"
ok "check: no account" said 2 "warn +.*map:3: 'bob' has no account"
ok "check: one profile of two is a note" said 2 \
    "note +$bob is the profile of 2 users: bob, erin"
cp "$config/map" "$t/before"
map check --split
ok "--split: not with a failure" eval \
    'said 2 "nothing was moved" && cmp "$t/before" "$config/map" &&
    [ ! -d "$config/users" ]'
chmod 666 "$config/map"
map check
ok "check: a map that others may write" said 2 'FAIL +.*run: chmod go-w'

# Users whom the passwd file does not name.
empty
awk -v a="$alice" 'BEGIN { for (i = 1; i <= 1500; i++) print "u" i, a }' \
    >"$config/map"
map check
ok "check: no account, of those who were asked for" said 1 \
    'warn +and 980 more of users without account'
ok "check: it is not known, of the others" said 1 'note +of 500 users it is'

# A large map with one wrong line.
empty
awk -v a="$alice" 'BEGIN {
	for (i = 1; i <= 100000; i++)
		print "user" i, i == 70001 ? "MAFFA-WRONG" : a
}' >"$config/map"
awk 'BEGIN {
	for (i = 1; i <= 100000; i++)
		print "user" i ":x:" 100000 + i ":100::/:/bin/sh"
}' >>/etc/passwd
map check
ok "100,000 lines: exactly the wrong one" eval \
    'said 2 "map:70001: .MAFFA-WRONG. is not" &&
    [ "$(grep -c FAIL "$t/out")" -eq 1 ] && ! grep -q "^warn" "$t/out"'
map list
ok "100,000 lines: listed" eval \
    '[ "$(grep -c "$alice" "$t/out")" -eq 99999 ] &&
    said 0 "^1 line that cannot be used"'
map list --json
ok "100,000 lines: listed for programs" json 'len(o["lines"]) == 99999 and
    o["bad-lines"] == 1'
map remove user70001
ok "100,000 lines: the wrong one removed" said 0 '^1 line of'
map add user70001 "$alice" when-stale=deny
ok "100,000 lines: added" said 0 'is added to /etc/meshkeys/map'
map check
ok "100,000 lines: all is well" said 0 '100000 users, 1 profile: 0 fail'

# Split.
sed -n '1,2000p' "$config/map" >"$t/part"
{ echo '# the site' && echo && cat "$t/part" && echo 'user1 -' ; } \
    >"$config/map"
map check --split
ok "--split: a user with two lines that cannot be" said 2 \
    "'-' beside other lines"
{ echo '# the site' && echo && echo '# the first' && cat "$t/part" &&
    echo "user1 $bob" && echo 'user@corp -'; } >"$config/map"
map check --split
ok "--split: moved, and checked again" said 1 '^2001 users moved'
ok "--split: comments stay" is '# the site'
ok "--split: a file each" [ "$(find "$config/users" -type f | wc -l)" -eq \
    2001 ]
ok "--split: both lines of one, and her comment" [ "$(cat \
    "$config/users/user1")" = "# the first
$alice
$bob" ]
ok "--split: names are encoded" [ "$(cat "$config/users/user%40corp")" = - ]
ok "--split: modes" [ "$(stat -c '%U %a' "$config/users" \
    "$config/users/user2" | tr '\n' ' ')" = 'root 755 root 644 ' ]
ok "--split: logged" logged map-check -
helper_run user2
ok "--split: a login has her keys" decided 2
map add alice "$alice"
ok "--split: more go there too" test -e "$config/users/alice"
echo "alice $bob" >>"$config/map"
map check --split
ok "--split: not over another file" refused 65 'nothing was moved'
ok "--split: the map stays" grep -q "^alice $bob" "$config/map"

# Killed at each call that changes something: nobody is ever lost, and the
# next one ends it.
# named WHERE: whether each of them is still tied to her profile.
named() {
	for user in alice deploy root; do
		meshkeys map list "$user" | grep -v 'not used' |
		    grep -q "^$user .*$alice .*$1" || return 1
	done
}

if strace -o /dev/null true 2>/dev/null; then
	lost= stuck=
	for call in mkdirat renameat fsync syncfs unlinkat; do
		for k in 1 2 3 4 5 6 7 8; do
			empty
			printf "%s $alice\n" alice deploy root >"$config/map"
			strace -f -qq -o /dev/null -e "trace=$call" \
			    -e "inject=$call:signal=KILL:when=$k" \
			    meshkeys map check --split >/dev/null 2>&1
			named . || lost="$lost $call:$k"
			meshkeys map check --split >/dev/null 2>&1
			named users || stuck="$stuck $call:$k"
			[ -z "$(find "$config" -name '.mk-*')" ] ||
			    stuck="$stuck $call:$k"
		done
	done
	empty
	echo "alice $alice" >"$config/map"
	(
		umask 077
		strace -f -qq -o /dev/null -e trace=umask \
		    -e inject=umask:signal=KILL:when=2 \
		    meshkeys map check --split >/dev/null 2>&1
	)
	ok "killed with a mask: logins may look into users/" \
	    [ "$(stat -c %a "$config/users")" = 755 ]
	ok "--split killed: nobody is lost" [ -z "$lost" ]
	ok "--split killed: the next one ends it" [ -z "$stuck" ]
else
	skip "--split killed" "strace cannot be used"
fi
finish
