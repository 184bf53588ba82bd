#!/bin/sh
# One run of mesh-refresh against real servers: nginx with TLS and HTTP/2,
# and a portal that misbehaves in every way (portal.py).  Whoever has such a
# portal keeps what she has, and the run ends in time.
#
# All listens on one of the addresses of the loopback and ends with the
# script.  What is slow by its nature runs beside the rest, below a --root.

. "$(dirname "$0")/lib.sh"

for tool in nginx openssl python3 curl curl-config; do
	command -v $tool >/dev/null || skip_all "no $tool"
done

refresher=/run/libexec/meshkeys/mesh-refresh
portal=$MK_SRCDIR/tests/e2e/portal.py
sets=$t/www/.well-known/mmm
install -m 0755 "$MK_BUILDDIR/mesh-refresh" $refresher
mkdir -p "$sets" "$t/udf" "$t/before"
# shellcheck disable=SC2046
set -- $(od -An -N2 -tu1 /dev/urandom)
ip=127.$(($1 % 254 + 1)).$2.1
tls=https://mesh.example
fast=http://$ip:8180
slow=http://$ip:8181

# A name server that takes questions, and names that need none.
rm -f /etc/resolv.conf
echo "nameserver $ip" >/etc/resolv.conf
sed -i 's/^hosts:.*/hosts: files dns/' /etc/nsswitch.conf
printf '%s\n' '127.0.0.1 localhost' "$ip mesh.example other.example" \
    >/etc/hosts

# issue NAME HOST DAYS: NAME.pem and NAME.key, of our authority.
issue() {
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
	    -subj "/CN=$2" -keyout "$1.key" -out "$1.csr" 2>/dev/null
	echo "subjectAltName = DNS:$2" >"$1.ext"
	openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key \
	    -CAcreateserial -days "$3" -extfile "$1.ext" -out "$1.pem" \
	    2>/dev/null
}

# issue_self NAME CN [EXTENSION]
issue_self() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 \
	    -nodes -subj "/CN=$2" -days 30 -keyout "$1.key" -out "$1.pem" \
	    ${3:+-addext "$3"} 2>/dev/null
}

make_certificates() {
	issue_self ca test
	issue_self self mesh.example 'subjectAltName = DNS:mesh.example'
	issue good mesh.example 30
	issue wrong somebody.example 30
	issue expired mesh.example -1
	cat ca.pem >>"$(curl-config --ca)"
}

# server PORT CERTIFICATE [LINE]: of nginx; without a certificate, no TLS.
server() {
	echo "server { listen $ip:$1 ${2:+ssl http2}; root $t/www; $3"
	[ -z "$2" ] || echo "ssl_certificate $t/$2.pem;
	    ssl_certificate_key $t/$2.key;"
	cat <<-END
	access_log $t/access.$1 told;
	rewrite ^/down(/.*) http://mesh.example:8080\$1 redirect;
	rewrite ^/up(/.*) $tls:8443\$1 redirect;
	rewrite ^/moved(/.*) \$1 redirect;
	}
	END
}

start_nginx() {
	{
		cat <<-END
		daemon off; master_process off; user root; pid $t/nginx.pid;
		error_log $t/nginx.log; events { worker_connections 512; }
		http {
		log_format told '\$connection \$server_protocol \$status '
		    '"\$http_authorization" "\$http_accept_encoding"';
		client_body_temp_path $t/n1; proxy_temp_path $t/n2;
		fastcgi_temp_path $t/n3; uwsgi_temp_path $t/n4;
		scgi_temp_path $t/n5;
		gzip on; gzip_types *; gzip_min_length 1;
		END
		server 8080 '' ''
		server 8443 good ''
		server 8444 self ''
		server 8445 expired ''
		server 8446 wrong ''
		server 8447 good 'ssl_protocols TLSv1 TLSv1.1;
		    ssl_ciphers ALL:@SECLEVEL=0;'
		echo '}'
	} >nginx.conf
	nginx -p "$t" -c "$t/nginx.conf" >nginx.out 2>&1 &
	wait_for curl -qs -o /dev/null "http://$ip:8080/" ||
	    skip_all "nginx does not start: $(head -n 1 nginx.out)"
}

# Ports: 0 what is fast, 1 what is slow, 2 and 3 where to be left alone, 4
# to be counted, 5 another server; 53 never answers.
start_portal() {
	python3 "$portal" --dir "$sets" --log "$t/asked" --ready "$t/ready" \
	    --mute "$ip:53" "$ip:8180" "$ip:8181" "$ip:8182" "$ip:8183" \
	    "$ip:8184" "$ip:8185" 2>"$t/portal.err" &
	wait_for test -s "$t/ready" ||
	    skip_all "portal.py: $(tail -n 1 "$t/portal.err")"
}

# host_at DIR: what follows is about the host below it.
host_at() {
	config=$1/etc/meshkeys
	cache=$1/var/cache/meshkeys
	memory=$1/var/lib/meshkeys
	mkdir -p "$config" "$cache" "$memory"
	chown meshkeys:meshkeys "$cache" "$memory"
}

# person NAME PORTAL [OPTION...]: mapped, known here by her first set; the
# portal has her second one.
person() {
	name=$1
	where=$2
	shift 2
	udf=$(mkset --seed "$name" --updated now-1h --devices 2 \
	    --delete device0 "$@" --out "$sets/" --print udf)
	mkset --seed "$name" --updated now-3d --devices 2 \
	    --out "$cache/" --seen "$memory/"
	chown meshkeys:meshkeys "$cache/$udf.json" "$memory/$udf.seen"
	touch -d '10 minutes ago' "$cache/$udf.json"
	cp -p "$cache/$udf.json" "$memory/$udf.seen" "$t/before"
	echo "$name $udf portal=$where" >>"$config/map"
	echo "$udf" >"$t/udf/$name"
}

moves() {
	sed -i "s|^$1 \(.*\) portal=.*|$1 \1 portal=$2|" "$config/map"
}

same_time() {
	[ "$(stat -c %y "$1")" = "$(stat -c %y "$2")" ]
}

# kept NAME: her set, its time and her memory are as they were.
kept() {
	udf=$(cat "$t/udf/$1")
	cmp "$cache/$udf.json" "$t/before/$udf.json" &&
	    same_time "$cache/$udf.json" "$t/before/$udf.json" &&
	    cmp "$memory/$udf.seen" "$t/before/$udf.seen" &&
	    [ ! -e "$memory/$udf.keys" ]
}

# has_news NAME: the set of the portal, remembered, with its keys.
has_news() {
	udf=$(cat "$t/udf/$1")
	cmp "$cache/$udf.json" "$sets/$udf.json" &&
	    not cmp -s "$memory/$udf.seen" "$t/before/$udf.seen" &&
	    [ -s "$memory/$udf.keys" ]
}

# told NAME RESULT [PATTERN]: in the log; so is her fingerprint.
told() {
	grep -Eq -e "${3-}.*; event=refresh\.$2 user=$1 udf=$(cat \
	    "$t/udf/$1")\$" "$t/err"
}

keeps() {
	kept "$1" && told "$1" failed "$2"
}

refuses() {
	kept "$1" && told "$1" refused "$2"
}

takes() {
	told "$1" updated "the set is updated" && has_news "$1"
}

confirms() {
	told "$1" current "the set is current" && has_news "$1"
}

# run ARGUMENT...: one run; status in $rc, its seconds in $took.
run() {
	log_sync
	rc=0
	begun=$(date +%s)
	timeout 110 $refresher "$@" >"$t/out" 2>"$t/err" </dev/null || rc=$?
	took=$(($(date +%s) - begun))
	log_sync
	log_lines >"$t/log"
}

# ran STATUS SECONDS: that status, within that time.
ran() {
	[ "$rc" -eq "$1" ] && [ "$took" -le "$2" ]
}

# has_more FILE LINES
has_more() {
	[ "$(wc -l <"$1")" -gt "$2" ]
}

no_word() {
	[ ! -s "$t/out" ] && [ ! -s "$t/err" ]
}

# counts EXPRESSION: of the summary as j.
counts() {
	python3 -c 'import json, sys
j = json.load(open(sys.argv[1]))
assert j["profiles"] == sum(j[k] for k in ("current", "updated", "refused",
    "failed", "without-portal")), j
assert len(j["problems"]) == j["refused"] + j["failed"], j
assert all(set(p) == {"udf", "result", "reason"} for p in j["problems"])
assert '"$1"', j' "$t/out"
}

# asked_by NAME: the last If-None-Match that came for her.
asked_by() {
	grep "$(cat "$t/udf/$1").json" "$t/asked" | tail -n 1 |
	    cut -d' ' -f 3
}

# of_portal PORT EXPRESSION: of its counts as j.
of_portal() {
	curl -qs "http://$ip:$1/control/stats" >"$t/stats"
	python3 -c 'import json, sys
j = json.load(open(sys.argv[1]))
assert '"$2"', j' "$t/stats"
}

# everybody: what a table of NAME, PORTAL, PATTERN says, as people.
everybody() {
	while read -r name where pattern; do
		person "$name" "$where"
	done <"$1"
}

# each TABLE CHECK: of each of them, with the pattern.
each() {
	while read -r name where pattern; do
		ok "${where#http*://*/}: $pattern" "$2" "$name" "$pattern"
	done <"$1"
}

make_certificates
start_portal
start_nginx

# answers PORT [OPTION...]: somebody who minds nothing; else a refusal would
# prove nothing.
answers() {
	port=$1
	shift
	curl -qsk --max-time 10 "$@" -o /dev/null "$tls:$port/"
}

for p in 8443 8444 8445 8446; do
	ok "port $p answers those who do not mind" answers $p
done
ok "port 8447 those who know TLS 1.1" answers 8447 --tlsv1.1 \
    --tls-max 1.1 --ciphers ALL:@SECLEVEL=0

# What lasts as long as we let it, in the background.
host_at /run/slow
cp /etc/passwd /etc/group /run/slow/etc
cat >slow.table <<END
chunks-slow $slow/chunks-slow timed out|no answer in time
drip $slow/drip Operation too slow
silent $slow/silent Operation too slow
headers-slow $slow/headers-slow Operation too slow|timed out|bytes
tls-silent $tls:53 SSL connection timeout|timed out
dns-silent http://silent.example Resolving timed out
dns-silent2 https://silent2.example/x Resolving timed out
END
everybody slow.table
{
	slow_rc=0
	begun=$(date +%s)
	timeout 110 $refresher --root /run/slow --debug --json \
	    >slow.out 2>slow.err </dev/null || slow_rc=$?
	echo "$slow_rc $(($(date +%s) - begun))" >slow.end
} &
slow_pid=$!

# What is over at once, and gives nobody anything.
host_at ''
cat >bad.table <<END
file $fast/redirect-file redirected to another server
host $fast/redirect-host redirected to another server
port $fast/redirect-port redirected to another server
credentials $fast/redirect-user redirected to another server
scheme $fast/redirect-scheme redirected to another server
loop $fast/redirect-loop redirected too often
thrice $fast/redirect-thrice redirected too often
see-other $fast/redirect-303 HTTP status 303
down $tls:8443/down redirected to another server
up http://mesh.example:8080/up redirected to another server
wrong $tls:8446 SSL: no alternative certificate subject name
expired $tls:8445 SSL certificate problem: certificate has expired
self $tls:8444 SSL certificate problem: self-signed certificate
old-tls $tls:8447 alert protocol version|unsupported protocol
plain $tls:8180 SSL routines::
nobody http://$ip:9 Failed to connect to $ip port 9 
captive $fast/captive redirected to another server
html $fast/html what the portal sent is no profile set
none $fast/none what the portal sent is no profile set
chunks $fast/chunks more bytes than are allowed
headers-many $fast/headers-many more bytes than are allowed
header-long $fast/header-long more bytes|line of the header too long
interim $fast/interim more bytes than are allowed
gzip $fast/gzip compressed answer
gzip-unsaid $fast/gzip-unsaid what the portal sent is no profile set
gzip-transfer $fast/gzip-transfer compressed answer
short $fast/short transfer closed with 10 bytes remaining
empty $fast/status-204 HTTP status 204
part $fast/status-206 HTTP status 206
created $fast/status-201 HTTP status 201
broken $fast/status-500 HTTP status 500
away $fast/status-503 HTTP status 503
odd $fast/status-999 HTTP status 999
unasked $fast/status-304 the portal confirms what was not asked
status-garbage $fast/status-garbage Unsupported HTTP
status-four $fast/status-four Unsupported response code|status
no-http $fast/no-http HTTP/0.9
no-header $fast/no-header HTTP/0.9
nothing $fast/nothing Empty reply
reset $fast/reset reset by peer
post-redirect $fast/post-redirect HTTP status 307
END
everybody bad.table
new_key X
new_key Y
person alice "$fast/short" --device "Y=$keys/Y.pub"
mkset --seed alice --updated now-3d --device "X=$keys/X.pub" \
    --out "$cache/" --seen "$memory/"
cp -p "$cache/$udf.json" "$memory/$udf.seen" "$t/before"
everyone=$(grep -c . "$config/map")
run --debug --json
ok "portals that fail: 75, soon" ran 75 30
each bad.table keeps
ok "all of them are counted" counts \
    "j['failed'] == len(j['problems']) == $everyone"
ok "and told once" in_log "$everyone profiles: 0 current, 0 updated, \
0 refused, $everyone failed, 0 without a portal; event=refresh.run"
# Sixty lines at once are more than a log without a wait may take.
for p in "http://$ip:9" $tls:8445 "$fast/status-500"; do
	ok "${p#http*://*/} is named" \
	    grep -Eq "portal: '$p': .*; event=refresh.portal" "$t/err"
done
ok "nobody was asked for credentials or compression" \
    not grep -Evq ' - -$' asked
offer alice "$keys/X"
ok "alice logs in as before" decided 1
run
ok "no terminal, no word" no_word

# Retry-After, and other servers that are not put off by it.
: >"$config/map"
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	person "busy$i" "http://$ip:8182/busy"
	person "many$i" "http://$ip:8183/many"
done
person calm "$fast"
run --debug --json
ok "503 and 429 with Retry-After: 75" ran 75 20
ok "told as such" grep -q "HTTP status 503; .*user=busy" err
ok "told as such, 429" grep -q "HTTP status 429; .*user=many" err
ok "those behind are not asked for" \
    grep -q "asked to be left alone; .*user=busy" err
ok "at most what was under way came" of_portal 8182 "j['requests'] <= 8"
ok "at most what was under way came, 429" \
    of_portal 8183 "j['requests'] <= 8"
ok "all of them are counted" counts "j['failed'] == 40 == j['updated'] * 40"
ok "another server is asked" takes calm
for i in 1 20; do
	ok "busy$i keeps her set" kept "busy$i"
	ok "many$i keeps her set" kept "many$i"
done

# Sets that must stay out.
: >"$config/map"
cat >refused.table <<END
stranger $fast/other the set belongs to another fingerprint
cut $fast/cut set: string without end
posted $fast/post-other the set belongs to another fingerprint
END
everybody refused.table
person calm2 "$fast"
person page "$fast/html"
run --debug --json
ok "sets that must stay out: 65, whatever else failed" ran 65 20
each refused.table refuses
ok "they are counted" counts "j['refused'] == 3 and \
j['updated'] == j['failed'] == 1"
ok "and told" in_log 'event=refresh.refused user=stranger '

# What is unusual and right.
: >"$config/map"
cat >good.table <<END
here $fast/redirect-here
twice $fast/redirect-twice
excess $fast/excess
post-only $fast/post-only
moved $tls:8443/moved
tls $tls:8443
plain-http http://mesh.example:8080
slashes $fast///
weak $fast/etag-weak
bare $fast/etag-bare
space $fast/etag-space
quote $fast/etag-quote
latin $fast/etag-latin
nothing2 $fast/etag-empty
long $fast/etag-long
longest $fast/etag-longest
two $fast/etag-two
honest $fast
END
everybody good.table
run --debug --json
ok "portals that are odd and right: 0" ran 0 20
each good.table takes
ok "they are counted" counts "j['updated'] == 18"
ok "nothing of it is worth more than a line each" \
    [ "$(wc -l <log)" -eq 18 ]
touch -d '5 minutes ago' "$cache"/*.json marked
run --debug --json
ok "the same again: 0" ran 0 20
each good.table confirms
ok "they are current" counts "j['current'] == 18"
for name in weak bare space quote latin long two; do
	ok "etag-$name is not remembered" [ "$(asked_by $name)" = - ]
done
ok "a strong ETag is asked with" [ "$(asked_by honest)" = \
    "\"$(sha256sum "$sets/$(cat udf/honest).json" | cut -c 1-32)\"" ]
ok "one without letters as well" [ "$(asked_by nothing2)" = '""' ]
ok "one of 512 bytes as well" [ "$(asked_by longest | tr -d '\n' |
    wc -c)" -eq 512 ]
ok "a 304 moves the time of the set" \
    not same_time "$cache/$(cat udf/honest).json" marked

# A confirmation of bytes that are not here.
run --debug honest
udf=$(cat udf/honest)
echo >>"$cache/$udf.json"
run --debug honest
ok "changed by hand: 0" ran 0 20
ok "the ETag is not sent" [ "$(asked_by honest)" = - ]
ok "her set is mended" has_news honest
echo >>"$cache/$udf.json"
moves honest "$fast/status-304"
touch -d '10 minutes ago' "$cache/$udf.json"
cp -p "$cache/$udf.json" "$t/changed"
run --debug honest
ok "a 304 for it: 75" ran 75 20
ok "is refused" told honest failed "confirms what was not asked"
ok "changes nothing" cmp "$cache/$udf.json" changed
ok "nor its time" same_time "$cache/$udf.json" changed
moves honest "$fast"
run --debug honest
moves honest "$fast/late-304"
requests=$(wc -l <asked)
{
	wait_for has_more asked "$requests"
	echo >>"$cache/$udf.json"
} &
run --debug honest
wait $!
ok "changed while the portal is asked: 75" ran 75 20
ok "is refused as well" told honest failed "confirms bytes that are not here"

# Nothing of the environment or of a user's files is believed.
: >"$config/map"
person env $tls:8443
person env2 $tls:8444
printf 'machine mesh.example login me password secret\n' >/run/home/root/.netrc
printf 'proxy = "http://%s:9"\ninsecure\n' "$ip" >/run/home/root/.curlrc
: >access.8443
(
	export HOME=/run/home/root CURL_HOME=/run/home/root \
	    http_proxy="http://$ip:9" https_proxy="http://$ip:9" \
	    HTTPS_PROXY="http://$ip:9" ALL_PROXY="http://$ip:9" \
	    all_proxy="http://$ip:9" \
	    SSLKEYLOGFILE="$t/tls.keys" CURL_CA_BUNDLE="$t/self.pem" \
	    SSL_CERT_FILE="$t/self.pem" SSL_CERT_DIR="$t" \
	    OPENSSL_CONF="$t/nginx.conf" RES_OPTIONS=nochecks \
	    LOCALDOMAIN=example HOSTALIASES="$t/hosts.alias"
	rc=0
	$refresher --debug >out 2>err </dev/null || rc=$?
	echo "$rc" >rc
)
rc=$(cat rc)
ok "a hostile environment: as without" [ "$rc" -eq 75 ]
ok "the proxies and its authorities do not count" takes env
ok "nor is its certificate believed" keeps env2 'self-signed certificate'
ok "no credentials were sent" grep -q ' 200 "-" "-"$' access.8443
ok "no keys were written" [ ! -e tls.keys ]

# Two hundred, of whom two fail; and few connections.
: >"$config/map"
i=0
while [ $i -lt 200 ]; do
	person "u$i" $tls:8443
	i=$((i + 1))
done
rm "$sets/$(cat udf/u17).json"
echo '{"GetResponse":' >"$sets/$(cat udf/u150).json.half"
moves u150 $tls:8445
: >access.8443
run --debug --json
ok "two of two hundred fail: 75" ran 75 30
ok "the others are new" counts "j['updated'] == 198 and j['failed'] == 2 \
and j['refused'] == j['current'] == 0 and j['seconds'] <= 30"
ok "u0 is" takes u0
ok "u199 is" takes u199
ok "no file: 404" keeps u17 'no such profile'
ok "no TLS" keeps u150 'certificate has expired'
ok "two hundred requests" [ "$(wc -l <access.8443)" -ge 199 ]
connections=$(cut -d' ' -f 1 access.8443 | sort -u | wc -l)
ok "over few connections of HTTP/2: $connections" [ "$connections" -le 8 ]
ok "HTTP/2 it was" not grep -vq ' HTTP/2.0 ' access.8443
ok "at the default level: what is new, who failed and the summary" \
    [ "$(wc -l <log)" -le 201 ]
run
ok "again: 75" ran 75 30
ok "a line for the portal that fails, and the summary" \
    [ "$(wc -l <log)" -eq 2 ]
ok "the one" in_log "portal: '$tls:8445': .*expired; event=refresh.portal"
ok "the other" in_log "200 profiles: 198 current, 0 updated, 0 refused, \
2 failed, 0 without a portal; event=refresh.run"
ok "no word without a terminal" no_word
ok "304 it was" [ "$(grep -c ' 304 ' access.8443)" -eq 198 ]

# A terminal is told how far it is.
rc=0
python3 -c 'import os, pty, sys
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))' \
    $refresher >out 2>err </dev/null || rc=$?
ok "on a terminal: 75" [ "$rc" -eq 75 ]
ok "it counts" grep -q '[0-9]* of 200 profiles' out
ok "to the end" grep -q '200 of 200 profiles' out

# Without HTTP/2: eight at once, which stay.
: >"$config/map"
i=0
while [ $i -lt 40 ]; do
	person "p$i" "http://$ip:8184/pause"
	i=$((i + 1))
done
run --debug --json
ok "forty from a server that takes its time: 0" ran 0 30
ok "all of them new" counts "j['updated'] == 40"
ok "eight at once" of_portal 8184 "j['most'] == 8"
ok "over as many connections" of_portal 8184 "j['connections'] <= 8"

# --dry-run asks and writes nothing.
: >"$config/map"
person dry "$fast"
run --debug --json --dry-run
ok "dry: 0" ran 0 10
ok "what would be new is told" told dry updated
ok "and nothing written" kept dry

# A name server that does not answer holds nobody up for long.
: >"$config/map"
person unnamed https://silent3.example
person named "$fast"
run --debug
ok "a name server that is silent: 75" ran 75 20
ok "holds her up" keeps unnamed 'Resolving timed out'
ok "and nobody else" takes named

# Neither process outlives the other one.
: >"$config/map"
person stuck "$slow/silent"
stuck() {
	requests=$(wc -l <asked)
	$refresher --debug >out 2>err </dev/null &
	keeper=$!
	wait_for has_child
	child=$(cat "/proc/$keeper/task/$keeper/children")
	wait_for has_more asked "$requests"
}
has_child() {
	[ -n "$(cat "/proc/$keeper/task/$keeper/children")" ]
}
gone() {
	[ ! -e "/proc/$1" ] || grep -q '^State:.Z' "/proc/$1/status"
}
stuck
# shellcheck disable=SC2086 # with a space behind
kill -s KILL $child
rc=0
wait "$keeper" || rc=$?
ok "the fetching process is killed: 71" [ "$rc" -eq 71 ]
ok "nothing changes" keeps stuck 'the fetching process is gone'
stuck
kill -s KILL "$keeper"
wait "$keeper" 2>/dev/null
# shellcheck disable=SC2086
ok "the keeping one is killed: the other ends" wait_for gone $child
ok "nothing changes either" kept stuck

# alice, at last.
: >"$config/map"
person alice "$fast" --device "Y=$keys/Y.pub"
run --debug alice
ok "alice has a portal: 0" ran 0 10
ok "a new set" takes alice
offer alice "$keys/X"
ok "a deleted key is no longer hers" decided 0
offer alice "$keys/Y"
ok "a new one is" decided 1

# The slow ones.
wait $slow_pid
read -r rc took <slow.end
cp slow.err err
cp slow.out out
host_at /run/slow
ok "portals that never end: 75, in $took s" ran 75 75
each slow.table keeps
ok "they are counted" counts "j['failed'] == 7"
ok "the portal did not break" [ ! -s portal.err ]
still_there() {
	readlink /proc/[0-9]*/exe | grep mesh-refresh
}
ok "no process is left" not still_there
finish
