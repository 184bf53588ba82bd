#!/bin/sh
# The story of the SSH draft's third section: Alice has X and Y, with
# screens, and Z without.  She makes her profile on X, connects Y and Z,
# logs in to each from X and Y, and deletes Y, whereupon every host refuses
# it.  No private key leaves the machine that made it.

. "$(dirname "$0")/machines.sh"
. "$(dirname "$0")/lib.sh"

# man NAME WORD...: meshman there; status in $rc, its output in out and err.
man() {
	rc=0
	name=$1
	shift
	on "$name" timeout 60 meshman "$@" >"$t/out" 2>"$t/err" || rc=$?
}

done_well() {
	[ "$rc" -eq 0 ]
}

# logs_in FROM TO, locked_out FROM TO
logs_in() {
	rc=0
	enters "$1" "$2" >"$t/out" 2>"$t/err" || rc=$?
	entered
}

locked_out() {
	rc=0
	enters "$1" "$2" >"$t/out" 2>"$t/err" || rc=$?
	[ "$rc" -eq 255 ] && grep -q 'Permission denied' "$t/err"
}

private_keys() {
	find "$machines/$1/home" -type f -exec \
	    grep -l 'PRIVATE KEY' {} + 2>/dev/null | wc -l
}

# How many changes the portal has seen.
changes() {
	curl -s --max-time 10 -H 'Content-Type: application/json' \
	    -d '{"Changes":{"Store":"","Since":0,"Wait":0,"Identifiers":[]}}' \
	    "$portal/.well-known/mmm/" |
	    sed 's/.*"Next":\([0-9]*\).*/\1/'
}

fingerprint_of() {
	man "$1" /device --json
	python3 -c 'import json, sys; print(json.load(sys.stdin)["device"])' \
	    <"$t/out"
}

machines_install
ok "a portal serves on the loopback without any set-up" portal_start
ok "three machines" machine_make X Y Z
for name in X Y Z; do
	ok "$name has an sshd" machine_sshd "$name"
done
machine_names X Y Z

# 3.1: a profile, and an SSH key, on the first machine.
man X --portal "$portal" /personal "$account" --name X --no-passphrase
ok "X: a personal profile" done_well
man X /fingerprint
ok "its fingerprint, alone" grep -Eqx '[A-Z2-7]{5}(-[A-Z2-7]{5}){5}' "$t/out"
alice=$(cat "$t/out")
man X /ssh
ok "X: an SSH key of this device" done_well
ok "it lies where ssh reads it" \
    test -s "$machines/X/home/.ssh/id_ed25519_mesh"
ok "Alice's own ssh_config is still there" \
    grep -q '^Host Z' "$machines/X/home/.ssh/config"
for name in X Y Z; do
	machine_knows "$name" "$alice"
	machine_watch "$name"
done
ok "every host has her key" wait_for all_have_keys 1 X Y Z
ok "X logs in to Y" logs_in X Y
ok "Y has no key yet" locked_out Y X

# 3.2 and 3.3: a machine with a screen and one without, both by one PIN
# each, accepted in one update.
man X /pin --count 2
ok "X: two PINs" [ "$(grep -Ecx '[A-Z2-7]{5}(-[A-Z2-7]{5}){4}' \
    "$t/out")" -eq 2 ]
pin_y=$(sed -n 1p "$t/out")
pin_z=$(sed -n 2p "$t/out")
man Y --portal "$portal" /connect "$account" --name Y --pin "$pin_y" /ssh
ok "Y: asks to be connected" done_well
man Z --portal "$portal" /connect "$account" --name Z --pin "$pin_z" \
    /ssh /host
ok "Z: asks to be connected, as a host" done_well
man Y /complete
ok "Y: has to wait" [ "$rc" -eq 75 ]
man X /pending
ok "X: sees both" [ "$(grep -c PIN "$t/out")" -ge 2 ]
before=$(changes)
man X /accept /all
ok "X: accepts all of them" done_well
ok "in one update" [ "$(changes)" -eq $((before + 1)) ]
man Y /complete
ok "Y: is connected" done_well
man Z /complete
ok "Z: is connected" done_well
ok "every host has two keys" wait_for all_have_keys 2 X Y Z

# 3.4: from X or Y to X, Y or Z.
for from in X Y; do
	for to in X Y Z; do
		ok "$from logs in to $to" logs_in "$from" "$to"
	done
done
ok "Z logs in nowhere" locked_out Z X
ok "Z has no SSH key at all" [ "$(private_keys Z)" -eq 0 ]
ok "X has one" [ "$(private_keys X)" -eq 1 ]
ok "Y has another one" [ "$(private_keys Y)" -eq 1 ]
ok "not the same" not cmp -s "$machines/X/home/.ssh/id_ed25519_mesh" \
    "$machines/Y/home/.ssh/id_ed25519_mesh"

# A new key for Y, which is no administrator: a request, compared by eye.
y=$(fingerprint_of Y)
cp "$machines/Y/home/.ssh/id_ed25519_mesh" "$keys/old-y"
man Y /ssh /rekey
ok "Y: asks for a new key" done_well
man X /accept /all
ok "X: accepts no new key of a device without its fingerprint" not done_well
man X /accept "$y"
ok "X: accepts it by the fingerprint" done_well
man Y /complete
ok "Y: has it" done_well
ok "every host follows" wait_for logs_in Y Z
port=$(cat "$machines/Z/port")
rc=0
client "$keys/old-y" alice -o HostKeyAlias=host echo in >"$t/out" \
    2>"$t/err" || rc=$?
ok "the old key of Y is worth nothing now" \
    grep -q 'Permission denied' "$t/err"

# The portal dies at its worst, and is started again.
kill -KILL "$portal_pid"
wait "$portal_pid" 2>/dev/null
ok "without a portal X still logs in" logs_in X Y
man X /sync
ok "X: cannot ask it" [ "$rc" -eq 75 ]
ok "the portal is there again" portal_start
man X /sync
ok "X: can ask it" done_well

# 3.5: Y is lost.
man X /delete Y
ok "X: a deletion wants a yes" [ "$rc" -eq 64 ]
man X /delete Y --yes
ok "X: deletes Y" done_well
ok "every host follows" wait_for all_have_keys 1 X Y Z
for to in X Y Z; do
	ok "Y is refused on $to" locked_out Y "$to"
	ok "X is not" logs_in X "$to"
done
man Y /sync
ok "Y: is told that it is no longer hers" [ "$rc" -ne 0 ]
man Y --portal "$portal" /connect "$account" --name Y --pin "$pin_y" /ssh
ok "Y: does not come back with its old PIN" not done_well

# It is found again.  Somebody may have had its key, so it gets another one.
ssh_key=$machines/Y/home/.ssh/id_ed25519_mesh
cp "$ssh_key.pub" "$t/lost.pub"
mv "$machines/Y/home/.local/share/meshkeys" "$machines/Y/home/was"
man X /pin
pin_y=$(cat "$t/out")
man Y --portal "$portal" /connect "$account" --name Y --pin "$pin_y" /ssh
ok "Y: asks as a new device" done_well
man X /accept /all
ok "X: accepts it" done_well
man Y /complete
ok "Y: is connected again" done_well
ok "with another key" not cmp -s "$ssh_key.pub" "$t/lost.pub"
ok "every host lets it in" wait_for logs_in Y Z
finish
