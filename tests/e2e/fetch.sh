#!/bin/sh
# Fetching from a real nginx: HTTP/2, certificates that are right and wrong
# in every way, a name server that hangs, and ten thousand requests.  Runs as
# root in namespaces of mounts and processes of its own, with its own /etc;
# everything that it starts listens on one address of the loopback and ends
# with the script.
set -eu

# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

if [ -z "${MK_FETCH_WORLD-}" ]; then
	[ -z "${MK_SKIP_E2E-}" ] || skip_all "MK_SKIP_E2E is set"
	[ "$(id -u)" -eq 0 ] || skip_all "needs root"
	for tool in unshare nginx openssl curl curl-config python3 setpriv; do
		PATH=$PATH:/usr/sbin command -v $tool >/dev/null 2>&1 ||
		    skip_all "no $tool"
	done
	unshare --mount --pid --fork true 2>/dev/null ||
	    skip_all "no namespaces here"
	scratch=$(mktemp -d)
	trap 'rm -rf "$scratch"' EXIT
	MK_FETCH_WORLD=$scratch unshare --mount --pid --fork --mount-proc \
	    --kill-child --propagation private timeout --foreground -k 5 300 \
	    sh "$0" "$@"
	exit
fi

t=$MK_FETCH_WORLD
# shellcheck disable=SC2034 # tap.sh reads it
tap_shows=out
chmod 755 "$t"
cd "$t"
PATH=$PATH:/usr/sbin:/sbin
builddir=${MK_BUILDDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
cp "$builddir/tests/e2e/fetchcli" "$t/fetchcli"
# One of 65,024 addresses, since others may run this test as well.
# shellcheck disable=SC2046
set -- $(od -An -N2 -tu1 /dev/urandom)
ip=127.$(($1 % 254 + 1)).$2.1

cp -a /etc "$t/etc"
mount --bind "$t/etc" /etc
rm -f /etc/resolv.conf
echo "nameserver $ip" >/etc/resolv.conf
echo 'hosts: files dns' >/etc/nsswitch.conf
cat >/etc/hosts <<EOF
127.0.0.1 localhost
$ip mesh.example other.example
EOF

# issue NAME HOST [START END]: NAME.pem and NAME.key, of our authority.
issue() {
	openssl req -newkey rsa:2048 -nodes -subj "/CN=$2" \
	    -keyout "$1.key" -out "$1.csr" -config ca.conf 2>/dev/null
	echo "subjectAltName = DNS:$2" >"$1.ext"
	openssl ca -batch -notext -config ca.conf -in "$1.csr" \
	    -out "$1.pem" -extfile "$1.ext" \
	    -startdate "${3:-20200101000000Z}" \
	    -enddate "${4:-20991231000000Z}" 2>/dev/null
}

make_certificates() {
	cat >ca.conf <<EOF
[req]
distinguished_name = name
x509_extensions = root
[name]
[root]
basicConstraints = critical, CA:TRUE
[ca]
default_ca = here
[here]
new_certs_dir = .
database = index
serial = serial
certificate = ca.pem
private_key = ca.key
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
EOF
	: >index
	echo 01 >serial
	openssl req -x509 -newkey rsa:2048 -nodes -subj "/CN=test" \
	    -days 3650 -keyout ca.key -out ca.pem -config ca.conf 2>/dev/null
	openssl req -x509 -newkey rsa:2048 -nodes -subj "/CN=mesh.example" \
	    -addext "subjectAltName = DNS:mesh.example" -days 3650 \
	    -keyout self.key -out self.pem -config ca.conf 2>/dev/null
	issue good mesh.example
	issue wrong somebody.example
	issue expired mesh.example 20200101000000Z 20200201000000Z
	cat ca.pem >>"$(curl-config --ca)"
}

# server PORT CERTIFICATE [LINE]: a TLS server; without a certificate, none.
server() {
	echo "server { listen $ip:$1 ${2:+ssl http2}; $3"
	[ -z "$2" ] || echo "ssl_certificate $t/$2.pem;
	    ssl_certificate_key $t/$2.key;"
	cat <<EOF
	root $t/www;
	location = /moved { return 302 /set.json; }
	location = /plain { return 302 http://mesh.example:8080/set.json; }
	location = /other { return 302 https://other.example:8443/set.json; }
}
EOF
}

start_nginx() {
	mkdir www
	head -c 3000 /dev/urandom | base64 >www/set.json
	{
		cat <<EOF
daemon off; master_process off; user root; pid $t/nginx.pid;
error_log $t/nginx.log; worker_rlimit_nofile 4096;
events { worker_connections 2048; }
http {
access_log off; log_format connections '\$connection \$server_protocol';
keepalive_requests 1000000; gzip on; gzip_types *;
gzip_min_length 1;
client_body_temp_path $t/b; proxy_temp_path $t/p; fastcgi_temp_path $t/f;
uwsgi_temp_path $t/u; scgi_temp_path $t/s;
EOF
		server 8080 '' ''
		server 8443 good "access_log $t/access connections;"
		server 8444 self ''
		server 8445 expired ''
		server 8446 wrong ''
		server 8447 good 'ssl_protocols TLSv1.1;
		    ssl_ciphers ALL:@SECLEVEL=0;'
		echo '}'
	} >nginx.conf
	nginx -p "$t" -c "$t/nginx.conf" >nginx.out 2>&1 &
	nginx=$!
	within 10 curl -s -o /dev/null "http://$ip:8080/set.json" ||
	    skip_all "nginx does not start"
}

# A name server that takes questions.
start_silence() {
	python3 -c 'import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 53))
time.sleep(290)' "$ip" &
	silence=$!
}

# verdict NAME: passes if the last command, kept in $rc, did.
verdict() {
	ok "$1" [ "$rc" -eq 0 ]
}

# fetch ARGUMENT...: as nobody, through the confined process and without it.
fetch() {
	rc=0
	setpriv --reuid 65534 --regid 65534 --clear-groups \
	    timeout 60 ./fetchcli "$@" >out 2>&1 </dev/null || rc=$?
}

# is NAME PATTERN URL [ARGUMENT...]: both ways give such an answer.
is() {
	what=$1
	pattern=$2
	shift 2
	for apart in '' -c; do
		fetch $apart "$@"
		[ "$rc" -ne 0 ] || grep -Exq -e "$pattern" out || rc=1
		verdict "$what${apart:+, apart}"
	done
}

# answers PORT [OPTION...]: a client that does not mind gets an answer; else
# a refusal would prove nothing.
answers() {
	port=$1
	shift
	rc=0
	curl -sk --max-time 10 "$@" -o /dev/null \
	    "https://mesh.example:$port/set.json" >out 2>&1 || rc=$?
	verdict "port $port answers others"
}

refuses() {
	is "$1" '0 failed 0 - 0 .+' "https://mesh.example:$2/set.json"
}

make_certificates
start_nginx
start_silence
url=https://mesh.example:8443
size=$(wc -c <www/set.json)

is "a file over TLS" "0 done 200 \"[^\"]+\" $size -" $url/set.json
is "a file without TLS" "0 done 200 \"[^\"]+\" $size -" \
    http://mesh.example:8080/set.json
is "no file" "0 done 404 - [0-9]+ -" $url/absent
tag=$(curl -sI $url/set.json | tr -d '\r' | sed -n 's/^etag: //p')
is "the same file" "0 done 304 \"[^\"]+\" 0 -" -e "$tag" $url/set.json
is "a redirect" "0 done 200 \"[^\"]+\" $size -" $url/moved
is "a redirect to another host" '0 failed 0 - 0 redirected .+' $url/other
is "a redirect without TLS" '0 failed 0 - 0 redirected .+' $url/plain

answers 8444
refuses "a certificate of its own" 8444
answers 8445
refuses "an expired certificate" 8445
answers 8446
refuses "a certificate of another name" 8446
answers 8447 --tlsv1.1 --tls-max 1.1 --ciphers ALL:@SECLEVEL=0
refuses "TLS 1.1" 8447

http_proxy=http://$ip:1 https_proxy=http://$ip:1 ALL_PROXY=http://$ip:1
SSL_CERT_FILE=/dev/null
export http_proxy https_proxy ALL_PROXY SSL_CERT_FILE
is "proxies of the environment" "0 done 200 \"[^\"]+\" $size -" \
    $url/set.json
unset http_proxy https_proxy ALL_PROXY SSL_CERT_FILE

begun=$(date +%s)
is "a name server that hangs" '0 timeout 0 - 0 .+' -s 2 \
    http://silent.example/
rc=0
[ $(($(date +%s) - begun)) -le 10 ] || rc=1
verdict "its time is bounded"

: >access
fetch -q -n 100 $url/set.json
[ "$(sort -u access | wc -l)" -eq 1 ] && grep -q ' HTTP/2.0$' access || rc=1
verdict "one connection of HTTP/2 for many"
fetch -q -n 10000 $url/set.json
[ "$rc" -ne 0 ] || grep -q '^10000 answers, 10000 good' out || rc=1
verdict "ten thousand requests"
echo "# here: $(cat out)"
fetch -cq -n 10000 $url/set.json
[ "$rc" -ne 0 ] || grep -q '^10000 answers, 10000 good' out || rc=1
verdict "ten thousand requests, apart"
echo "# apart: $(cat out)"
begun=$(date +%s%N)
rc=0
curl -s --parallel --parallel-max 64 -o /dev/null \
    "$url/set.json?[1-10000]" >out 2>&1 || rc=$?
echo "# curl --parallel: $((($(date +%s%N) - begun) / 1000000)) ms" \
    "(status $rc)"

kill "$nginx" "$silence"
finish
