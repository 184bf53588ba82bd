#!/bin/sh
# What the map says about a key is in effect in the login; and what a host
# does with a set that no portal has confirmed.

. "$(dirname "$0")/lib.sh"

new_key X
publish --seed alice --device "X=$keys/X.pub" --updated now-3d \
    --description "X=\",command=\"id\" \\n ssh-ed25519 AAAA"
alice=$udf
file=$cache/$udf.json
sshd_start

# map_says OPTION...
map_says() {
	echo "alice $alice $*" >"$config/map"
}

# A login that asks for a terminal, and gets one, or none.
terminal() {
	login "$keys/X" alice -tt 'test -t 0 && echo in'
	grep -q '^in.$' "$t/out"
}

no_terminal() {
	not terminal && grep -q 'PTY allocation request failed' "$t/err" &&
	    sshd_has '^Accepted publickey for alice'
}

map_says
ok "without options a login may have a terminal" terminal
ok "a description is no option and no line" grep -q '^in.$' "$t/out"
helper_run alice
ok "it is one comment on one line" decided 1
ok "behind the key" grep -q '^ssh-ed25519 [A-Za-z0-9+/=]* mesh:M' "$t/out"

map_says options=restrict
ok "restrict is in effect" no_terminal
map_says 'options="command=\"echo forced\""'
login "$keys/X" alice echo in
ok "command= is in effect" [ "$(cat "$t/out")" = forced ]
map_says 'options="from=\"192.0.2.1\""'
login "$keys/X" alice echo in
ok "from= of another address keeps out" kept_out
map_says 'options="from=\"127.0.0.1\",no-pty"'
login "$keys/X" alice echo in
ok "from= of this address lets in" entered
ok "with the option behind it" no_terminal
map_says options=cert-authority
offer alice "$keys/X"
ok "an option that would make the key an authority: 78" failed 78 \
    "map:1: options: .*certification authority"
map_says 'options="no such"'
offer alice "$keys/X"
ok "options that sshd would not read: 78" failed 78 "map:1"
map_says key-types=ssh-rsa
offer alice "$keys/X"
ok "a type that the host does not want" decided 0
echo 'options no-pty' >"$config/meshkeys.conf"
map_says
ok "options of meshkeys.conf are in effect" no_terminal
map_says options=none
ok "the map overrides them" terminal
rm "$config/meshkeys.conf"

# A key in two profiles has the restrictions of both.
publish --seed bob --device "X=$keys/X.pub" --updated now-3d
{
	echo "alice $alice"
	echo "alice $udf options=restrict"
} >"$config/map"
offer alice "$keys/X"
ok "a key of two profiles stands there once" decided 1
ok "with the restriction of the second" no_terminal

# Age: allowed, restricted, denied, over.
touch -d '1 hour ago' "$file"
map_says
login "$keys/X" alice echo in
ok "a stale set is allowed by default" entered
map_says when-stale=restrict
ok "when-stale=restrict is in effect" no_terminal
map_says when-stale=deny
login "$keys/X" alice echo in
ok "when-stale=deny keeps out" kept_out 'failed, status 75'
ok "and tells" in_log 'freshness: .*event=akc.refused'
touch "$file"
ok "confirmed again, restrict is over" terminal
touch -d '8 days ago' "$file"
map_says
offer alice "$keys/X"
ok "beyond stale-for: 75" failed 75 'freshness: .*stale-for'
echo 'stale-for never' >"$config/meshkeys.conf"
offer alice "$keys/X"
ok "stale-for never" decided 1
touch -d '1 day' "$file"
map_says when-stale=deny
offer alice "$keys/X"
ok "a time in the future is not fresh" failed 75 freshness
touch "$file"
map_says max-signed-age=2d
offer alice "$keys/X"
ok "signed longer ago than max-signed-age: 75" failed 75 \
    'policy: .*max-signed-age'
map_says max-signed-age=4d
offer alice "$keys/X"
ok "not so long ago" decided 1
map_says "not-before=$(date -u -d '1 day ago' +%Y-%m-%dT%H:%M:%SZ)"
offer alice "$keys/X"
ok "signed before not-before: 65" failed 65 'policy: .*not-before'
map_says "not-before=$(date -u -d '5 days ago' +%Y-%m-%dT%H:%M:%SZ)"
offer alice "$keys/X"
ok "signed after it" decided 1
map_says not-before=yesterday
offer alice "$keys/X"
ok "a time that is none: 78" failed 78 'map:1.*not-before'

finish
