#!/bin/sh
# meshkeys status: what a login makes of each profile, as a table, as an
# object, and as a text file for Prometheus.  meshkeys refresh.

. "$(dirname "$0")/tool-lib.sh"

: >"$config/meshkeys.conf"
prom=$t/prom/meshkeys.prom
mkdir "$t/prom"

# Reads the text exposition format as its specification has it, and gives the
# samples as the dictionary p: (name, user) or name to a number.
cat >"$t/prom.py" <<'END'
import re, sys

LINE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)\Z')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|\Z)')

def labels(text):
    found, at = {}, 0
    while at < len(text):
        m = LABEL.match(text, at)
        assert m, text
        assert m[1] not in found, text
        found[m[1]] = re.sub(r'\\(.)', lambda e: '\n' if e[1] == 'n'
                             else e[1], m[2])
        at = m.end()
    return found

def parse(path):
    data = open(path, 'rb').read().decode('ascii')
    assert data.endswith('\n')
    samples, kinds, helps, done, current = {}, {}, {}, set(), None
    for line in data[:-1].split('\n'):
        if line.startswith('# '):
            word, name, rest = line[2:].split(' ', 2)
            assert word in ('HELP', 'TYPE'), line
            table = helps if word == 'HELP' else kinds
            assert name not in table and name not in done, line
            table[name] = rest
            assert word == 'HELP' or rest == 'gauge', line
            continue
        m = LINE.match(line)
        assert m, line
        name, inner, value = m.groups()
        assert name in kinds and name in helps, line
        if name != current:
            assert name not in done, line
            done.add(name)
            current = name
        tags = labels(inner) if inner else {}
        key = (name, *sorted(tags.items()))
        assert key not in samples, line
        samples[key] = float(value)
    return samples

s = parse(sys.argv[1])
p = {}
for (name, *tags), value in s.items():
    tags = dict(tags)
    p[(name, tags.get('user', tags.get('state'))) if tags else name] = value
n = len(s)
sys.exit(not eval(sys.argv[2]))
END

metrics() {
	python3 "$t/prom.py" "$prom" "$1"
}

# row USER PATTERN: of the table.
row() {
	grep -E -e "^$1 " "$t/out" | grep -Eq -e "$2"
}

for seed in alice bob carol mallory; do
	version "$seed" --seed "$seed" --device X --device Y --host H \
	    --updated now-2h
	eval "$seed=\$udf"
done
version expiring --seed bob --updated now-1h --expires now+2d
version forged0 --seed carol --updated now-1h
sed 's/"signature":"..../"signature":"AAAA/' "$sets/forged0.json" \
    >"$sets/forged.json"
version old --legacy 2017 --seed old --device X
old=$udf

tool status
ok "status: nobody" eval 'said 0 "^0 profiles: 0 fresh"'
tool status --textfile "$prom"
ok "status: nobody, in numbers" eval '[ "$rc" -eq 0 ] &&
    metrics "p[\"meshkeys_profiles\"] == 0"'

{
	echo "alice $alice"
	echo "deploy $alice"
	echo "bob $bob"
} >"$config/map"
put "$sets/alice.json" "$cache/$alice.json"
put "$sets/expiring.json" "$cache/$bob.json"
tool status
ok "status: fresh" eval '[ "$rc" -eq 0 ] && [ ! -s "$t/err" ]'
ok "status: a profile of two users" row alice \
    "^alice \+1 +$alice 3 +2 +20..-..-.. - +[0-9]+s +fresh"
ok "status: when it expires" row bob \
    "^bob +$bob 2 +2 +20..-..-.. 20..-..-.. .*fresh"
ok "status: totals" said 0 \
    '^2 profiles: 2 fresh, 0 stale, .* 0 never fetched, .*; 5 devices, 4 keys'
tool --json status
ok "status: --json" json "o['fresh'] == 2 and o['bad-lines'] == 0 and
    [(p['user'], p['users'], p['state'], p['keys'], p['devices'])
    for p in o['profiles']] == [('alice', 2, 'fresh', 2, 3),
    ('bob', 1, 'fresh', 2, 2)] and o['profiles'][0]['expires'] is None and
    o['profiles'][1]['expires'] > o['profiles'][1]['signed'] and
    o['profiles'][0]['reason'] is None and o['profiles'][0]['age'] >= 0"

# Stale, by the configuration and by a line of the map.
touch -d '2 hours ago' "$cache/$alice.json"
tool status
ok "status: stale is a warning" eval '[ "$rc" -eq 1 ] && row alice "2h +stale"'
touch -d '8 days ago' "$cache/$alice.json"
tool status
ok "status: too stale is a failure" eval \
    '[ "$rc" -eq 2 ] && row alice "8d +too-stale" &&
    said 2 "^    freshness: no portal has confirmed"'
touch -d '2 hours ago' "$cache/$alice.json"
sed -i "s/^alice.*/& when-stale=deny/" "$config/map"
tool status
ok "status: an option of her line" eval \
    '[ "$rc" -eq 2 ] && row alice too-stale && row bob fresh'
sed -i 's/ when-stale=deny//; s/^deploy.*/& when-stale=deny/' "$config/map"
tool status
ok "status: an option of another user's line" eval \
    '[ "$rc" -eq 1 ] && row alice stale'
sed -i 's/ when-stale=deny//' "$config/map"
chmod 750 "$cache"
tool status
ok "status: a cache that the helper cannot read" eval \
    '[ "$rc" -eq 2 ] && row alice failed && said 2 "chmod a.rx $cache"'
chmod 755 "$cache"
touch -d tomorrow "$cache/$alice.json"
tool status
ok "status: a time in the future" eval \
    '[ "$rc" -eq 1 ] && row alice "future +stale"'

# Never fetched, forged, a damaged memory, a bad line, a refusal.
touch "$cache/$alice.json"
{
	echo "carol $carol"
	echo "mallory $mallory"
	echo 'dave nonsense'
	echo "o\\'brien $old"
	echo "%22%5C%C3%A9 $old"
} >>"$config/map"
echo "erin M" >>"$config/map"
put "$sets/forged.json" "$cache/$carol.json"
put "$sets/old.json" "$cache/$old.json"
tool status
ok "status: failures" [ "$rc" -eq 2 ]
ok "status: forged" eval 'row carol "- +- +- +- .*refused" &&
    said 2 "^    personal: the signature is wrong"'
ok "status: never fetched" eval 'row mallory "- +- +- +- +- +missing" &&
    said 2 "^    cache: no profile set"'
ok "status: of 2017" eval 'grep "$old" "$t/out" | grep -Eq "1 +1 +- +- .*fresh"'
ok "status: bad lines" said 2 'bad lines? skipped; run: meshkeys map check'
ok "status: printable" eval '! grep -q "[^[:print:]]" "$t/out"'
echo damaged >"$memory/$bob.seen"
chmod 644 "$memory/$bob.seen"
echo "portal file:$portal" >"$config/meshkeys.conf"
serve forged "$carol"
refresh
tool status
ok "status: a damaged memory" eval 'row bob failed && said 2 "seen: "'
ok "status: the last refusal" said 2 \
    '^    last refusal 20..-..-..T..:..:..Z: the signature is wrong'
ok "status: the last failure" said 2 \
    '^    last failure 20.*no such profile in'
tool --json status
ok "status: failures with --json" json "o['missing'] == 1 and
    o['refused'] == 1 and o['failed'] == 1 and o['bad-lines'] >= 2 and
    {p['user']: p['state'] for p in o['profiles']}['carol'] == 'refused' and
    [(p['refused'], p['problem-time'] > '20') for p in o['profiles']
    if p['user'] in ('carol', 'mallory')] == [(True, True), (False, True)]"
cp "$t/out" "$t/json"
tool status --textfile "$prom"
ok "text file: the status is the same" eval '[ "$rc" -eq 2 ] &&
    [ ! -s "$t/out" ] && [ ! -s "$t/err" ]'
ok "text file: by root, and for everybody" [ "$(stat -c '%U %a' \
    "$prom")" = 'root 644' ]
ok "text file: nothing beside it" [ "$(ls -A "$t/prom")" = meshkeys.prom ]
ok "text file: well-formed" metrics "n > 20"
ok "text file: the numbers" metrics "(p['meshkeys_profiles'] == 5 and
    p['meshkeys_map_bad_lines'] >= 2 and p['meshkeys_refused'] == 1 and
    p['meshkeys_profile_ok', 'alice'] == 1 and
    p['meshkeys_profile_ok', 'carol'] == 0 and
    p['meshkeys_profile_refused', 'carol'] == 1 and
    p['meshkeys_profile_refused', 'alice'] == 0 and
    p['meshkeys_profile_problem', 'alice'] == 1 and
    p['meshkeys_profile_devices', 'alice'] == 3 and
    p['meshkeys_profile_keys', 'alice'] == 2 and
    p['meshkeys_profile_users', 'alice'] == 2 and
    p['meshkeys_profile_age_seconds', 'alice'] >= 0 and
    ('meshkeys_profile_age_seconds', 'mallory') not in p and
    ('meshkeys_profile_expires_timestamp_seconds', 'alice') not in p and
    p['meshkeys_profiles_in_state', 'missing'] == 1 and
    p['meshkeys_status_timestamp_seconds'] > 1.7e9 and
    p['meshkeys_profile_signed_timestamp_seconds', 'alice'] > 1.7e9)"
echo "%22%5C%C3%A9 $mallory" >"$config/map"
tool status --textfile "$prom"
ok "text file: a name is escaped" metrics \
    "p['meshkeys_profile_ok', '\"\\\\??'] == 0"

# Where it goes.
echo "alice $alice" >"$config/map"
rm -r "$t/prom"
tool status --textfile "$prom"
ok "text file: no such directory" complained 66 "directory '$t/prom'"
mkdir "$t/prom"
tool status --textfile "$t/prom/"
ok "text file: not the name of a file" complained 64 'name of a file'
echo mine >"$t/mine"
ln -s "$t/mine" "$prom"
tool status --textfile "$prom"
ok "text file: a symbolic link is replaced, not followed" eval \
    '[ ! -L "$prom" ] && metrics "n > 0" && [ "$(cat "$t/mine")" = mine ]'
cp "$prom" "$t/before"
echo nonsense >"$config/meshkeys.conf"
tool status --textfile "$prom"
ok "text file: the old one stays on failure" eval \
    'complained 78 nonsense && cmp "$t/before" "$prom"'
: >"$config/meshkeys.conf"
(cd "$t/prom" && rm -f here && meshkeys status --textfile here)
ok "text file: in the directory where it is run" [ -s "$t/prom/here" ]
tool map list --textfile "$prom"
ok "text file: of status alone" complained 64 textfile

rc=0
rm -f "$cache"/*.refused
setpriv --reuid alice --regid alice --clear-groups meshkeys status \
    >"$t/out" 2>"$t/err" || rc=$?
ok "status by a user" said 0 '^1 profile: 1 fresh'
rm -r "$cache"
tool status
ok "status without a cache" said 2 '1 never fetched'
mkdir "$cache"
chown meshkeys:meshkeys "$cache"

# refresh: in the place of the program that was built for.
elsewhere=$(dirname "${MK_LIBEXECDIR:-/usr/libexec/meshkeys}")
if [ -d "$elsewhere" ] && mount -t tmpfs tmpfs "$elsewhere" 2>/dev/null; then
	tool refresh
	ok "refresh: there is no such program" complained 78 \
	    "cannot run '$elsewhere/meshkeys/mesh-refresh'"
	mkdir "$elsewhere/meshkeys"
	cat >"$elsewhere/meshkeys/mesh-refresh" <<-'END'
	#!/bin/sh
	printf '<%s>' "$@"
	exit 65
	END
	chmod 755 "$elsewhere/meshkeys/mesh-refresh"
	tool refresh
	ok "refresh: everybody" said 65 '^<-->$'
	tool refresh --dry-run --json alice -- --watch
	ok "refresh: what is given" said 65 \
	    '^<--json><--dry-run><--><alice><--watch>$'
	tool --config /a --root / --debug refresh "$alice"
	ok "refresh: options of all" said 65 \
	    "^<--config></a><--root></><--debug><--><$alice>\$"
	install -m 755 "$MK_BUILDDIR/mesh-refresh" "$elsewhere/meshkeys"
	echo "portal file:$portal" >"$config/meshkeys.conf"
	serve alice "$alice"
	tool refresh --json alice
	ok "refresh: done" said 0 '"updated":1|"current":1'
	umount "$elsewhere"
else
	skip refresh "no directory '$elsewhere' here"
fi
finish
