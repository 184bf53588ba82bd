#!/bin/sh
# meshkeys: sets from files, and sets that the memory of a host keeps out
# and an administrator lets in.

. "$(dirname "$0")/tool-lib.sh"

alices() {
	which=$1
	shift
	version "$which" --seed alice --device X --device Y "$@"
}

lies() {
	holds "$1" && saw "$1" && has alice "$1"
}

# start NAME: a host that has seen that version, and nothing else.
start() {
	fresh_start
	tool import "$sets/$1.json" alice
	[ "$rc" -eq 0 ] || bail "import of '$1' failed"
	remember_listing
}

alices older --updated now-3h --description 'X=a\x1b[31mb'
alices other --updated now-3h --delete Y --device Z
alices now --updated now-2h --device Z
alices newer --updated now-1h --delete X --deleted 3
alices again --updated now-30m
alices expired --updated now-3h --expires now-1h
alices ahead --updated now+2d
alice=$udf
version bobs --seed bob --devices 1 --updated now-1h
bob=$udf
version old --legacy 2017 --seed old --device X
old=$udf
version old2 --legacy 2017 --seed old --device X --device Y
[ "$old" = "$udf" ] || bail 'two fingerprints of one seed'
echo "alice $alice" >"$config/map"
: >"$config/meshkeys.conf"
set=$cache/$alice.json
seen=$memory/$alice.seen
sed 's/"signature":"..../"signature":"AAAA/' "$sets/now.json" \
    >"$sets/forged.json"

# The command line.
tool
ok "no command: 64" complained 64 'which command'
ok "no command: the list" hinted '^  import '
tool nonsense
ok "an unknown command: 64" complained 64 "no command 'nonsense'"
ok "an unknown command: the list" hinted '^  accept '
tool help
ok "help" said 0 '^  import .*file'
tool --help
ok "--help" said 0 '^  accept '
tool help accept
ok "help of a command" said 0 'usage: meshkeys accept .--yes. USER'
tool import --help
ok "--help of a command" said 0 'usage: meshkeys import FILE USER'
tool help nonsense
ok "help of an unknown command: 64" complained 64 'no command'
tool --version
ok "--version" said 0 '^meshkeys [0-9]'
tool import "$sets/now.json"
ok "an argument is missing: 64" complained 64 'usage: meshkeys import'
tool import --yes "$sets/now.json" alice
ok "import asks nothing: 64" complained 64 \
    "import takes no option '--yes'"
tool import --nonsense "$sets/now.json" alice
ok "an unknown option: 64" complained 64 \
    "option '--nonsense' is not known"
tool import "$sets/now.json" ''
ok "no name of a user: 64" complained 64 'user name'

# import
fresh_start
tool import "$sets/now.json" alice
ok "import: updated" said 0 "^$alice: updated, signed 20.*Z, 3 devices, 3 keys"
ok "import: it lies here" lies now
ok "import: the files are meshkeys'" [ "$(stat -c '%U %G %a' "$set" \
    "$seen" "$memory/$alice.keys" | sort -u)" = 'meshkeys meshkeys 644' ]
ok "import: a line in the log" logged import "udf=$alice .*set=20"
tool import "$sets/now.json" alice
ok "import: the same again" said 0 "^$alice: is what was there, signed"
ok "import: still there" lies now
remember_listing
tool import "$sets/older.json" alice
ok "import: an older one is refused" complained 65 'older than the newest'
ok "import: and accept is named" hinted 'accept'
ok "import: the refusal is logged" logged import "udf=$alice"
tool import "$sets/forged.json" alice
ok "import: a forged one is refused" complained 65 'signature is wrong'
tool import "$sets/bobs.json" alice
ok "import: another's is refused" complained 65 "no set of a profile"
ok "import: with the reason of her profile" hinted "$alice: master: "
head -c 1000 "$sets/now.json" >"$t/half"
tool import "$t/half" alice
ok "import: half a set is refused" complained 65 "$alice: "
: >"$t/empty"
tool import "$t/empty" alice
ok "import: nothing at all is refused" complained 65 "$alice: "
tool import - alice
ok "import: nothing on standard input" complained 65 'standard input'
mkfifo "$t/fifo"
tool import "$t/fifo" alice
ok "import: a FIFO is not waited for" complained 77 'not a regular file'
tool import "$t" alice
ok "import: a directory" complained 77 'not a regular file'
tool import "$t/absent" alice
ok "import: no such file" complained 66 'No such file'
echo 'max-set 4096' >"$config/meshkeys.conf"
tool import "$sets/newer.json" alice
ok "import: larger than max-set" complained 65 'larger than max-set'
: >"$config/meshkeys.conf"
ok "import: all of that changed nothing" unchanged

log_sync
rc=0
cat "$sets/newer.json" | meshkeys --json import - alice >"$t/out" 2>"$t/err" ||
    rc=$?
ok "import: from a pipe" lies newer
ok "import: --json" json "o['command'] == 'import' and
    o['result'] == 'updated' and o['udf'] == '$alice' and
    o['devices'] == 1 and o['keys'] == 1 and o['user'] == 'alice'"
rm -f "$t/secret"
install -m 600 "$sets/again.json" "$t/secret"
chmod 700 /run/home/root
cp "$t/secret" /run/home/root/set.json
tool import /run/home/root/set.json alice
ok "import: what only root may read" eval 'said 0 updated && holds again'
ok "import: a deleted device stays so" eval \
    '[ "$(keys_of alice | wc -l)" -eq 1 ]'
rc=0
setpriv --reuid alice --regid alice --clear-groups meshkeys import \
    "$sets/now.json" alice >"$t/out" 2>"$t/err" || rc=$?
ok "import: by somebody else: 77" complained 77 'run this as root'

{
	echo "alice $bob"
	echo "alice $alice"
} >"$config/map"
fresh_start
tool import "$sets/now.json" alice
ok "import: several profiles, the second" said 0 "^$alice: updated"
tool import "$sets/bobs.json" alice
ok "import: several profiles, the first" said 0 "^$bob: updated"
tool import "$sets/old.json" alice
ok "import: several profiles, neither" eval 'complained 65 "$alice: " &&
    hinted "$bob: "'
echo "alice $alice" >"$config/map"
remember_listing
tool import "$sets/bobs.json" deploy
ok "import: a user who is not mapped: 66" complained 66 'no profile'
ok "import: the fingerprint to compare" eval 'hinted "$bob" &&
    hinted "compare all 35"'
ok "import: nothing was written" unchanged
sh -c "$(grep "^    meshkeys map add" "$t/err")" >/dev/null
tool import "$sets/bobs.json" deploy
ok "import: by that line she is mapped" said 0 "^$bob: is what was there"
echo "alice $alice" >"$config/map"
tool import "$sets/forged.json" deploy
ok "import: of a forged set no fingerprint is shown" eval \
    'complained 66 "deploy FINGERPRINT" && ! hinted "$alice"'
echo "deploy -" >>"$config/map"
tool import "$sets/bobs.json" deploy
ok "import: a dash in the map is final" eval \
    'complained 66 "by order" && ! hinted "$bob"'
start now
echo damaged >"$seen"
remember_listing
tool import "$sets/newer.json" alice
ok "import: a damaged memory: 71" complained 71 'damaged'
ok "import: and it stays as it is" unchanged
echo 'nonsense' >"$config/meshkeys.conf"
tool import "$sets/newer.json" alice
ok "import: a bad configuration: 78" complained 78 'nonsense'
: >"$config/meshkeys.conf"

# accept
start newer
tool accept alice
ok "accept: nothing to accept" said 0 'nothing to accept'
ok "accept: and the program for what is new" said 0 'mesh-refresh alice'
tool accept alice "$sets/again.json"
ok "accept: a newer set needs no accepting" said 0 'nothing to accept'
tool accept alice "$sets/older.json"
ok "accept: without a terminal: 64" eval \
    '[ "$rc" -eq 64 ] && hinted "add --yes"'
ok "accept: what was seen" said 64 '^seen:     signed 20'
ok "accept: how much older" said 64 'it is 2 hours OLDER'
ok "accept: a deleted device is marked" eval \
    'grep -A1 "  + M" "$t/out" | grep -q "DELETED earlier, and stays"'
ok "accept: one that is there in both" said 64 '^    M.*1 key'
ok "accept: text of a set is cleaned" eval \
    'said 64 "a.\[31mb" && ! grep -q "[^[:print:]]" "$t/out"'
ok "accept: deletions are counted" said 64 '^deleted:  4 devices .* 0 that'
ok "accept: nothing was changed" unchanged
tool --json accept alice "$sets/older.json"
ok "accept: --json does not accept either" eval \
    '[ "$rc" -eq 64 ] && unchanged'
ok "accept: --json" json "o['accepted'] is False and
    sorted((d['change'], d['deleted'], d['keys']) for d in o['devices']) ==
    [('added', True, 1), ('same', False, 1)] and
    'older' in o['reason'] and o['deletions-remembered'] == 4 and
    o['seen']['signed'] > o['offered']['signed']"
tool accept --yes alice "$sets/older.json"
ok "accept: --yes" said 0 '^accepted'
ok "accept: cache and memory" eval 'holds older && saw older'
ok "accept: deletions stay" [ "$(grep -c '^deleted' "$seen")" -eq 4 ]
ok "accept: no key of the deleted device" eval \
    '[ "$(keys_of alice | wc -l)" -eq 1 ]'
ok "accept: a line in the log" logged accept \
    "udf=$alice seen=20.* set=20"
tool import "$sets/now.json" alice
ok "accept: what is newer than it is taken again" said 0 updated

start other
tool accept --yes alice "$sets/older.json"
ok "accept: the same time, another content" eval \
    'said 0 "of the same time" && saw older'
ok "accept: a device that comes and one that goes" eval \
    'said 0 "  \+ M" && said 0 "  - M"'
ok "accept: deletions of what was there stay" grep -q '^deleted' "$seen"

start now
for bad in expired ahead forged; do
	tool accept --yes alice "$sets/$bad.json"
	ok "accept: $bad stays out" eval '[ "$rc" -eq 65 ] && unchanged'
done
tool accept --yes alice "$sets/bobs.json"
ok "accept: another's stays out" eval '[ "$rc" -eq 65 ] && unchanged'
tool accept --yes deploy
ok "accept: a user without Mesh keys" complained 66 'by order'
tool accept --yes nobody
ok "accept: a user who is not mapped" complained 66 'FINGERPRINT'

# The set in the cache.
start newer
put "$sets/older.json" "$set"
ok "cache: no login" shut alice 65
tool accept --yes alice
ok "cache: accepted" eval "said 0 \"in 'the cache'\" && saw older"
ok "cache: logins again" [ "$(keys_of alice | wc -l)" -eq 1 ]

# A portal that is a directory, or one on the network.
echo "portal file:$portal" >"$config/meshkeys.conf"
start newer
serve older
refresh
ok "portal: mesh-refresh refuses it" refused 'older'
tool accept --yes alice
ok "portal: accepted" eval 'said 0 "file:" && saw older && holds older'
refresh
ok "portal: and current from then on" ended 0 current=1
serve again
tool accept --yes alice
ok "portal: what is newer needs no accepting" said 0 'nothing to accept'
rm "$portal/$alice.json"
tool accept --yes alice
ok "portal: it has none" complained 66 'no such profile'
echo "portal https://portal.example/a'b" >"$config/meshkeys.conf"
remember_listing
tool accept --yes alice
ok "network: 66" complained 66 'has no network'
url="https://portal.example/a'.''b/.well-known/mmm/$alice.json"
ok "network: the command that fetches" hinted \
    "curl -fsS -o $alice.json '$url'\$"
ok "network: the command that accepts then" hinted \
    "meshkeys accept alice $alice.json"
ok "network: nothing was changed" unchanged
: >"$config/meshkeys.conf"

# Pinned sets.
echo "alice $old" >"$config/map"
fresh_start
tool import "$sets/old.json" alice
ok "pinned: at first sight" said 0 'pinned from now on'
tool import "$sets/old2.json" alice
ok "pinned: other content stays out" complained 65 'pinned'
tool accept --yes alice "$sets/old2.json"
ok "pinned: accepted" eval 'said 0 "^accepted" && holds old2 "$old" &&
    has alice old2'
ok "pinned: a device came" said 0 '^  \+ M'
tool import "$sets/old.json" alice
ok "pinned: and now the first one stays out" complained 65 'pinned'
echo "alice $alice" >"$config/map"

# A damaged memory.
start newer
echo damaged >"$seen"
ok "damaged: no login" shut alice 71
tool accept alice "$sets/again.json"
ok "damaged: is told loudly" said 64 'deletions it knew are LOST'
tool accept --yes alice
ok "damaged: accepted" eval 'said 0 "^accepted" && lies newer'
ok "damaged: what the cache knows of deletions stays" \
    [ "$(grep -c '^deleted' "$seen")" -eq 4 ]
head -c 70000 /dev/zero >"$seen"
tool accept --yes alice "$sets/now.json"
ok "damaged: too large, and another set" eval 'said 0 "^accepted" &&
    saw now && [ "$(grep -c "^deleted" "$seen")" -eq 4 ]'
rm "$seen"
mkdir "$seen"
remember_listing
tool accept --yes alice "$sets/older.json"
ok "what is no file is not replaced" eval '[ "$rc" -eq 77 ] && unchanged'
rmdir "$seen"

# Other trouble with the memory, and none at all.
start newer
put "$sets/bobs.seen" "$seen"
tool accept alice
ok "a memory of another master key" eval 'said 64 "ANOTHER MASTER KEY" &&
    said 64 "another master key for a fingerprint"'
tool accept --yes alice
ok "a memory of another master key: replaced" eval \
    'said 0 "^accepted" && lies newer'
start newer
echo "alice $alice not-before=2199-01-01T00:00:00Z" >"$config/map"
tool accept alice "$sets/older.json"
ok "not-before is told" said 64 "'not-before' keeps the offered"
echo "alice $alice" >"$config/map"
fresh_start
tool accept alice
ok "neither set nor portal: 66" complained 66 'name the file'
tool accept alice "$sets/older.json"
ok "a host that has seen nothing" said 0 'nothing to accept'

# One keeper at a time.
hold() {
	(
		flock 8
		sleep 15
	) 8>>"$memory/.lock" 9>&- &
	holder=$!
	wait_for not flock -n "$memory/.lock" true
}

start newer
hold
tool accept --yes alice "$sets/older.json"
ok "another keeper at work: 75" eval '[ "$rc" -eq 75 ] && unchanged'
wait "$holder"

# asked ANSWER [COMMAND...]: on a terminal; the command runs while the
# question stands.
asked() {
	answer=$1
	shift
	rm -f "$t/typed"
	mkfifo "$t/typed"
	: >"$t/out"
	: >"$t/err"
	timeout 30 script -qec "meshkeys accept alice $sets/older.json" \
	    /dev/null <"$t/typed" >"$t/out" 2>&1 &
	asked_pid=$!
	exec 9>"$t/typed"
	wait_for grep -q 'Accept this set' "$t/out"
	"$@"
	echo "$answer" >&9
	rc=0
	wait "$asked_pid" || rc=$?
	exec 9>&-
}

if command -v script >/dev/null 2>&1; then
	start newer
	asked n true
	ok "asked: no" eval '[ "$rc" -eq 65 ] && unchanged'
	asked '' true
	ok "asked: just a line feed is a no" eval \
	    '[ "$rc" -eq 65 ] && unchanged'
	asked y put "$sets/again.json" "$set"
	ok "asked: the cache changed meanwhile: 75" eval \
	    '[ "$rc" -eq 75 ] && holds again'
	start newer
	asked y put "$sets/again.seen" "$seen"
	ok "asked: the memory changed meanwhile: 75" eval \
	    '[ "$rc" -eq 75 ] && saw again && holds newer'
	start newer
	asked y tool import "$sets/again.json" alice
	ok "asked: both changed meanwhile: 75" eval \
	    '[ "$rc" -eq 75 ] && holds again && saw again'
	start newer
	asked y hold
	ok "asked: another keeper at work: 75" eval \
	    '[ "$rc" -eq 75 ] && unchanged'
	wait "$holder"
	asked yes true
	ok "asked: yes" eval 'said 0 accepted && saw older && holds older'
else
	skip "asked" "script is missing"
fi

# Below another root.
mkdir -p "$t/root/etc/meshkeys" "$t/root/var/cache/meshkeys" \
    "$t/root/var/lib/meshkeys"
chown meshkeys:meshkeys "$t/root/var/cache/meshkeys" \
    "$t/root/var/lib/meshkeys"
tool --root "$t/root" import "$sets/now.json" alice
ok "--root: the map of that one" hinted \
    "meshkeys map add --root '$t/root' alice $alice"
echo "alice $alice" >"$t/root$config/map"
tool import --root "$t/root" "$sets/now.json" alice
ok "--root: by the owner of its cache" eval 'said 0 updated &&
    [ "$(stat -c %U "$t/root$set")" = meshkeys ]'
finish
