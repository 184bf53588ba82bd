#!/bin/sh
# meshman against portals that are away, slow, broken, swapped or hostile,
# clocks that are wrong, and people who change their mind: one clear line,
# nothing lost, nothing by half.  No root needed.
set -eu

# shellcheck source=tests/e2e/man-lib.sh
. "$(dirname "$0")/man-lib.sh"

if [ ! -x "$builddir/meshportal" ]; then
	echo "1..0 # SKIP no meshportal here"
	exit 0
fi
if ! command -v openssl >/dev/null 2>&1; then
	echo "1..0 # SKIP no openssl"
	exit 0
fi

# look FILE: what every user has, and what the portal has.
look() {
	(cd "$t/users" && find . -type f ! -name .lock -exec sha512sum {} + |
	    sort) >"$1"
	python3 - "$t/data/portal.db" >>"$1" <<-'END'
	import sqlite3, sys
	db = sqlite3.connect(sys.argv[1], timeout=20)
	for table in "profile", "account", "pending", "result":
	    print(table, list(db.execute("SELECT * FROM " + table)))
	END
}

# Nothing that a terminal would obey.
clean() {
	! LC_ALL=C grep -q '[^[:print:][:space:]]' "$t/out" "$t/err"
}

# told STATUS PATTERN: in one line, with a hint behind it perhaps.
told() {
	ends "$@" && clean && [ "$(grep -c '^meshman: ' "$t/err")" -eq 1 ]
}

same() {
	look "$t/after"
	diff "$t/before" "$t/after"
}

refusal() {
	told "$1" && same && grep -Eq -e "$2" "$t/out" "$t/err"
}

# refused WHAT STATUS PATTERN WORD...: and everything is as before.
refused() {
	case_=$1
	status=$2
	pattern=$3
	shift 3
	look "$t/before"
	man "$@"
	ok "$case_" refusal "$status" "$pattern"
}

# reply STATUS FILE [HEADER]...: what 'wire raw' answers from now on.
reply() {
	{
		printf 'HTTP/1.1 %s Whatever\r\nConnection: close\r\n' "$1"
		printf 'Content-Length: %s\r\n' "$(wc -c <"$2")"
		from=$2
		shift 2
		[ $# -eq 0 ] || printf '%s\r\n' "$@"
		printf '\r\n'
		cat "$from"
	} >"$t/raw.new"
	mv "$t/raw.new" "$t/wire/raw"
}

# say STATUS TEXT
say() {
	printf '%s' "$2" >"$t/text"
	reply "$1" "$t/text"
}

udf() {
	as "$1"
	man list --json
	sed 's/.*"fingerprint":"\([^"]*\)".*/\1/' "$t/out"
}

device() {
	as "$1"
	man device --json
	sed 's/.*"device":"\([^"]*\)".*/\1/' "$t/out"
}

# ask TRANSACTION MEMBER...: of the true portal, unsigned, into $t/answer.
ask() {
	python3 - "$(cat "$t/wire/upstream")" "$@" >"$t/answer" <<-'END'
	import json, sys, urllib.request
	where, name, *members = sys.argv[1:]
	body = {name: dict(m.split("=", 1) for m in members)}
	print(urllib.request.urlopen(urllib.request.Request(
	    "http://%s/.well-known/mmm/" % where, json.dumps(body).encode(),
	    {"Content-Type": "application/json"}), timeout=20).read()
	    .decode())
	END
}

wire_start
mkdir "$t/users"
for key in k1 k2 k3 k4; do
	new_key "$key"
done
as alice
man --portal "$url" personal alice@example.com --no-passphrase --name laptop
ok "alice" ends 0
as mallory
man --portal "$url" personal mallory@example.com --no-passphrase --name M
ok "mallory" ends 0
alice=$(udf alice)
mallory=$(udf mallory)
cp "$t/users/alice/meshkeys/profile.json" "$t/alice.json"
cp "$t/users/mallory/meshkeys/profile.json" "$t/mallory.json"

# What does not come to an end, beside everything else.
printf 'HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n' >"$t/wire/raw"
cp -a "$t/users/alice" "$t/slow"
mkdir "$t/slower"
slow() {
	mkdir "$t/slower/$1"
	cp "$t/wire/upstream" "$t/wire/raw" "$t/slower/$1"
	echo "all-$1" >"$t/slower/$1/mode"
	python3 "$srcdir/tests/e2e/breaking.py" "$t/slower/$1" 2>/dev/null &
	pids="$pids $!"
	within 20 test -s "$t/slower/$1/port" || exit 99
	cp -a "$t/slow" "$t/slower/$1/alice"
	XDG_DATA_HOME=$t/slower/$1/alice setsid --wait timeout 80 \
	    "$meshman" --portal "http://127.0.0.1:$(cat \
	    "$t/slower/$1/port")" sync >"$t/slower/$1/out" \
	    2>"$t/slower/$1/err" </dev/null &
	echo $! >"$t/slower/$1/pid"
	pids="$pids $!"
}
slow drip
slow hang

# The set that /sync is given.
cat "$t/alice.json" >"$t/twice.json"
sed 's/"Status":201/"Status":201,"Status":201/' "$t/alice.json" \
    >"$t/double.json"
sed 's/GetResponse/PutResponse/' "$t/alice.json" >"$t/tag.json"
sed 's/"Status":201/"Status":404/' "$t/alice.json" >"$t/status.json"
cat "$t/alice.json" "$t/alice.json" >"$t/two.json"
head -c 500 "$t/alice.json" >"$t/half.json"
python3 -c 'print("[" * 100000)' >"$t/deep.json"
python3 -c 'print("{\"GetResponse\":" * 100000)' >"$t/deeper.json"
head -c 4096 /dev/urandom >"$t/garbage.json"
head -c 5242880 /dev/zero | tr '\0' ' ' >"$t/big.json"
python3 -c 'print("[" + "0," * 2000000 + "0]")' >"$t/many.json"
echo '<!DOCTYPE html><title>Please log in</title>' >"$t/html.json"
: >"$t/empty.json"
as alice
wire raw:Get
for bad in mallory double tag status two half deep deeper garbage big many \
    html empty; do
	reply 200 "$t/$bad.json"
	refused "/sync, $bad: 65, whose fault it is" 65 "'$url' sends" sync
done
for status in 204 206 304 400 403 500 503; do
	reply "$status" "$t/alice.json"
	refused "/sync, a set with HTTP $status: 75" 75 "'$url'.*$status" sync
done
reply 404 "$t/alice.json"
refused "/sync, HTTP 404: 66" 66 "'$url' knows no such profile" sync
reply 429 "$t/html.json" 'Retry-After: 7'
refused "/sync, too often: 75 and when" 75 "'$url'.*429.*7 seconds" sync
reply 302 "$t/html.json" "Location: http://127.0.0.2:$port/x"
refused "/sync, to another host: 75" 75 'another server' sync
reply 302 "$t/html.json" "Location: $url/.well-known/mmm/$alice.json"
refused "/sync, a loop: 75" 75 'too often' sync
wire endless:Get
refused "/sync, without end: 75" 75 'more bytes' sync

# What /personal is told, before anything is made.
wire ok
as new
look "$t/before"
man --portal http://127.0.0.1:1 personal new@example.com --no-passphrase
ok "/personal, nobody listens: 75" eval \
    'told 75 "127.0.0.1:1.*gives no answer" && same'
valid='{"ValidateAccountResponse":{"Status":201,"Valid":true}}'
wire raw:ValidateAccount
# personal STATUS-OF-HTTP TEXT WHAT STATUS PATTERN
personal() {
	say "$1" "$2"
	refused "/personal, $3: $4" "$4" "$5" \
	    --portal "$url" personal new@example.com --no-passphrase
}
personal 200 "$(cat "$t/html.json")" "HTML" 75 "'$url' does not answer"
personal 200 '' "nothing" 75 "'$url' does not answer"
personal 200 '[]' "no object" 75 "'$url' does not answer"
personal 200 '{"HelloResponse":{"Status":201}}' "of something else" 75 \
    "'$url' does not answer"
personal 200 "${valid%\}}}," "cut off" 75 "'$url' does not answer"
personal 200 '{"ValidateAccountResponse":{"Status":201,"Valid":true,
    "Valid":true}}' "said twice" 75 "'$url' does not answer"
personal 200 '{"ValidateAccountResponse":{"Status":201,"Valid":"yes"}}' \
    "neither true nor false" 75 "'$url' does not answer"
personal 200 '{"ValidateAccountResponse":{"Status":201}}' "no word of it" \
    75 "'$url' does not answer"
personal 200 '{"ValidateAccountResponse":{"Status":201,"Valid":false,
    "Reason":"\u001b[2Jno\u0007 \u202e\n"}}' "a reason that a terminal obeys" \
    65 'does not take .new@example.com.: [?]\[2Jno[?] '
personal 503 "$valid" "valid with HTTP 503" 75 "'$url' says 503"
personal 304 "$valid" "valid with HTTP 304" 75 "'$url'.* 304"
personal 302 "$valid" "valid with HTTP 302" 75 "'$url'.* 302"
personal 200 '{"ValidateAccountResponse":{"Status":503,"Valid":true}}' \
    "valid with status 503" 75 "'$url' says 503"
personal 200 '{"ValidateAccountResponse":{"Status":100,"Valid":true}}' \
    "valid with status 100" 75 "'$url' says 100"
personal 200 '{"ValidateAccountResponse":{"Status":99999999999}}' \
    "no status" 75 "'$url' does not answer"
for bad in deep deeper garbage big many; do
	reply 200 "$t/$bad.json"
	refused "/personal, $bad: 75" 75 "'$url' does not answer" \
	    --portal "$url" personal new@example.com --no-passphrase
done
say 429 '{"ValidateAccountResponse":{"Status":429}}'
sed 's/^Connection.*/Retry-After: 99999999\r/' "$t/wire/raw" >"$t/raw.new"
mv "$t/raw.new" "$t/wire/raw"
refused "/personal, too often: 75 and when" 75 '429.*3600 seconds' \
    --portal "$url" personal new@example.com --no-passphrase
reply 307 "$t/html.json" "Location: http://127.0.0.2:$port/x"
refused "/personal, to another host: 75" 75 "'$url'.*(307|another server)" \
    --portal "$url" personal new@example.com --no-passphrase
wire endless:ValidateAccount
refused "/personal, without end: 75" 75 'more bytes' \
    --portal "$url" personal new@example.com --no-passphrase

# CreateAccount.
for bad in html big double; do
	as "create-$bad"
	reply 200 "$t/$bad.json"
	wire raw:CreateAccount
	man --portal "$url" personal "$bad@example.com" --no-passphrase
	ok "/personal, then $bad: 75" told 75 'not answer as a portal'
	ok "and what to do" ends 75 "/personal $bad@example.com"
	wire ok
	refused "the account is not there" 66 'meshman /personal' sync
	man --portal "$url" personal "$bad@example.com"
	ok "the same again goes on" ends 0 "published as $bad" out
done
as taken
say 409 '{"CreateAccountResponse":{"Status":409,
    "StatusDescription":"the account is taken"}}'
wire raw:CreateAccount
man --portal "$url" personal taken@example.com --no-passphrase
ok "taken meanwhile: 65 and what to do" eval \
    'told 65 "409: the account is taken" && ends 65 ANOTHER-ACCOUNT'
wire ok
man --portal "$url" personal ALICE@Example.COM
ok "nor one that differs by case: 65" told 65 'says 409'
man --portal "$url" personal Taken@Example.com
ok "another: published, in lower case" ends 0 'as taken@example.com' out
man personal TAKEN@example.com
ok "which is the same account" ends 0 'as taken@example.com' out
as lost
wire done:CreateAccount
man --portal "$url" personal lost@example.com --no-passphrase
ok "an account that was promised, and is not there" ends 0
wire ok
refused "/sync tells: 66 and what to do" 66 'knows no such profile' sync
ok "by which word" ends 66 'meshman /personal lost@example.com'
man personal lost@example.com
man sync
ok "which publishes it" ends 0 'nothing new' out
reply 200 "$t/mallory.json"
wire raw:Get
refused "somebody else's instead of it: 65" 65 "'$url' sends" sync

# Published, said the portal, and it is not so.
as alice
wire done:Publish
man ssh --key "$t/k1.pub"
ok "a change that was promised" ends 0
wire ok
man sync
ok "/sync tells, and publishes it" eval \
    'ends 0 "has gone back" && says "published again"'
man sync
ok "once" eval 'ends 0 "nothing new" out && [ ! -s "$t/err" ]'
for bad in html big double; do
	reply 200 "$t/$bad.json"
	wire raw:Publish
	new_key "$bad"
	man ssh --key "$t/$bad.pub"
	ok "a change, then $bad: 75" told 75 'as a portal'
	ok "it is kept" [ -e "$dir/outgoing.json" ]
	wire ok
	man sync
	ok "and published by the next word" eval 'ends 0 &&
	    [ ! -e "$dir/outgoing.json" ]'
done
say 302 '{"PublishResponse":{"Status":201}}'
wire raw:Publish
man ssh --key "$t/k3.pub"
ok "done, with HTTP 302: 75, kept" eval 'told 75 "says 302" &&
    [ -e "$dir/outgoing.json" ]'
say 200 '{"PublishResponse":{"Status":503}}'
refused "done by HTTP, not by the answer: 75, kept" 75 'says 503' sync
say 503 '{"PublishResponse":{"Status":201}}'
refused "done by the answer, not by HTTP: 75, kept" 75 'says 503' sync
say 429 '{"PublishResponse":{"Status":429}}'
refused "too often: 75, kept" 75 'says 429' sync
wire endless:Publish
refused "an answer without end: 75, kept" 75 'more bytes' sync
wire ok
man sync
ok "all of it is there in the end" eval 'ends 0 && [ ! -e \
    "$dir/outgoing.json" ]'
man list
ok "with all keys" [ "$(grep -c SHA256 "$t/out")" -eq 5 ]

# Two versions of one time: two devices with one key, and one clock.
signed() {
	python3 - "$1" <<-'END'
	import base64, json, sys
	for e in json.load(open(sys.argv[1]))["GetResponse"]["Entries"]:
	    if "SignedPersonalProfile" in e:
	        text = e["SignedPersonalProfile"]["SignedData"]["payload"]
	        text = base64.urlsafe_b64decode(text + "==")
	        print(json.loads(text)["PersonalProfile"]["Updated"])
	END
}
equivocal() {
	for try in 1 2 3 4 5 6 7 8 9 10; do
		wire ok
		as alice
		man sync
		rm -rf "$t/users/twin"
		cp -a "$t/users/alice" "$t/users/twin"
		wire down:Publish
		as twin
		man ssh --key "$t/k4.pub"
		as alice
		new_key "t$try"
		man ssh --key "$t/t$try.pub"
		[ "$(signed "$t/users/twin/meshkeys/outgoing.json")" != \
		    "$(signed "$dir/outgoing.json")" ] || return 0
	done
	return 1
}
ok "two versions of one time" equivocal
wire ok
as alice
man sync
ok "one is published" ends 0
reply 200 "$t/users/twin/meshkeys/outgoing.json"
wire raw:Get
refused "/sync is shown the other: 65" 65 \
    "'$url' sends.*the time of the newest one seen, but another" sync
wire ok
as twin
man sync
ok "who signed the other gives it up" eval 'ends 75 "made again"'
rm -rf "$t/users/twin"

# Joining: what the portal says of an account.
wire ok
as phone
look "$t/before"
man --portal "http://127.0.0.1:1" connect alice@example.com \
    --expect "$alice" --name phone
ok "/connect, nobody listens: 75" told 75 'gives no answer'
join() {
	refused "$1" "$2" "$3" --portal "$url" connect alice@example.com \
	    --expect "$alice" --name phone
}
wire raw:GetAccount
for bad in html garbage deep big many double tag status two half empty; do
	reply 200 "$t/$bad.json"
	join "/connect, $bad: 65, whose fault it is" 65 "'$url' sends"
done
reply 200 "$t/mallory.json"
join "/connect, another profile under that account: 65, loudly" 65 \
    'NOT THE PROFILE EXPECTED'
reply 200 "$srcdir/tests/vectors/legacy-2017.json"
join "/connect, a profile of an earlier form: 65" 65 "'$url' sends"
reply 404 "$t/html.json"
join "/connect, no such account: 66" 66 'knows no such'
reply 503 "$t/alice.json"
join "/connect, HTTP 503: 75" 75 'status 503'
reply 302 "$t/html.json" "Location: http://127.0.0.2:$port/x"
join "/connect, to another host: 75" 75 'another server'
wire endless:GetAccount
join "/connect, without end: 75" 75 'more bytes'
ok "no request was made" [ ! -e "$dir/request.json" ]

# And of the request.
reply 200 "$t/html.json"
wire raw:ConnectStart
man --portal "$url" connect alice@example.com --expect "$alice" --name phone
ok "a request, then HTML: 75" told 75 'not answer as a portal'
ok "it is kept" [ -e "$dir/request.json" ]
cp "$dir/request.json" "$t/request"
wire done:ConnectStart
man --portal "$url" connect alice@example.com --expect "$alice" --name phone
ok "the same again, which the portal forgets" eval 'ends 0 &&
    cmp "$dir/request.json" "$t/request"'
wire ok
man complete
ok "/complete finds no answer: 75" told 75 'no answer yet'
phone=$(device phone)
ok "and has sent it again" eval 'as alice; man pending; says "$phone"'

# Requests that the portal shows.
as alice
long=$(printf '%01000d' 0)
python3 "$srcdir/tests/e2e/forge.py" requests "$alice" 7 \
    '\x1b[2J\x1b]0;x\x07' '\nmeshman: accepted' "$alice" laptop \
    '\u202e\u0430lice' "$long" "$long$long" >"$t/forged.json"
python3 "$srcdir/tests/e2e/forge.py" requests "$alice" 1000 n \
    >"$t/thousand.json"
python3 "$srcdir/tests/e2e/forge.py" requests "$alice" 256 n \
    >"$t/crowd.json"
python3 "$srcdir/tests/e2e/forge.py" requests "$mallory" 1 n \
    >"$t/foreign.json"
wire raw:ConnectPending
reply 201 "$t/forged.json"
look "$t/before"
man pending
ok "names that a terminal would obey are shown as text" eval 'ends 0 &&
    clean && says "[?]\[2J[?]\]0;x[?]" && same'
ok "a fingerprint first, which nobody can choose" [ "$(grep -Ec \
    "^[0-9TZ:-]*  M[A-Z2-7-]{34} '" "$t/out")" -eq 6 ]
ok "in one line each" not says '^meshman: accepted'
ok "no longer than 64 bytes" [ "$(awk '{ print length }' "$t/out" |
    sort -n | tail -n 1)" -le 200 ]
man pending --json
ok "and with --json" eval 'ends 0 && clean && is_json'
cp "$t/out" "$t/pending.json"
refused "none is proved: /all accepts none" 65 'not proved' accept /all
refused "a name accepts none" 65 'more than one' accept laptop
refused "a fingerprint as a name accepts none" 65 . accept "$alice"
reply 201 "$t/foreign.json"
refused "one for another profile: none" 65 'not for this profile' \
    accept "$(sed 's/.*"SignedConnectionRequest": {"Identifier": "//
    s/".*//' "$t/foreign.json")"
reply 201 "$t/crowd.json"
man pending
ok "256 requests, all of one device" eval 'ends 0 && clean && same'
for bad in thousand html garbage deep big double tag; do
	reply 201 "$t/$bad.json"
	refused "/pending, $bad: 75, whose fault it is" 75 "'$url' does not" \
	    pending
	refused "/accept, $bad: 75" 75 "'$url' does not" accept "$phone"
done
for status in 401 404 409 429 503; do
	say "$status" '{"ConnectPendingResponse":{"Status":'"$status"',
	    "StatusDescription":"\u001b[1mno"}}'
	refused "/accept, $status" "$(case $status in 401) echo 77;;
	    404) echo 66;; *) echo 75;; esac)" "says $status: [?]" \
	    accept "$phone"
done
wire ok

# Answers.
man accept "$phone"
ok "the phone is accepted" ends 0
ask ConnectStatus "Account=alice@example.com" "DeviceUDF=$phone"
cp "$t/answer" "$t/accepted.json"
python3 "$srcdir/tests/e2e/forge.py" result "$t/accepted.json" \
    >"$t/forged.json"
sed 's/ConnectStatusResponse/ConnectStartResponse/' "$t/accepted.json" \
    >"$t/tag.json"
sed 's/"Status":201/"Status":201,"Status":201/' "$t/accepted.json" \
    >"$t/double.json"
as phone
wire raw:ConnectStatus
reply 201 "$t/forged.json"
refused "/complete, signed by nobody of the profile: 65" 65 \
    'no online key of the profile' complete
for bad in html garbage deep big double tag; do
	reply 201 "$t/$bad.json"
	refused "/complete, $bad: 75" 75 "'$url' does not" complete
done
reply 503 "$t/accepted.json"
refused "/complete, accepted with HTTP 503: 75" 75 'says 503' complete
wire raw:Get
for bad in mallory html big alice; do
	reply 201 "$t/$bad.json"
	refused "/complete, accepted, with the set $bad" \
	    "$(case $bad in alice) echo 75;; *) echo 65;; esac)" . complete
done
wire ok
man complete
ok "in the end it is connected" ends 0 accepted out
as tablet
man --portal "$url" connect alice@example.com --expect "$alice" \
    --name tablet
tablet=$(device tablet)
as alice
man reject "$tablet"
ask ConnectStatus "Account=alice@example.com" "DeviceUDF=$tablet"
as tablet
man complete
ok "the tablet is refused" ends 65 'was refused'
man --portal "$url" connect alice@example.com --expect "$alice"
wire raw:ConnectStatus
reply 201 "$t/answer"
look "$t/before"
man complete
ok "which is no answer to what it asks next: 75" eval \
    'ends 75 "no answer yet" && same'
reply 201 "$t/accepted.json"
look "$t/before"
man complete
ok "nor is what the phone was told" eval 'ends 75 "no answer yet" && same'
wire done:ConnectComplete
as alice
man accept "$tablet"
ok "accepted, and the answer is lost" ends 0
wire ok
as tablet
refused "it waits: 75" 75 'no answer yet' complete
as alice
man accept "$tablet"
ok "accepted once more" ends 0
as tablet
man complete
ok "and it is there" ends 0 accepted out

# Certificates, of whom nobody has heard or of an authority that is trusted.
certificate() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 \
	    -nodes -subj "/CN=$2" -days "$4" -addext "$3" \
	    -keyout "$t/$1.key" -out "$t/$1.pem" 2>/dev/null
}
issue() {
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
	    -subj "/CN=$1" -keyout "$t/$1.key" -out "$t/$1.csr" 2>/dev/null
	echo "subjectAltName = $2" >"$t/$1.ext"
	openssl x509 -req -in "$t/$1.csr" -CA "$t/authority.pem" \
	    -CAkey "$t/authority.key" -CAcreateserial -days "$3" \
	    -extfile "$t/$1.ext" -out "$t/$1.pem" 2>/dev/null
}
certificate authority authority 'basicConstraints = critical,CA:TRUE' 3
certificate self self 'subjectAltName = IP:127.0.0.1' 3
issue good IP:127.0.0.1 3
issue expired IP:127.0.0.1 -1
issue wrong DNS:portal.example 3
# tls NAME: a portal with that certificate; its address is $tls.
tls() {
	chmod 600 "$t/$1.key"
	"$builddir/meshportal" --data "$t/$1.data" --listen 127.0.0.1:0 \
	    --tls-cert "$t/$1.pem" --tls-key "$t/$1.key" --no-limits \
	    >"$t/$1.log" 2>&1 &
	pids="$pids $!"
	within 20 grep -q 'serving https' "$t/$1.log" || exit 99
	tls=$(sed -n 's|.*serving \(https://127.0.0.1:[0-9]*\).*|\1|p' \
	    "$t/$1.log" | head -n 1)
}
as tls
man --portal "http://127.0.0.1:1" personal tls@example.com --no-passphrase
# mistrusts WHAT PATTERN: with the portal at $tls.
mistrusts() {
	refused "$1: 75" 75 "'$tls' gives no answer: .*$2" \
	    --portal "$tls" personal tls@example.com --no-passphrase
}
tls self
mistrusts "a certificate of nobody" 'certificate'
tls=http${tls#https}
mistrusts "http where TLS is spoken" .
tls=https${url#http}
mistrusts "TLS where http is spoken" .
tls=https://portal.invalid
mistrusts "a name that nobody has" 'resolve'
bundle=$(curl-config --ca 2>/dev/null) || bundle=
[ -n "$bundle" ] || bundle=/etc/ssl/certs/ca-certificates.crt
cat >"$t/trusting" <<-EOT
mount --bind '$t/authority.pem' '$bundle' && exec "\$@"
EOT
by="unshare -rm sh $t/trusting"
if $by true 2>/dev/null; then
	tls expired
	mistrusts "one that has expired" 'expired'
	tls wrong
	mistrusts "one for another name" 'name'
	tls good
	man --portal "$tls" personal tls@example.com --no-passphrase
	ok "a right one" ends 0 "at $tls" out
else
	skip "certificates of an authority" "no namespaces"
fi
by=

# At a terminal.
# interrupted WHAT STATUS LINE... -- WORD...: everything is as before.
interrupted() {
	case_=$1
	status=$2
	shift 2
	look "$t/before"
	typed "$@"
	ok "$case_" eval 'ends "$status" && same &&
	    not says "another state"'
}
wire ok
as typed
mkdir -p "$dir"
chmod 700 "$dir"
for key in '^C' '^\' '^D'; do
	status=$(case $key in '^C') echo 254;; '^D') echo 64;; *) echo 253;;
	    esac)
	interrupted "$key at the passphrase" "$status" "$key" -- \
	    "$meshman" --portal "$url" personal typed@example.com
	interrupted "$key when it is to be repeated" "$status" secret "$key" \
	    -- "$meshman" --portal "$url" personal typed@example.com
	ok "nothing that was typed is shown" not says secret
done
wire raw:CreateAccount
reply 503 "$t/html.json"
typed secret secret -- "$meshman" --portal "$url" personal \
    typed@example.com --no-qr
ok "the portal fails after the passphrase: 75 and what to do" \
    ends 75 'meshman /personal typed@example.com' out
wire ok
typed -- "$meshman" --portal "$url" personal typed@example.com --no-qr
ok "the same again does not ask" ends 0 'published as typed' out
as alice
man sync
for key in '^C' '^D' no ''; do
	status=$(case $key in '^C') echo 254;; *) echo 64;; esac)
	interrupted "'$key' where yes is wanted" "$status" "$key" -- \
	    "$meshman" delete phone
done
as stranger
man --portal http://127.0.0.1:1 connect alice@example.com \
    --expect "$alice" --name stranger
for key in '^C' '^D'; do
	status=$(case $key in '^C') echo 254;; *) echo 64;; esac)
	interrupted "$key at the fingerprint" "$status" "$key" -- \
	    "$meshman" --portal "$url" connect alice@example.com
	interrupted "$key at the PIN" "$status" "$key" -- \
	    "$meshman" --portal "$url" connect alice@example.com --pin -
done
interrupted "no PIN at all" 64 'AAAA' -- \
    "$meshman" --portal "$url" connect alice@example.com --pin -

# Clocks that are a day and more apart.
faketime=$(find /usr/lib /usr/lib64 -name libfaketime.so.1 2>/dev/null |
    sed 1q)
clock() {
	by="env LD_PRELOAD=$faketime FAKETIME=$1 NO_FAKE_STAT=1"
	by="$by FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME_NO_CACHE=1"
}

ahead() {
	wire ok
	as alice
	man pin
	pin=$(cat "$t/out")
	as watch
	man --portal "$url" connect alice@example.com --pin "$pin" \
	    --name watch
	ok "a device asks" ends 0
	as alice
	clock +30h
	man sync
	ok "/sync, ahead" eval 'ends 0 "nothing new" out && clean'
	for word in pending "accept /all" "reject /all"; do
		# shellcheck disable=SC2086 # a word and its argument
		refused "/$word, ahead: 77" 77 clock $word
	done
	refused "/delete, ahead: 65" 65 'ahead of the clock' \
	    delete phone --yes
	refused "/ssh, ahead: 65" 65 'ahead of the clock' \
	    ssh --key "$t/k4.pub"
	as young
	man --portal http://127.0.0.1:1 personal young@example.com
	refused "/personal, ahead: 75, and nothing is dated" 75 \
	    'seconds apart' --portal "$url" personal young@example.com \
	    --no-passphrase
	as early
	man --portal "$url" connect alice@example.com --expect "$alice"
	ok "/connect, ahead: 65" told 65 "ahead of the portal's clock"
	ok "what was refused does not wait" [ ! -e "$dir/request.json" ]
	by=
	man --portal "$url" connect alice@example.com --expect "$alice"
	ok "so it can be asked again" ends 0
	as alice
	man accept watch
	ok "the device is accepted" ends 0
	as watch
	clock +30h
	man complete
	ok "/complete, ahead" eval 'ends 0 accepted out && clean'
	man sync
	ok "and /sync" eval 'ends 0 && clean'
	by=
}

# Everybody else is.
behind() {
	clock +30h
	# shellcheck disable=SC2086 # $by is words
	$by "$builddir/meshportal" --data "$t/late.data" \
	    --listen 127.0.0.1:0 --no-limits >"$t/late.log" 2>&1 &
	pids="$pids $!"
	within 20 grep -q 'serving http' "$t/late.log" || exit 99
	late=$(sed -n 's|.*serving \(http://127.0.0.1:[0-9]*\).*|\1|p' \
	    "$t/late.log" | head -n 1)
	as late
	man --portal "$late" personal late@example.com --no-passphrase
	ok "a portal where it is tomorrow, and who lives there" ends 0
	man pin
	pin=$(cat "$t/out")
	late_udf=$(udf late)
	as guest
	man --portal "$late" connect late@example.com --pin "$pin" --name guest
	ok "with a guest" ends 0
	by=
	as late
	man sync
	ok "/sync, behind" eval 'ends 0 && clean'
	man list
	ok "/list, behind" eval 'ends 0 && clean'
	for word in pending "accept /all"; do
		# shellcheck disable=SC2086 # a word and its argument
		refused "/$word, behind: 77" 77 clock $word
	done
	refused "/ssh, behind: 65" 65 clock ssh --key "$t/k4.pub"
	clock +30h
	man accept /all
	ok "accepted" ends 0
	by=
	refused "/delete, behind: 65" 65 clock delete guest --yes
	as guest
	refused "/complete, behind: 65" 65 'ahead of' complete
	as other
	man --portal http://127.0.0.1:1 connect late@example.com \
	    --expect "$late_udf"
	refused "/connect, behind: 65" 65 'ahead of' --portal "$late" \
	    connect late@example.com --expect "$late_udf"
	as young
	refused "/personal, behind: 75, and nothing is dated" 75 \
	    'seconds apart' --portal "$late" personal young@example.com \
	    --no-passphrase
	as guest
	clock +30h
	man complete
	ok "and with the clock set: done" ends 0 accepted out
	by=
}

long_ago() {
	as alice
	clock -900d
	for word in "accept /all" pending sync "delete phone --yes" pin; do
		# shellcheck disable=SC2086 # a word and its argument
		refused "/$word, long ago: 75" 75 'before the build' $word
	done
	as guest
	refused "/complete, long ago: 75" 75 'before the build' complete
	as early
	refused "/connect, long ago: 75" 75 'before the build' --portal \
	    "$url" connect alice@example.com --expect "$alice"
	by=
}

if [ -z "$faketime" ]; then
	skip "clocks" "libfaketime is missing; run: contrib/install-deps"
elif [ "${MK_SANITIZERS:-no}" != no ]; then
	skip "clocks" "sanitizers and libfaketime do not go together"
else
	ahead
	behind
	long_ago
fi

# What did not come to an end has done so meanwhile.
for bad in drip hang; do
	rc=0
	wait "$(cat "$t/slower/$bad/pid")" || rc=$?
	cp "$t/slower/$bad/out" "$t/slower/$bad/err" "$t"
	ok "$bad: 75" told 75 'gives no answer: '
	ok "$bad: nothing is lost" diff -r -x .lock "$t/slow" \
	    "$t/slower/$bad/alice"
done

finish
