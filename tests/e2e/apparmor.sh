#!/bin/sh
# What the helper of sshd and mesh-refresh open, lock and connect to in their
# usual work stands in their AppArmor profiles: so a change of the code that
# needs more is noticed here, and not on a host that enforces them.

# shellcheck source=tests/e2e/refresh-lib.sh
. "$(dirname "$0")/refresh-lib.sh"

for tool in apparmor_parser python3 strace; do
	command -v "$tool" >/dev/null 2>&1 ||
	    skip_all "$tool is missing; run: contrib/install-deps"
done
strace -o /dev/null true 2>/dev/null || skip_all "no strace here"
[ "${MK_SANITIZERS:-no}" = no ] ||
    skip_all "the sanitizers open files of their own"
# shellcheck disable=SC2034 # tap.sh reads it
tap_shows="out err not-allowed"

# preprocess PROGRAM: with the place that it has in this host.
preprocess() {
	sed "s|/[^ ]*/meshkeys/$1 |/run/libexec/meshkeys/$1 |" \
	    "$MK_BUILDDIR/contrib/apparmor.d/usr.libexec.meshkeys.$1" \
	    >"$t/$1.profile"
	apparmor_parser --preprocess "$t/$1.profile" >"$t/$1.rules" 2>/dev/null
	[ -s "$t/$1.rules" ]
}

# traced FILE COMMAND...
traced() {
	trace=$1
	shift
	rc=0
	strace -f -y -o "$trace" -e trace=%file,%network,%process,flock \
	    "$@" >"$t/out" 2>"$t/err" </dev/null || rc=$?
}

# allowed LEAST PROGRAM TRACE...: all of it, and that was something.
allowed() {
	least=$1
	program=$2
	shift 2
	"$MK_SRCDIR/tests/e2e/allowed.py" "$t/$program.rules" "$@" \
	    >"$t/not-allowed"
	[ "$(wc -l <"$t/not-allowed")" -eq 1 ] &&
	    [ "$(cut -d' ' -f1 "$t/not-allowed")" -ge "$least" ]
}

ok "the profile of the helper" preprocess mesh-authorized-keys
ok "the profile of mesh-refresh" preprocess mesh-refresh

version old --seed alice --updated now-2h
version new --seed alice --updated now-1h
alice=$udf
echo "alice $alice" >"$config/map"
mkdir "$config/users"
echo "$alice" >"$config/users/deploy"

# A portal on the network and one in the directory that is allowed.
mount -t tmpfs tmpfs /srv
mkdir -p /srv/mesh "$t/www/.well-known/mmm"
cp "$sets/old.json" "$t/www/.well-known/mmm/$alice.json"
cp "$sets/new.json" "/srv/mesh/$alice.json"
python3 -c 'import http.server as h, sys
s = h.ThreadingHTTPServer(("127.0.0.1", 0), lambda *a:
    h.SimpleHTTPRequestHandler(*a, directory=sys.argv[1]))
open(sys.argv[2], "w").write(str(s.server_port))
s.serve_forever()' "$t/www" "$t/port" >"$t/www.log" 2>&1 &
wait_for test -s "$t/port"

# A name that only /etc/hosts has is looked up as others are.
echo "127.0.0.1 portal.example" >>/etc/hosts
echo "portal http://portal.example:$(cat "$t/port")" >"$config/meshkeys.conf"
traced "$t/http.trace" "$refresher" --json
ok "a run over a portal on the network" ended 0 updated=1
echo "portal https://portal.example:$(cat "$t/port")" \
    >"$config/meshkeys.conf"
traced "$t/https.trace" "$refresher" --json
ok "and one that TLS fails in" ended 75
echo "portal file:/srv/mesh" >"$config/meshkeys.conf"
traced "$t/dir.trace" "$refresher" --json
ok "and one over a directory" ended 0 updated=1
echo "portal file:/srv/nowhere" >"$config/meshkeys.conf"
traced "$t/fails.trace" "$refresher" --json
ok "and one that fails" ended 75
ok "its profile allows all of that" allowed 100 mesh-refresh \
    "$t/http.trace" "$t/https.trace" "$t/dir.trace" "$t/fails.trace"
ok "the traces show the network" grep -q 'socket(AF_INET,' "$t/http.trace"
ok "and the authorities of TLS" grep -q 'openat.*/certs/\|openat.*/pki/' \
    "$t/https.trace"

# The answer to USER, without what setpriv opened.
decide() {
	: >"$t/$1.trace"
	chown meshkeys-akc "$t/$1.trace"
	traced "$t/$1.trace" setpriv --reuid meshkeys-akc \
	    --regid meshkeys-akc --clear-groups "$helper" "$1"
	sed -i '1,/execve("\/run\/libexec/{/execve("\/run\/libexec/!d}' \
	    "$t/$1.trace"
}

echo "identity map passwd nss" >"$config/meshkeys.conf"
for user in alice deploy nobody; do
	decide "$user"
	ok "the helper decides about $user" [ "$rc" -eq 0 ]
done
ok "its profile allows all of that" allowed 40 mesh-authorized-keys \
    "$t/alice.trace" "$t/deploy.trace" "$t/nobody.trace"
for part in '\.json' '\.seen' /dev/log; do
	grep -q "$part" "$t/alice.trace" || echo "no $part"
done >"$t/missing"
ok "the traces show a set, a memory and the log" [ ! -s "$t/missing" ]

# RSA, and what the profile leaves to the administrator.
version rsa --seed alice --legacy 2017
echo "carol $udf" >>"$config/map"
install -o meshkeys -g meshkeys -m 0644 "$sets/rsa.json" "$cache/$udf.json"
decide carol
ok "a profile of 2017" grep -q '^ssh-rsa ' "$t/out"
ok "needs nothing else" allowed 10 mesh-authorized-keys "$t/carol.trace"
echo "chain /usr/bin/true %u" >"$config/meshkeys.conf"
decide carol
only_a_chain() {
	! allowed 1 mesh-authorized-keys "$t/carol.trace" &&
	    [ "$(wc -l <"$t/not-allowed")" -eq 2 ] &&
	    grep -q '^runs "/usr/bin/true"' "$t/not-allowed"
}
ok "the command of a chain needs a rule of its own, and no other" only_a_chain

# And one that would not do.
sed -i '/cache\/meshkeys/d; /^ *network unix/d' \
    "$t/mesh-authorized-keys.rules"
not_allowed() {
	! allowed 1 mesh-authorized-keys "$t/alice.trace" &&
	    grep -q '^/var/cache/meshkeys/ r$' "$t/not-allowed" &&
	    grep -q '^socket unix dgram$' "$t/not-allowed"
}
ok "what is not allowed is found and named" not_allowed
finish
