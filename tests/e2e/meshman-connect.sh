#!/bin/sh
# Connecting devices with meshman: what a person, a PIN and a portal that
# lies can bring about.  Each device is a home of its own; between them and
# meshportal stands liar.py.

. "$(dirname "$0")/lib.sh"

account=alice@example.com
lies=$t/lies

command -v python3 >/dev/null || skip_all "python3 is missing"
[ -x "$MK_BUILDDIR/meshportal" ] || skip_all "meshportal is not built"

# man NAME WORD...: meshman there; status in $rc, its output in out and err.
man() {
	rc=0
	home=$t/home/$1
	shift
	[ -d "$home" ] || mkdir -m 700 "$home"
	# shellcheck disable=SC2086 # the words of a command, or none
	setsid -w ${trace-} env -i PATH="$PATH" HOME="$home" \
	    ${agent:+SSH_AUTH_SOCK="$agent"} "$MK_BUILDDIR/meshman" "$@" \
	    >"$t/out" 2>"$t/err" </dev/null || rc=$?
}

# at NAME LINE WORD...: the same at a terminal, where LINE is typed.
at() {
	rc=0
	home=$t/home/$1
	line=$2
	shift 2
	[ -d "$home" ] || mkdir -m 700 "$home"
	# shellcheck disable=SC2086 # the words of an environment, or none
	python3 "$MK_SRCDIR/tests/e2e/typist.py" "$line" -- env -i \
	    PATH="$PATH" HOME="$home" TERM=dumb LANG=C.UTF-8 ${graphical-} \
	    "$MK_BUILDDIR/meshman" "$@" >"$t/out" 2>"$t/err" || rc=$?
}

done_well() {
	[ "$rc" -eq 0 ]
}

# refused STATUS PATTERN: in what it printed anywhere.
refused() {
	[ "$rc" -eq "$1" ] && grep -Eq -e "$2" "$t/out" "$t/err"
}

says() {
	grep -Eq -e "$1" "$t/out"
}

udf_of() {
	man "$1" /device --json
	sed -n 's/.*"device":"\([^"]*\)".*/\1/p' "$t/out"
}

new_pin() {
	man X /pin
	cat "$t/out"
}

# asks NAME OPTION...: a device that was never seen before, by that name.
asks() {
	device=$1
	shift
	man "$device" --portal "$portal" /connect "$account" \
	    --name "${called:-$device}" "$@"
}

# listed FINGERPRINT: X has it in the profile.
listed() {
	man X /sync
	man X /list
	grep -q "$1" "$t/out"
}

lie() {
	printf '%s\n' "$@" >"$lies"
}

honest() {
	: >"$lies"
}

served() {
	portal_url=$(sed -n 's/.*serving \(http[^ ]*\).*/\1/p' "$t/p.out" |
	    head -n 1)
	[ -n "$portal_url" ]
}

start() {
	honest
	mkdir -m 700 "$t/home" "$t/portal"
	port=$(($(od -An -N2 -tu2 /dev/urandom) % 20000 + 20000))
	"$MK_BUILDDIR/meshportal" --data "$t/portal" \
	    --listen 127.0.0.1:0 --name "127.0.0.1:$port" \
	    >"$t/p.out" 2>&1 </dev/null &
	wait_for served || return 1
	python3 "$MK_SRCDIR/tests/e2e/liar.py" --lies "$lies" \
	    --ready "$t/ready" "127.0.0.1:$port" "$portal_url" \
	    >"$t/liar.out" 2>&1 </dev/null &
	portal=http://127.0.0.1:$port
	wait_for test -e "$t/ready"
}

ok "a portal, and somebody before it" start
man X --portal "$portal" /personal "$account" --name X --no-passphrase
ok "X: a profile" done_well
man X /fingerprint
alice=$(cat "$t/out")
man M --portal "$portal" /personal mallory@example.com --name M \
    --no-passphrase
man M /fingerprint
mallory=$(cat "$t/out")

# Before anything is sent.
asks Y
ok "nobody compares: refused" refused 64 'nobody can compare'
asks Y --yes
ok "no option stands for comparing" refused 64 'nobody can compare'
asks Y --expect "$mallory"
ok "another profile than expected: loudly" refused 65 'NOT THE PROFILE'
asks Y --expect "${alice%?????}"
ok "part of a fingerprint is none" refused 64 'no whole fingerprint'
asks Y --expect "$alice" --pin AAAAA-AAAAA-AAAAA-AAAAA-AAAAA
ok "one of both" refused 64 'exclude'
asks Y --pin AAAAA
ok "part of a PIN is none" refused 64 'no PIN'
asks Y --expect "$alice" /admin
ok "no further administrators" refused 64 'no further administrators'
man X /connect "$account" --expect "$alice"
ok "who has a profile joins none" refused 64 'has a profile already'
man Y /complete
ok "no request: nothing to complete" refused 66 'no request'
man X /pending
ok "and nothing has come" says 'no request waits'

# By comparing fingerprints.
asks Y --expect "$(echo "$alice" | tr -d - | tr '[:upper:]' '[:lower:]')" /ssh
ok "Y asks, the fingerprint typed in lower case" done_well
y=$(udf_of Y)
cp "$t/home/Y/.local/share/meshkeys/request.json" "$t/first"
asks Y --expect "$alice" /ssh
ok "Y asks again: the same request" \
    cmp "$t/home/Y/.local/share/meshkeys/request.json" "$t/first"
asks Y --expect "$alice"
ok "another request needs a yes" refused 64 'add --yes'
man Y /complete
ok "Y has to wait" refused 75 'no answer yet'
ok "and is told for what" grep -q "/accept $y" "$t/err"
man X /pending
ok "X sees it, with its key" says 'ssh-ed25519 SHA256:'
ok "not proved" says 'compare the fingerprint'
man X /accept Y
ok "a name accepts nothing that is not proved" refused 65 'not proved'
man X /accept /all
ok "nor does /all" refused 65 'not proved'
man X /accept "${y%?????}AAAAA"
ok "a fingerprint that nobody has" refused 65 'no request'
ok "nothing was accepted" not listed "$y"
lie 'payload ConnectPending'
man X /accept "$y"
ok "a request changed on the way is none" refused 65 'no request'
man X /pending
ok "it is counted" says '1 more request '
honest
lie 'lost ConnectComplete'
man X /accept "$y"
ok "accepted by its fingerprint, the answer cut off" [ "$rc" -eq 75 ]
honest
man X /sync
ok "X sends it with the next word" done_well
man Y /complete
ok "Y: connected" says 'accepted'
ok "its key has its name" test -s "$t/home/Y/.ssh/id_ed25519_mesh"
ok "and nothing is left" \
    not test -e "$t/home/Y/.local/share/meshkeys/request.json"
ok "X has it" listed "$y"
man X /list
ok "and its key" [ "$(grep -c 'ssh-ed25519' "$t/out")" -eq 1 ]

# At a terminal.
at T no --portal "$portal" /connect "$account" --name T
ok "T: shown the fingerprint" says "$alice"
ok "which is not hers" refused 65 'not confirmed'
ok "nothing was sent" not test -e \
    "$t/home/T/.local/share/meshkeys/request.json"
at T yes --portal "$portal" /connect "$account" --name T
ok "T: it is hers" done_well
at T no --portal "$portal" /connect "$account" --name T /ssh
ok "T: keeps the request that waits" refused 64 'not confirmed'
man X /reject T
ok "rejected by its name" done_well
man T /complete
ok "which T takes" refused 65 'was refused'
at X nothing /pin --no-qr
ok "a PIN for a person says what to do" says '/connect.* --pin -'
pin=$(sed 's/\r//' "$t/out" | grep -Ex '[A-Z2-7]{5}(-[A-Z2-7]{5}){4}')
at T "$pin" --portal "$portal" /connect "$account" --pin -
ok "T: types it" done_well
ok "unseen" not says "$pin"
man X /accept T
man T /complete
ok "T: connected" done_well
at X no /delete T
ok "X: does not delete it" refused 64 'nothing was changed'
at X yes /delete T
ok "X: does" says 'deleted in the version'

# PINs.
pin=$(new_pin)
echo "$pin" >"$t/pin"
rc=0
home=$t/home/P1
mkdir -m 700 "$home"
setsid -w env -i PATH="$PATH" HOME="$home" "$MK_BUILDDIR/meshman" \
    --portal "$portal" /connect "$account" --name P1 --pin - /ssh \
    >"$t/out" 2>"$t/err" <"$t/pin" || rc=$?
ok "a PIN from standard input" done_well
p1=$(udf_of P1)
man X /pending
ok "it proves" says 'proved by a PIN'
lie 'witness ConnectPending'
man X /accept /all
ok "a wrong witness does not" refused 65 'PIN was mistyped'
man X /accept P1
ok "by its name neither" refused 65 'PIN was mistyped'
man X /accept "$p1"
ok "nor by its fingerprint" refused 65 'PIN was mistyped'
lie 'bare ConnectPending'
man X /accept /all
ok "nor none" refused 65 'PIN was mistyped'
lie "save $t/kept"
man X /accept P1
ok "accepted by its name" done_well
lie 'witness ConnectStatus'
man P1 /complete
ok "the device wants a witness too" refused 65 'not by whoever made the PIN'
lie 'bare ConnectStatus'
man P1 /complete
ok "and not none" refused 65 'not by whoever made the PIN'
lie 'payload ConnectStatus'
man P1 /complete
ok "and the answer as it was signed" not done_well
man M /export "$t/mallory.json"
lie "set $t/mallory.json"
man P1 /complete
ok "and the profile it asked to join" refused 65 .
honest
man P1 /complete
ok "then it is connected" done_well

# A PIN serves one device.
asks P2 --pin "$pin"
ok "another device with the same PIN" done_well
p2=$(udf_of P2)
man X /accept /all
ok "is not proved by it" refused 65 'served another device'
man X /accept "$p2"
ok "by its fingerprint it may come in" done_well
ok "with a word" grep -q 'fingerprint alone' "$t/err"
man P2 /complete
ok "and takes the answer" done_well
pin=$(new_pin)
asks P3 --pin "$pin"
asks P4 --pin "$pin"
man X /accept /all
ok "two devices under one PIN: neither" refused 65 'two devices'
ok "both are told" [ "$(grep -c 'two devices' "$t/out")" -eq 2 ]
p4=$(udf_of P4)
man X /reject "$p4"
ok "one is rejected" done_well
man X /accept /all
ok "the other one is still not proved" refused 65 'two devices'
man P4 /complete
ok "the rejected one is told" refused 65 'was refused'
man P4 /complete
ok "once" refused 66 'no request'
man X /reject /all
ok "all others too" done_well
asks P5 --pin 77777-77777-77777-77777-77777
p5=$(udf_of P5)
man X /accept /all
ok "a PIN that nobody made proves nothing" refused 65 'not made on this device'
man X /reject "$p5"
ok "the rejection of it is sent" done_well
man P5 /complete
ok "which a device with a PIN does not believe" refused 65 'made the PIN'

# Other users may list the arguments of a process.
seen_pin() {
	for task in "$seeing" $(cat "/proc/$seeing/task/$seeing/children"); do
		tr '\0' '\n' <"/proc/$task/cmdline"
	done | grep -q "$pin"
}
started() {
	[ -n "$(cat "/proc/$seeing/task/$seeing/children")" ]
}
pin=$(new_pin)
mkfifo -m 600 "$t/mute"
python3 -c 'import socket, sys
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
sys.stdin.read()' <"$t/mute" >"$t/mute.port" &
exec 9>"$t/mute"
wait_for test -s "$t/mute.port"
mute=http://127.0.0.1:$(cat "$t/mute.port")
mkdir -m 700 "$t/home/P7"
env -i PATH="$PATH" HOME="$t/home/P7" "$MK_BUILDDIR/meshman" \
    --portal "$mute" /connect "$account" --pin "$pin" \
    >"$t/out" 2>"$t/err" </dev/null &
seeing=$!
wait_for started
ok "a PIN does not stay among the arguments" not seen_pin
exec 9>&-
wait "$seeing" 2>/dev/null

# What a PIN has not proved yet.
pin=$(new_pin)
lie "set $t/mallory.json" 'down ConnectStart'
asks P6 --pin "$pin" /ssh
ok "the portal proposes another profile" \
    test -e "$t/home/P6/.local/share/meshkeys/request.json"
honest
man P6 /import "$t/mallory.json"
ok "which no file makes that of the device" \
    refused 64 'proves nothing'
man P6 /import "$t/mallory.json" --expect "$mallory"
ok "but by its fingerprint" done_well

# Words behind words, without the slash.
called=all asks W1 --pin "$(new_pin)" ssh host
ok "they need none" done_well
called=all asks W2 --expect "$alice"
asks W3 --expect "$alice" admin
ok "nor does that which is refused" refused 64 'no further administrators'
man X accept all
ok "all is a word, and not a device that is called so" done_well
ok "those who are proved" listed "$(udf_of W1)"
ok "and no others" not listed "$(udf_of W2)"
man X accept W2 admin
ok "no administrator is made" refused 64 'no further administrators'
man X reject all
ok "and all others are rejected" done_well

# Names.
called=twin asks N1 --pin "$(new_pin)"
called=twin asks N2 --pin "$(new_pin)"
man X /accept twin
ok "a name of two is none" refused 65 'more than one device'
man X /accept "$(udf_of N1)"
man X /accept twin
ok "nor one that a device of the profile has" refused 65 'more than one'
man X /accept /all
ok "the PIN still tells" says 'accepted'
man N1 /complete
man N2 /complete
ok "both are connected" done_well
called=$alice asks N3 --pin "$(new_pin)"
man X /accept "$alice"
ok "a fingerprint is no name" refused 65 'no request of this device'
man X /reject /all

# What the portal brings back.
lie "replay $t/kept"
man X /pending
ok "a replayed request is one of a device of the profile" \
    says 'already listed'
man X /accept P1
ok "not by its name" refused 65 'whole fingerprint only'
honest
man X /delete P1 --yes
ok "P1 is deleted" done_well
lie "replay $t/kept"
man X /accept "$p1"
ok "a deleted device never comes back" refused 65 'for good'
honest
man P1 /sync
ok "it knows" [ "$rc" -ne 0 ]
man F --portal "$portal" /connect mallory@example.com --expect "$mallory" \
    --name F
f=$(udf_of F)
rm -f "$t/kept"
lie "save $t/kept"
man M /pending
lie "replay $t/kept"
man X /accept "$f"
ok "a request for another profile" refused 65 'not for this profile'
honest
asks S1 --pin "$(new_pin)"
asks S2 --pin "$(new_pin)"
s1=$(udf_of S1)
s2=$(udf_of S2)
man X /accept S1 S2
ok "two at once" done_well
lie "swap $s1 $s2"
man S1 /complete
ok "the answer to another is none" refused 75 'no answer yet'
ok "which is told" grep -q 'another request' "$t/err"
honest
man S1 /complete
man S2 /complete
ok "each has its own" done_well

# New keys.

# tries NAME: the identities that the block lists there.
tries() {
	sed -n 's|^IdentityFile ~/\.ssh/||p' "$t/home/$1/.ssh/config" |
	    tr '\n' ' '
}
man Y /ssh /rekey
ok "Y asks for a new key" done_well
cp "$t/home/Y/.ssh/id_ed25519_mesh.pub" "$t/old.pub"
man X /accept /all
ok "not by /all" refused 65 'whole fingerprint only'
ok "the old key stays meanwhile" \
    cmp "$t/home/Y/.ssh/id_ed25519_mesh.pub" "$t/old.pub"
man X /accept "$y"
ok "by its fingerprint" done_well
man Y /complete
ok "Y has it" done_well
ok "in the place of the old one" \
    not cmp "$t/home/Y/.ssh/id_ed25519_mesh.pub" "$t/old.pub"
ok "which stays for hosts that have not followed" \
    cmp "$t/home/Y/.ssh/id_ed25519_mesh.old.pub" "$t/old.pub"
ok "and is tried second, before nothing that is not there" \
    [ "$(tries Y)" = 'id_ed25519_mesh id_ed25519_mesh.old ' ]
ssh-keygen -q -t ed25519 -N '' -f "$t/home/Y/.ssh/id_ed25519"
touch -d '8 days ago' "$t/home/Y/.ssh/id_ed25519_mesh.old"
man Y /sync
ok "for a week; a default key is listed" \
    [ "$(tries Y)" = 'id_ed25519_mesh id_ed25519 ' ]
ok "and the old one is gone" \
    not test -e "$t/home/Y/.ssh/id_ed25519_mesh.old"
man Y /ssh /rekey
cp "$t/home/Y/.ssh/id_ed25519_mesh.new" "$t/new"
at Y no /ssh /rekey --passphrase
ok "Y does not give up what it has asked" refused 64 'not confirmed'
ok "and has the key that it asked with" \
    cmp "$t/home/Y/.ssh/id_ed25519_mesh.new" "$t/new"
man X /reject "$y"
man Y /complete
man Y /ssh
ok "nothing more to do" says 'already'
man X /ssh --key "$t/home/Y/.ssh/id_ed25519_mesh"
ok "a key of another device is none of X's" refused 65 'already that of'
new_key own
man X /ssh --key "$keys/own"
ok "X takes a key that is there" done_well
man X /ssh --key "$keys/own.pub"
ok "once" grep -q "already" "$t/err"
new_key locked -N secret
graphical='DISPLAY=:9 SSH_ASKPASS=/bin/false' \
    at X secret /ssh --key "$keys/locked"
ok "and one under a passphrase, asked for at the terminal" done_well
eval "$(ssh-agent -s)" >/dev/null
new_key rsa -t rsa -b 2048
ssh-add -q "$keys/rsa" "$keys/own" 2>/dev/null
agent=$SSH_AUTH_SOCK
man X /ssh --agent
ok "X takes the key of its agent that is new" done_well
man X /list
ok "an RSA one" says 'ssh-rsa SHA256'
agent=
kill "$SSH_AGENT_PID"
man X /ssh /host
ok "who has keys is no host" refused 65 'cannot be a host'
man X /ssh /rekey
ok "X: one new key for all" done_well
man X /sync
man X /list
ok "which is the only one" [ "$(awk '/^    [A-Z]/ { x = / X / }
    x && /SHA256/' "$t/out" | wc -l)" -eq 1 ]
man P2 /ssh /host
ok "P2 asks to be a host" done_well
man X /accept "$p2"
man P2 /complete
ok "and is one" done_well
man P2 /ssh
ok "with no keys" refused 65 'is a host'
man P2 /ssh /rekey
man X /accept "$p2"
man P2 /complete
ok "until it asks for one instead" done_well
man P2 /ssh
ok "and has its key" says 'has its key, .* already'

# The portal is away.
asks D1 --pin "$(new_pin)"
lie 'down Publish'
man X /accept /all
ok "signed and kept" [ "$rc" -eq 75 ]
man D1 /complete
ok "no answer without it" [ "$rc" -eq 75 ]
honest
man X /sync
ok "sent later" done_well
man D1 /complete
ok "with its answer" done_well
lie 'lost Publish'
asks D2 --pin "$(new_pin)"
man X /accept /all
ok "published, and nobody said so" [ "$rc" -eq 75 ]
honest
man X /sync
ok "comes out well" done_well
man D2 /complete
ok "for both" done_well
lie 'down ConnectStart'
asks D3 --pin "$(new_pin)"
ok "a request that was not sent" [ "$rc" -eq 75 ]
honest
d3=$(udf_of D3)
man D3 /complete
ok "is sent by /complete" refused 75 'no answer'
man X /accept "$d3"
ok "and comes" done_well
man D3 /complete --wait 1
ok "with its answer" done_well

# Killed when the portal had answered, and much was published since.
cp "$t/home/X/.local/share/meshkeys/profile.json" \
    "$t/home/X/.local/share/meshkeys/outgoing.json"
lie 'down Publish'
man X /sync
ok "what is known to be published is not sent again" done_well
honest

# A portal that hides a deletion from another administration device: a copy
# of X, and a portal of its own.
asks D4 --pin "$(new_pin)" /ssh
man X /accept /all
ok "D4 is accepted" done_well
d4=$(udf_of D4)
cp -a "$t/home/X" "$t/home/X2"
"$MK_BUILDDIR/meshportal" --data "$t/portal2" --listen 127.0.0.1:0 \
    >"$t/p2.out" 2>&1 </dev/null &
wait_for grep -q serving "$t/p2.out"
hiding=$(sed -n 's/.*serving \(http[^ ]*\).*/\1/p' "$t/p2.out" | head -n 1)
man X /delete "$d4" --yes
ok "X deletes D4" done_well
man X2 --portal "$hiding" /personal "$account"
man X2 --portal "$hiding" /ssh /rekey
man X2 --portal "$hiding" /ssh /rekey
ok "X2 does not know, and signs on" done_well
cp -a "$t/home/X" "$t/home/X3"
man X3 --portal "$hiding" /sync
ok "who knows is told" grep -q "$d4.*deleted again" "$t/err"
man X3 /list
ok "and it is gone again" not grep -q "$d4" "$t/out"
man X2 --portal "$hiding" /sync
man X2 /list
ok "for X2, too" not grep -q "$d4" "$t/out"

# Killed.
if ! command -v strace >/dev/null ||
    ! strace -o /dev/null true 2>/dev/null; then
	skip "killed at each step" "strace cannot be used"
	finish
fi

# killed CALL N NAME WORD...: is killed at the Nth of these system calls.
killed() {
	trace="strace -f -o $t/trace -e trace=$1
	    -e inject=$1:signal=KILL:when=$2"
	shift 2
	man "$@"
	trace=
	[ "$rc" -ne 0 ]
}

# survives CALL N: whatever was done, once more brings the device in, and
# its PIN brings no other one in.
survives() {
	pin=$(new_pin)
	asks "K$1$2" --pin "$pin" && done_well || return 1
	killed "$1" "$2" X /accept /all || ended=yes
	man X /accept /all
	[ "$rc" -eq 0 ] || return 1
	man "K$1$2" /complete
	done_well || return 1
	asks "L$1$2" --pin "$pin"
	man X /accept /all
	refused 65 'served another device' || return 1
	man X /reject /all
	done_well
}

# holds NAME FINGERPRINT: one key, and it is the one that ssh uses there.
holds() {
	sum=$(ssh-keygen -lf "$t/home/$1/.ssh/id_ed25519_mesh.pub" |
	    cut -d' ' -f2)
	ssh-keygen -yf "$t/home/$1/.ssh/id_ed25519_mesh" |
	    ssh-keygen -lf - | grep -qF "$sum" || return 1
	man X /sync
	man X /list
	awk -v udf="$2" '/^    [A-Z]/ { on = $1 == udf }
	    on && /SHA256/ { print $2 }' "$t/out" >"$t/sums"
	[ "$(cat "$t/sums")" = "$sum" ] &&
	    grep -q id_ed25519_mesh "$t/home/$1/.ssh/config"
}

# takes CALL N: the device itself, when it takes the answer.
takes() {
	asks "C$1$2" --pin "$(new_pin)" /ssh
	man X /accept /all
	killed "$1" "$2" "C$1$2" /complete || ended=yes
	man "C$1$2" /complete
	done_well && holds "C$1$2" "$(udf_of "C$1$2")" || return 1
	man X /delete "C$1$2" --yes
}

# rekeys CALL N: X, when it gives itself another key.
rekeys() {
	killed "$1" "$2" X /ssh /rekey || ended=yes
	man X /sync
	man X /ssh
	done_well && holds X "$(udf_of X)"
}

for part in survives takes rekeys; do
	for call in renameat unlinkat sendto; do
		ended=
		for n in 1 2 3 4 5 6 7 8 9 10 11 12; do
			ok "$part being killed at $call $n" \
			    "$part" "$call" "$n"
			[ -z "$ended" ] || break
		done
	done
done
finish
