#!/bin/sh
# The helper under valgrind: no error, and nothing lost.  valgrind makes
# system calls that the sandbox forbids, so there is a build without it.

srcdir=${MK_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}

# A tree in which somebody ran ./configure cannot be built from elsewhere.
build() {
	cd "$MK_PLAIN" || return 1
	if [ -f "$srcdir/config.status" ]; then
		cp -R "$srcdir/." . && make -s distclean
		srcdir=.
	fi
	"$srcdir/configure" -q --disable-sandbox CFLAGS='-O1 -g' &&
	    make -s mesh-authorized-keys
}

if [ -z "${MK_WORLD-}" ]; then
	if [ "${MK_SANITIZERS:-no}" != no ]; then
		echo "1..0 # SKIP the sanitizers look at the same, and more"
		exit 0
	elif ! command -v valgrind >/dev/null 2>&1; then
		echo "1..0 # SKIP valgrind is missing;" \
		    "run: contrib/install-deps"
		exit 0
	fi
	MK_PLAIN=$(mktemp -d)
	export MK_PLAIN
	trap 'rm -rf "$MK_PLAIN"' EXIT
	if [ -z "${MK_SKIP_E2E-}" ] && [ "$(id -u)" -eq 0 ] &&
	    [ "${MK_CONFDIR:-/etc/meshkeys}" = /etc/meshkeys ] &&
	    ! (build) >"$MK_PLAIN/log" 2>&1; then
		echo "1..1"
		echo "not ok 1 - a build without the sandbox"
		tail -n 20 "$MK_PLAIN/log" | sed 's/^/# /'
		exit 1
	fi
fi

. "$(dirname "$0")/lib.sh"

# checked STATUS ARGUMENT...: as valgrind sees it.
checked() {
	expected=$1
	shift
	rc=0
	: >"$t/err"
	timeout 60 valgrind -q --error-exitcode=99 --leak-check=full \
	    --errors-for-leak-kinds=definite,possible \
	    --show-leak-kinds=definite,possible --trace-children=no \
	    --log-file="$t/err" "$MK_PLAIN/mesh-authorized-keys" "$@" \
	    >"$t/out" || rc=$?
	[ "$rc" -eq "$expected" ] && [ ! -s "$t/err" ]
}

set_of() {
	publish "$@"
	echo "alice $udf" >"$config/map"
}

set_of --devices 3 --openssh device1 --proof device2 --updated now-1h \
    --delete gone --seen "$memory/"
ok "three devices" checked 0 alice
ok "with a line for each" lines 3
# shellcheck disable=SC2046 # type and base64 are words
ok "an offered key" checked 0 alice \
    $(mkset --devices 3 --print offer:device1)
ok "with its line" lines 1
ok "an offered fingerprint" checked 0 alice \
    SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU
ok "an offered certificate" checked 0 alice \
    ssh-rsa-cert-v01@openssh.com AAAA
ok "broken words" checked 0 alice ssh-rsa A=
ok "nobody" checked 0 bob
ok "usage" checked 64 alice a b c 2>/dev/null
printf 'chain /bin/true %%u\nlog-level debug\n' >"$config/meshkeys.conf"
ok "verified by a child, then another program" checked 0 alice
rm "$config/meshkeys.conf"
echo "mesh-seen 2" >"$memory/$udf.seen"
ok "a damaged memory" checked 71 alice
rm "$memory/$udf.seen"
for break in signature-bit no-signature lost-ssh other-master s-plus-l \
    small-order-ssh payload-changed; do
	set_of --devices 3 --break "$break"
	ok "refused: $break" checked 65 alice
done
set_of --devices 3
echo '{' >"$cache/$udf.json"
ok "refused: not JSON" checked 65 alice
set_of --legacy 2017 --devices 2
ok "a set of 2017" checked 0 alice
ok "with its lines" lines 2
set_of --devices 1
echo "alice $udf options=restrict key-types=ssh-ed25519" >"$config/map"
publish --seed other --devices 2
{
	echo "alice $udf options=\"no-pty,from=\\\"192.0.2.1\\\"\""
	echo "alice MAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA"
} >>"$config/map"
ok "three profiles, one of them nowhere" checked 0 alice
ok "the lines of two" lines 3
echo "alice x y=" >>"$config/map"
ok "a bad line" checked 78 alice
printf 'identity nss,map\nchain /bin/true "%%u"\nno-such keyword\n' \
    >"$config/meshkeys.conf"
ok "a bad configuration" checked 78 alice

finish
