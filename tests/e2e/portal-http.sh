#!/bin/sh
# meshportal as clients meet it: the real program, and HTTP of every bad
# sort.  Nothing that a stranger sends ends it, keeps it busy or makes it
# hold more than it said it would; and whoever asks properly is answered.
#
# It needs no root: all is on the loopback and in a directory of its own.

MK_SRCDIR=${MK_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
MK_BUILDDIR=${MK_BUILDDIR:-$MK_SRCDIR}
portal=$MK_BUILDDIR/meshportal
mkset=$MK_BUILDDIR/tests/mkset/mkset
wire=$MK_SRCDIR/tests/e2e/portal-wire.py
json='Content-Type: application/json'
LC_ALL=C
export LC_ALL
umask 022

# shellcheck source=tests/tap.sh
. "$MK_SRCDIR/tests/tap.sh"
# shellcheck disable=SC2034 # tap.sh reads it
tap_shows="head body wire log"
[ -z "${MK_SKIP_E2E-}" ] || skip_all "MK_SKIP_E2E is set"
for tool in curl openssl python3; do
	command -v $tool >/dev/null || skip_all "no $tool"
done
[ -x "$portal" ] || skip_all "no meshportal"

# On a disk with no room to spare this script runs once more, see below.
if [ "${1-}" = full ]; then
	t=$2
	mount -t tmpfs -o size=400k,mode=0700 tmpfs "$t/full" || exit 77
else
	t=$(mktemp -d)
	trap finish_up EXIT
	trap 'exit 1' INT TERM HUP
fi
pids=
ca=

finish_up() {
	for pid in $pids; do
		kill -s KILL "$pid" 2>/dev/null
	done
	rm -rf "$t"
}

# wait_for COMMAND...: until it succeeds; at most twenty seconds.
wait_for() {
	within 20 "$@" >/dev/null 2>&1
}

ended() {
	! kill -0 "$1" 2>/dev/null
}

# start DIR [OPTION...]: $pid serves at $url, port $port, and is $name.
start() {
	dir=$1
	shift
	: >"$t/out"
	"$portal" --data "$dir" --listen 127.0.0.1:0 "$@" >"$t/out" \
	    2>>"$t/log" </dev/null &
	pid=$!
	pids="$pids $pid"
	started
}

started() {
	wait_for has_begun || return 1
	line=$(head -n 1 "$t/out")
	url=$(echo "$line" | sed 's/^meshportal: serving \([^ ]*\) as .*/\1/')
	name=$(echo "$line" | sed 's/.* as //')
	port=${url##*:}
	mmm=$url/.well-known/mmm
}

has_begun() {
	[ -s "$t/out" ] || ended "$pid"
}

# stop [SIGNAL]: how it ended is in $rc.
stop() {
	kill -s "${1:-TERM}" "$pid"
	rc=0
	wait "$pid" || rc=$?
}

# refused STATUS PATTERN ARGUMENT...: it does not even start.
refused() {
	want=$1
	pattern=$2
	shift 2
	rc=0
	timeout 20 "$portal" "$@" >"$t/body" 2>"$t/why.start" </dev/null ||
	    rc=$?
	cat "$t/why.start"
	[ "$rc" -eq "$want" ] && [ ! -s "$t/body" ] &&
	    grep -Eq -e "$pattern" "$t/why.start"
}

# ask STATUS ARGUMENT...: curl gets that status; head and body are kept.
ask() {
	want=$1
	shift
	: >"$t/body"
	got=$(curl -sS -m 30 -D "$t/head" -o "$t/body" -w '%{http_code}' "$@")
	echo "HTTP $got, not $want"
	[ "$got" = "$want" ]
}

in_head() {
	tr -d '\r' <"$t/head" | grep -Eiq -e "$1"
}

in_body() {
	grep -Eq -e "$1" "$t/body"
}

# ask_in STATUS HEAD ARGUMENT...: and the head has that line.
ask_in() {
	line=$2
	want_in=$1
	shift 2
	ask "$want_in" "$@" && in_head "$line"
}

post() {
	ask "$1" -H "$json" --data-binary "$2" "$mmm/"
}

# wire FORMAT [OPTION...]: printf's bytes to the portal; the answer is kept.
wire() {
	format=$1
	shift
	# shellcheck disable=SC2059
	printf "$format" | python3 "$wire" "$@" "$port" >"$t/wire" \
	    2>"$t/wire.end"
	cat "$t/wire.end"
}

# statuses LIST: those of the answers, in their order.
statuses() {
	list=$(tr -d '\r' <"$t/wire" |
	    sed -n 's/.*HTTP\/1\.[01] \([0-9]*\) .*/\1/p' | paste -s -d ' ' -)
	echo "statuses '$list', not '$1'"
	[ "$list" = "$1" ]
}

# wired LIST FORMAT [OPTION...]: that ends the connection, too.
wired() {
	list_wanted=$1
	shift
	wire "$@"
	statuses "$list_wanted" && grep -Eq 'closed|reset' "$t/wire.end"
}

serves() {
	ask 200 "$mmm/$udf.json"
}

# request NAME [OPTION...]: the body of a transaction of this person.
request() {
	what=$1
	shift
	"$mkset" --seed "$person" --portal "$name" --account \
	    "$person@example.com" --request "$what" "$@" --dump body
}

# person NAME: has an account here; $udf is her fingerprint.
person() {
	person=$1
	udf=$("$mkset" --seed "$person" --print udf)
	request CreateAccount --updated now-2h >"$t/create"
	post 201 "@$t/create"
}

# question WAIT: for news of $udf since now.
question() {
	printf '{"Changes":{"Store":"%s","Since":%s,"Wait":%s,' \
	    "$store" "$since" "$1"
	printf '"Identifiers":["%s"]}}' "$udf"
}

# changes WAIT [CURL-OPTION...]
changes() {
	seconds=$1
	shift
	curl -sS -m 90 -H "$json" --data-binary "$(question "$seconds")" \
	    ${ca:+--cacert "$ca"} "$@" "$mmm/"
}

# now: where the row of changes stands.
now() {
	store=
	since=0
	changes 0 >"$t/now"
	store=$(sed -n 's/.*"Store":"\([^"]*\)".*/\1/p' "$t/now")
	since=$(sed -n 's/.*"Next":\([0-9]*\).*/\1/p' "$t/now")
	[ -n "$store" ] && [ -n "$since" ]
}

#
# On a full disk: what is here is served, what comes is refused with a word,
# and nothing is lost.  Its output is ours.
#
fill() {
	n=0
	while [ $n -lt 200 ]; do
		n=$((n + 1))
		person=p$n
		request CreateAccount --updated now-2h >"$t/create.full"
		got=$(curl -sS -m 30 --interface "127.1.0.$n" -o "$t/body" \
		    -w '%{http_code}' -H "$json" --data-binary \
		    "@$t/create.full" "$mmm/")
		[ "$got" = 201 ] || break
	done
	echo "after $n: HTTP $got"
	[ "$got" = 503 ]
}

on_full_disk() {
	start "$t/full/data" || return 1
	person first || return 1
	fill || return 1
	udf=$("$mkset" --seed first --print udf)
	serves || return 1
	udf=$("$mkset" --seed p1 --print udf)
	serves || return 1
	grep -q 'event=portal.failed' "$t/log" || return 1
	stop
	[ "$rc" -eq 0 ] || return 1
	start "$t/full/data" || return 1
	serves || return 1
	stop
	[ "$rc" -eq 0 ]
}

if [ "${1-}" = full ]; then
	t=$t/inner
	mkdir "$t"
	ln -s ../full "$t/full"
	: >"$t/log"
	on_full_disk
	rc=$?
	tail -n 5 "$t/log"
	exit $rc
fi

#
# Starting.
#
ok "no data directory" refused 64 'data is missing'
ok "an unknown option" refused 64 'not known' --data "$t/x" --port 1
ok "an address without a port" refused 64 'not ADDRESS:PORT' \
    --data "$t/x" --listen 127.0.0.1
ok "a name for an address" refused 64 'not ADDRESS:PORT' \
    --data "$t/x" --listen localhost:0
ok "a port that is none" refused 64 'not ADDRESS:PORT' \
    --data "$t/x" --listen 127.0.0.1:65536
ok "IPv6 without brackets" refused 64 'not ADDRESS:PORT' \
    --data "$t/x" --listen ::1:8443
ok "no TLS for others" refused 64 'tls-cert' --data "$t/x" \
    --listen 0.0.0.0:0 --name a.example
ok "no name for all addresses" refused 64 '--name' --data "$t/x" \
    --listen 0.0.0.0:0 --plain-http
ok "no limits for others" refused 64 'no-limits' --data "$t/x" \
    --listen 0.0.0.0:0 --name a.example --plain-http --no-limits
ok "a name that is none" refused 64 'HOST' --data "$t/x" \
    --listen 127.0.0.1:0 --name 'http://a.example/'
ok "a proxy that is none" refused 64 'IP address' --data "$t/x" \
    --listen 127.0.0.1:0 --trust-forwarded proxy.example
ok "half a certificate" refused 64 'go together' --data "$t/x" \
    --tls-cert "$t/x"
ok "nothing of all that has made a directory" not test -e "$t/x"

: >"$t/log"
#
# Slow ones, at a portal of their own, who are cut off while the rest goes
# on; see the end.
#
ok "a portal for slow ones" start "$t/slow.data"
slow() {
	# shellcheck disable=SC2059
	printf "$2" | python3 "$wire" --pace 2 --keep "$3" --limit 150 \
	    "$port" >"$t/slow.$1" 2>"$t/slow.$1.end" &
	pids="$pids $!"
}
many=$(printf '%0200d' 0)
slow head "GET /.well-known/mmm/x.json HTTP/1.1\\r\\nX: $many$many" 10
slow body "POST /.well-known/mmm/ HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: \
400\\r\\nContent-Type: application/json\\r\\n\\r\\n$many$many" 110
slow idle '' 0
slow_pid=$pid

mkdir -m 0700 "$t/data"
ok "it starts and says where" start "$t/data"
ok "its name is its address" test "$name" = "127.0.0.1:$port"
ok "the port is taken" refused 71 'cannot listen' --data "$t/y" \
    --listen "127.0.0.1:$port"
ok "so is the directory" refused 75 . --data "$t/data" \
    --listen 127.0.0.1:0
ok "one thread, no new privileges" grep -Eq '^NoNewPrivs:[[:space:]]1' \
    "/proc/$pid/status"
person alice || skip_all "no account can be made"
ok "a set can be read" serves

#
# Reading.
#
ok "JSON" in_head '^content-type: application/json$'
ok "not to be sniffed" in_head '^x-content-type-options: nosniff$'
ok "not to be used without asking" in_head '^cache-control: public, no-cache$'
ok "the length" in_head "^content-length: $(wc -c <"$t/body")\$"
etag=$(tr -d '\r' <"$t/head" | sed -n 's/^[Ee][Tt]ag: //p')
ok "its tag is the digest" test "$etag" = \
    "\"$(openssl dgst -sha512 -r "$t/body" | cut -d' ' -f1)\""
cp "$t/body" "$t/set"
ok "HEAD" ask 200 -I "$mmm/$udf.json"
ok "HEAD tells the same" in_head "^content-length: $(wc -c <"$t/set")\$"
ok "HEAD has the tag" in_head "^etag: $etag\$"
ok "the same by account" ask 200 "$mmm/account/alice@example.com.json"
ok "the same set" cmp -s "$t/set" "$t/body"
ok "escapes are read once" ask 200 "$mmm/account/%61lice@example.com.json"
ok "and not twice" ask 404 "$mmm/account/%2561lice@example.com.json"
for value in "$etag" "W/$etag" '*' "\"a\", $etag" "\"a\" ,W/\"b\",$etag" \
    ",, $etag"; do
	ok "304 for If-None-Match: $(echo "$value" | cut -c 1-20)" \
	    ask_in 304 "^etag: $etag\$" -H "If-None-Match: $value" \
	    "$mmm/$udf.json"
done
ok "a 304 has no body" test ! -s "$t/body"
ok "304 for the second of two fields" ask 304 -H 'If-None-Match: "a"' \
    -H "If-None-Match: $etag" "$mmm/$udf.json"
ok "304 to HEAD" ask 304 -I -H "If-None-Match: $etag" "$mmm/$udf.json"
bare=$(echo "$etag" | tr -d '"')
for value in '"a"' "$bare" "\"$bare" 'W/' '"", ' 'x, *' "\"x$bare\""; do
	ok "200 for If-None-Match: $(echo "$value" | cut -c 1-20)" \
	    ask 200 -H "If-None-Match: $value" "$mmm/$udf.json"
done
ok "no such profile" ask 404 "$mmm/MAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA.json"
ok "a 404 is not kept" not in_head '^etag:'
for path in / /.well-known /.well-known/mmm /.well-known/mmmm/ \
    /.well-known/mmm/../mmm/x /.well-known/mmm/x.json/ \
    /.well-known/mmm/%2e%2e/portal.db //.well-known/mmm/ \
    /.well-known/mmm/portal.db /.well-known/mmm/account/.json \
    /.well-known/mmm/account/a@b.json%00; do
	ok "404 for GET $path" ask 404 --path-as-is "$url$path"
done

#
# Methods and types.
#
ok "405 for GET of the transactions" ask_in 405 '^allow: POST$' "$mmm/"
for method in PUT DELETE OPTIONS TRACE PATCH CONNECTED; do
	ok "405 for $method" ask_in 405 '^allow: POST$' -X $method "$mmm/"
	ok "405 for $method of a set" ask_in 405 '^allow: GET, HEAD$' \
	    -X $method "$mmm/$udf.json"
done
ok "405 for POST to a set" ask_in 405 '^allow: GET, HEAD$' -H "$json" \
    -d '{"Hello":{}}' "$mmm/$udf.json"
ok "404 for POST elsewhere" ask 404 -H "$json" -d '{"Hello":{}}' "$url/"
ok "400 for GET with a body" ask 400 -X GET -d x "$mmm/$udf.json"
for type in 'application/json' 'Application/JSON; charset=UTF-8' \
    'application/json ;charset="utf-8"'; do
	ok "Hello as $type" ask_in 201 '^cache-control: no-store$' \
	    -H "Content-Type: $type" -d '{"Hello":{}}' "$mmm/"
done
for type in 'text/json' 'application/json2' 'application/jsonx; a' \
    'application/json; charset=latin1' 'application/json, text/plain' ''; do
	ok "415 for '$type'" ask 415 -H "Content-Type: $type" \
	    -d '{"Hello":{}}' "$mmm/"
done
ok "415 for a form" ask 415 -d '{"Hello":{}}' "$mmm/"
ok "415 for what is compressed" ask 415 -H "$json" \
    -H 'Content-Encoding: gzip' -d '{"Hello":{}}' "$mmm/"
for body in '' ' ' '{' '{}' '[]' 'null' '{"Hello":{}}x' '{"Hello":[]}' \
    '{"Bye":{}}' '{"Hello":{},"Get":{}}'; do
	ok "400 for '$body'" post 400 "$body"
done
sleep 1				# for the tokens of this address

#
# Bodies.
#
head -c 9000000 /dev/zero | tr '\0' ' ' >"$t/large"
head -c 300000 "$t/large" >"$t/medium"
large() {
	ask 413 -H "$json" --data-binary "@$t/large" "$@" "$mmm/"
}
ok "413 before it is sent" large -H 'Expect: 100-continue'
ok "413 behind it" large -H 'Expect:'
ok "413 in chunks" large -H 'Expect:' -H 'Transfer-Encoding: chunked'
printf '{"Hello":{}}' >>"$t/medium"
ok "413 for much around nothing" post 413 "@$t/medium"
printf '{"Hello":{}}' >"$t/hello"
ok "Hello in chunks" ask 201 -H "$json" -H 'Transfer-Encoding: chunked' \
    --data-binary "@$t/hello" "$mmm/"
ok "Hello after a word" ask 201 -H "$json" -H 'Expect: 100-continue' \
    --data-binary "@$t/hello" "$mmm/"
rm -f "$t/large"

head='POST /.well-known/mmm/ HTTP/1.1\r\nHost: a\r\n'
head="$head"'Content-Type: application/json\r\n'
endless() {
	: >"$t/body"
	head -c 90000000 /dev/zero | curl -sS -m 30 -o "$t/body" -H "$json" \
	    -H 'Expect:' -X POST -T - "$mmm/"
}
ok "a body without an end is cut off" not endless
ok "and has got no answer" test ! -s "$t/body"

#
# Framing.
#
hello='{"Hello":{}}'
get='GET /.well-known/mmm/x.json HTTP/1.1\r\nHost: a\r\n'
ok "a length and chunks" wired 400 "${head}Content-Length: 12\\r\\n\
Transfer-Encoding: chunked\\r\\n\\r\\nc\\r\\n$hello\\r\\n0\\r\\n\\r\\n"
ok "two lengths" wired 400 "${head}Content-Length: 12\\r\\n\
Content-Length: 13\\r\\n\\r\\n$hello"
ok "another coding" wired 400 "${head}Transfer-Encoding: gzip\\r\\n\\r\\nx"
ok "two codings" wired 400 "${head}Transfer-Encoding: gzip, chunked\
\\r\\n\\r\\n0\\r\\n\\r\\n"
ok "GET with two ends" wired '' "${get}Content-Length: 1\\r\\n\
Transfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\n"
# The library sends the head of such an answer twice.
refused_first() {
	wire "$@"
	head -n 1 "$t/wire" | grep -q '^HTTP/1.1 4[0-9][0-9] ' &&
	    grep -q closed "$t/wire.end"
}
for length in -1 +12 0x0c 12x 99999999999999999999999; do
	ok "4xx for a length of $length" refused_first \
	    "${head}Content-Length: $length\\r\\n\\r\\n$hello" --half
done
wire "${head}Content-Length: 100\\r\\n\\r\\n$hello" --half --limit 2
ok "less than was announced is no request" statuses ''
ok "more than was announced" wired '201 400' "${head}Content-Length: 12\
\\r\\n\\r\\n${hello}more of it\\r\\n\\r\\n"
ok "a chunk that is none" wired 400 "${head}Transfer-Encoding: chunked\
\\r\\n\\r\\nxyz\\r\\n" --half
ok "no host" refused_first 'GET /.well-known/mmm/ HTTP/1.1\r\n\r\n' --half
for bytes in '\000\001\002\003\r\n\r\n' 'hello\r\n\r\n' '\r\n\r\n\r\n' \
    'GET\r\n\r\n' 'GET / HTTP/9.9\r\n\r\n' 'PRI * HTTP/2.0\r\n\r\nSM\r\n' \
    'SSH-2.0-OpenSSH_9.2\r\n' '\026\003\001\002\000\001\000\001\374' \
    'GET / HTTP/1.1\r\nno colon\r\n\r\n'; do
	wire "$bytes" --half
	ok "garbage gets no set" not grep -q 'HTTP/1.. 2' "$t/wire"
done
name_of=$(printf '%020000d' 0)
ok "a huge field" wired 431 "${get}X: $name_of\\r\\n\\r\\n"
wire "GET /.well-known/mmm/$name_of HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n"
ok "a huge path" grep -Eq '^HTTP/1.1 (414|431) ' "$t/wire"
many_fields=$(awk 'BEGIN { for (i = 0; i < 2000; i++) printf "A: b\\r\\n" }')
ok "many fields" wired 431 "${get}$many_fields\\r\\n"

set=/.well-known/mmm/$udf.json
ok "one after the other at once" wired '200 200 404' \
    "GET $set HTTP/1.1\\r\\nHost: a\\r\\n\\r\\nGET $set HTTP/1.1\\r\\n\
Host: a\\r\\n\\r\\n${get}Connection: close\\r\\n\\r\\n"
wire "GET $set HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n" --half --limit 2
ok "whoever has said all still hears" statuses 200
ok "HTTP/1.0" wired 200 "GET $set HTTP/1.0\\r\\n\\r\\n"
ok "after all that it serves" serves

#
# Crowds.
#
mkfifo "$t/crowd"
python3 "$wire" crowd 127.0.0.9 300 "$port" <"$t/crowd" >"$t/let.in" &
crowd=$!
pids="$pids $crowd"
exec 7>"$t/crowd"
wait_for test -s "$t/let.in"
ok "one address has 256 connections" test "$(cat "$t/let.in")" = 256
ok "and no more" not ask 200 --interface 127.0.0.9 "$mmm/$udf.json"
ok "others do not mind" ask 200 --interface 127.0.0.8 "$mmm/$udf.json"
ok "the log tells" grep -q "limit: too many connections.*'127.0.0.9'" \
    "$t/log"
exec 7>&-
wait "$crowd"
ok "then there is room again" wait_for ask 200 --interface 127.0.0.9 \
    "$mmm/$udf.json"

# What was left half said may hold it up a little, and no more.
stop
ok "a signal ends it, whatever was left open" test "$rc" -eq 0
start "$t/data"

#
# News.
#
ok "where changes stand" now
changes 30 >"$t/news" 2>&1 &
news=$!
changes 2 >"$t/no.news"
ok "nothing new after the wait" grep -q '"Reset":false,"Identifiers":\[\]' \
    "$t/no.news"
request Publish --updated now-1h --previous "$t/set" >"$t/publish"
ok "a newer set" post 201 "@$t/publish"
wait "$news"
ok "is news for who waits" \
    grep -q "\"Reset\":false,\"Identifiers\":\[\"$udf\"\]" "$t/news"
now
# Whoever hangs up while waiting takes nothing along.
changes 50 -m 1 >"$t/left" 2>&1
pieces=
for i in 1 2 3 4 5 6 7 8; do
	changes 50 -o "$t/last.$i" &
	pieces="$pieces $!"
done
sleep 2
begun=$(date +%s)
stop
took=$(($(date +%s) - begun))
ok "a signal ends it, with the status 0" test "$rc" -eq 0
ok "as soon as all are answered" test "$took" -lt 5
for i in $pieces; do
	wait "$i"
done
ok "all who waited were answered" test \
    "$(cat "$t"/last.? | grep -o '"ChangesResponse"' | wc -l)" -eq 8
ok "the log tells that, too" grep -q 'event=portal.stop' "$t/log"

#
# Again.
#
before=$store
ok "it starts again" start "$t/data"
ok "the set is there" serves
now
ok "it is the same store" test "$store" = "$before"
person bob
stop KILL
ok "killed" test "$rc" -eq 137
ok "it starts after that" start "$t/data"
ok "what was answered is there" serves
now
ok "it is still the same store" test "$store" = "$before"
person carol
kill -s STOP "$pid"
ok "who hangs holds the directory" refused 75 . --data "$t/data" \
    --listen 127.0.0.1:0
kill -s CONT "$pid"
ok "who hung goes on" serves
stop

# Whom a proxy speaks for: the last one only, and only if it is our proxy.
start "$t/data" --debug --trust-forwarded 127.0.0.7
forwarded() {
	ask 404 --interface "$1" -H 'X-Forwarded-For: 192.0.2.1' \
	    -H "X-Forwarded-For: $2" "$mmm/seen-$3"
	grep -q "http: $4 GET 'seen-$3': 404" "$t/log"
}
ok "the proxy's word counts" forwarded 127.0.0.7 \
    '198.51.100.1, 203.0.113.5' a 203.0.113.5
ok "of IPv6" forwarded 127.0.0.7 '2001:DB8::0:1' b 2001:db8::1
ok "what it says badly does not" forwarded 127.0.0.7 'unknown' c 127.0.0.7
ok "nobody else's does" forwarded 127.0.0.6 '203.0.113.5' d 127.0.0.6
stop

# A socket of a supervisor.
free=$(python3 -c 'import socket; s = socket.socket()
s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
: >"$t/out"
python3 "$wire" listen "$free" "$portal" --data "$t/data" >"$t/out" \
    2>>"$t/log" &
pid=$!
pids="$pids $pid"
started
ok "a socket that was given" test "$port" = "$free"
ok "is served" serves
stop
ok "and left" test "$rc" -eq 0

#
# TLS.
#
issue() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 \
	    -nodes -subj "/CN=$1" -addext "subjectAltName = IP:127.0.0.1" \
	    -days 2 -keyout "$t/$1.key" -out "$t/$1.pem" 2>/dev/null
	chmod 600 "$t/$1.key"
}
issue good
issue other
tls() {
	refused "$1" "$2" --data "$t/data" --listen 127.0.0.1:0 \
	    --tls-cert "$t/$3" --tls-key "$t/$4"
}
echo nothing >"$t/nothing.key"
chmod 600 "$t/nothing.key"
: >"$t/nothing.pem"
ok "a key of another certificate" tls 78 'tls:' good.pem other.key
ok "no certificate in it" tls 78 'tls:' nothing.pem good.key
ok "no key in it" tls 78 'tls:' good.pem nothing.key
ok "no such file" tls 78 'tls:' absent.pem good.key
chmod 644 "$t/other.key"
ok "a key that everybody may read" tls 77 'chmod o= ' other.pem other.key
ln -s good.pem "$t/link.pem"
ok "it starts with TLS" start "$t/data" --tls-cert "$t/link.pem" \
    --tls-key "$t/good.key"
ok "and says so" test "${url%%:*}" = https
by_tls() {
	ask "$1" --cacert "$t/good.pem" "$mmm/$udf.json"
}
ok "a set over TLS" by_tls 200
ok "not for who knows another authority" not ask 200 --cacert \
    "$t/other.pem" "$mmm/$udf.json"
ok "not with TLS 1.1" not ask 200 --cacert "$t/good.pem" --tls-max 1.1 \
    --ciphers 'DEFAULT@SECLEVEL=0' "$mmm/$udf.json"
ok "HTTP where TLS is spoken" not ask 200 "http://127.0.0.1:$port$set"
hands=$(python3 "$MK_SRCDIR/tests/e2e/portal-load.py" hands "$port" 1800)
ok "handshakes of one address ($hands of 1800) are bounded" \
    test "$hands" -ge 1000 -a "$hands" -lt 1700
ok "others do not mind" by_tls 200
for bytes in 'GET / HTTP/1.1\r\n\r\n' '\026\003\001\002\000\001\000\001' \
    '\026\003\001\377\377%s' '\200\056\001\000\002'; do
	wire "$bytes" --half
	ok "garbage for a handshake" not grep -aq 'HTTP/1.. 2' "$t/wire"
done
wire 'hello\r\n\r\n' --tls
ok "garbage inside of TLS" not grep -q 'HTTP/1.. 2' "$t/wire"
ca=$t/good.pem
now
changes 50 -o "$t/last.tls" &
last=$!
sleep 1
ok "it still serves" by_tls 200
stop
wait "$last"
ok "who waited over TLS was answered" grep -q ChangesResponse "$t/last.tls"
ok "its end is a good one" test "$rc" -eq 0

#
# The slow ones: each was cut off, when its time was over and not before.
#
cut_off() {
	within 100 test -s "$t/slow.$1.end"
	cat "$t/slow.$1.end"
	read -r how seconds <"$t/slow.$1.end"
	[ "$how" != open ] && [ "$seconds" -ge "$2" ] &&
	    [ "$seconds" -le $(($2 + 60)) ] && [ ! -s "$t/slow.$1" ]
}
ok "a slow head was cut off" cut_off head 28
ok "a slow body was cut off" cut_off body 58
ok "a silent connection was cut off" cut_off idle 28
pid=$slow_pid
stop
ok "by whom still works" test "$rc" -eq 0

#
# A full disk, in a mount namespace of its own.
#
mkdir "$t/full"
if [ "$(id -u)" -eq 0 ]; then
	apart='unshare --mount --propagation private'
else
	apart='unshare --user --map-root-user --mount --propagation private'
fi
# shellcheck disable=SC2086
if $apart mount -t tmpfs tmpfs "$t/full" 2>/dev/null; then
	ok "a full disk" $apart timeout -k 5 120 sh "$0" full "$t"
else
	skip "a full disk" "no mount namespace here"
fi

finish
