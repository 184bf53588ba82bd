#!/bin/sh
# What users of other programs of this kind complain of, as far as it
# concerns a host: each complaint is a test here, under its own letter and
# number.  What needs packages is in package.sh.
#
# A latency and outages, B staleness and revocation, C one command only and
# clobbered configuration, D SELinux, E permissions, F logging, G options and
# policy, H scale.

. "$(dirname "$0")/refresh-lib.sh"

install -m 0755 "$MK_BUILDDIR/meshkeys" /run/bin/meshkeys ||
    bail 'no meshkeys'

# tool ARGUMENT...: status in $rc, what it said in out and err.
tool() {
	rc=0
	timeout 60 meshkeys "$@" >"$t/out" 2>"$t/err" </dev/null || rc=$?
	: >"$t/log"
}

# finding LEVEL NAME PATTERN: what check told, and its repair.
finding() {
	python3 - "$t/out" "$@" <<-'END'
	import json, re, sys
	found = json.load(open(sys.argv[1]))["findings"]
	level, name, pattern = sys.argv[2:5]
	sys.exit(not any(f["level"] == level and f["name"] == name and
	    re.search(pattern, f["text"] + " / " + (f["repair"] or ""))
	    for f in found))
	END
}

# prepare [OPTION...]: alice with X and Y, and what the portal has.
prepare() {
	version first --seed alice --device "X=$keys/X.pub" \
	    --device "Y=$keys/Y.pub" --device "S=$keys/S.pub" \
	    --updated now-2h "$@"
	alice=$udf
	serve first
	echo "alice $alice" >"$config/map"
	printf '%s\n' "portal file:$portal" "log-level debug" \
	    >"$config/meshkeys.conf"
}

# A FIDO key as a token makes it, the private half aside.
sk_key() {
	python3 - <<-'END'
	import base64, struct
	def s(b): return struct.pack(">I", len(b)) + b
	# The point is that of a key of no secret: 2 times the base point.
	point = bytes.fromhex("c9a3f86aae465f0e56513864510f3997"
	    "561fa2c9e85ea21dc2292309f3cd6022")
	name = b"sk-ssh-ed25519@openssh.com"
	print(name.decode(), base64.b64encode(s(name) + s(point) +
	    s(b"ssh:")).decode(), "token")
	END
}

for key in X Y other ca root; do
	new_key "$key"
done
sk_key >"$keys/S.pub"
prepare
refresh
ok "the portal's set is in the cache" ended 0 updated=1
sshd_start

# A. Latency, outage, amplification.
# alone SCRIPT: as meshkeys-akc, without a network, behind that script.
alone() {
	rc=0
	unshare --net --mount --propagation private sh -c "$1"'
	    exec setpriv --reuid meshkeys-akc --regid meshkeys-akc \
	    --clear-groups --no-new-privs env -i "$@"' sh "$helper" alice \
	    >"$t/out" 2>"$t/err" </dev/null || rc=$?
}
alone ''
ok "A1 a login waits for no network: the keys come with none there" decided 3
chmod 000 "$cache" "$memory"
offer deploy "$keys/X"
ok "A2 local users pay for no look-up: the stores are not opened for them" \
    decided 0
chmod 755 "$cache" "$memory"
rm -rf "$portal.away"
mv "$portal" "$portal.away"
for i in 1 2 3 4 5 6 7 8 9 10; do
	helper_run alice
	decided 3 || break
done
ok "A3 many logins ask no portal: none is there, and all have keys" decided 3
login "$keys/X" alice echo in
ok "A4 the portal is down: people log in from what is here" entered
touch -d '8 days ago' "$cache/$alice.json"
login "$keys/X" alice echo in
ok "A5 but not for ever: after stale-for nobody does" kept_out "status 75"
touch "$cache/$alice.json"
offer alice "$keys/Y"
ok "A5 and which key it was is in the log" in_log "event=akc.match .*device=M"
mv "$portal.away" "$portal"
rm "$cache/$alice.json"
offer alice "$keys/X"
ok "A6 the cache is no service that fails: a lost file is told" failed 66 \
    "no such profile|not in the cache|cache"
refresh alice
offer alice "$keys/X"
ok "A6 and comes back with the next run" decided 1

# B. Staleness and revocation.
version second --seed alice --device "X=$keys/X.pub" \
    --device "Y=$keys/Y.pub" --device "S=$keys/S.pub" --delete X \
    --updated now-1h
serve second
refresh
login "$keys/X" alice echo in
ok "B7 a deleted key is gone with the next look, not with the next day" \
    kept_out
echo "deploy $alice" >>"$config/map"
tool map remove alice
ok "B8 one leaver is dropped" [ "$rc" -eq 0 ]
login "$keys/Y" alice echo in
ok "B8 at once, without a network" kept_out
login "$keys/Y" deploy echo in
ok "B8 and nobody else with her" entered
tool map add alice "$alice"
sed -i 's/^alice:\*:.*/alice:*:20000:0:99999:7::1:/' /etc/shadow
tool --json check alice
ok "B9 an expired account is told, whose keys are still good" \
    finding failure expired 'expired'
sed -i 's/^alice:\*:.*/alice:*:20000:0:99999:7:::/' /etc/shadow
ssh-keygen -q -s "$keys/ca" -I alice -n alice -V +1h "$keys/Y.pub"
offer alice "$keys/Y-cert"
ok "B10 no certificate outlives a deletion: none is ever let in" decided 0
rm "$keys/Y-cert.pub"
serve first
refresh
cp "$sets/first.json" "$cache/$alice.json"
chown meshkeys:meshkeys "$cache/$alice.json"
login "$keys/X" alice echo in
ok "B11 a key is banned for good: the old set brings it not back" \
    kept_out "status 65"
serve second
cp "$sets/second.json" "$cache/$alice.json"
echo "RevokedKeys /etc/ssh/revoked" >/etc/ssh/sshd_config.d/00-revoked.conf
ssh-keygen -q -k -f /etc/ssh/revoked "$keys/Y.pub"
sshd_again
login "$keys/Y" alice echo in
ok "B11 and RevokedKeys of sshd is asked before us" kept_out
rm /etc/ssh/sshd_config.d/00-revoked.conf /etc/ssh/revoked

# C. One command only, clobbered configuration, lock-out.
cat >/run/libexec/theirs <<END
#!/bin/sh
cat $keys/other.pub
END
chmod 755 /run/libexec/theirs
echo "chain /run/libexec/theirs %u" >>"$config/meshkeys.conf"
cat >/etc/ssh/sshd_config.d/04-theirs.conf <<'END'
AuthorizedKeysCommand /run/libexec/theirs %u
AuthorizedKeysCommandUser nobody
END
sshd_again
login "$keys/Y" alice echo in
ok "C12 ours is asked" entered
login "$keys/other" alice echo in
ok "C12 and the other command behind it" entered
sed -i '/^chain/d' "$config/meshkeys.conf"
owner() {
	/usr/sbin/sshd -T -C "user=$1,host=localhost,addr=127.0.0.1" |
	    grep -i '^authorizedkeyscommand '
}
owner alice >"$t/out"
ok "C13 a drop-in of others does not take ours away" \
    grep -q mesh-authorized-keys "$t/out"
owner root >"$t/out"
ok "C13 nor ours theirs where ours does not speak" \
    grep -q /run/libexec/theirs "$t/out"
mv /etc/ssh/sshd_config.d/04-theirs.conf \
    /etc/ssh/sshd_config.d/20-theirs.conf
owner alice >"$t/out"
ok "C14 whatever the order of the drop-ins" \
    grep -q mesh-authorized-keys "$t/out"
rm /etc/ssh/sshd_config.d/20-theirs.conf
sshd_again
mkdir -m 700 -p /run/home/root/.ssh
cp "$keys/root.pub" /run/home/root/.ssh/authorized_keys
mv "$helper" "$helper.away"
printf '#!/bin/sh\nexit 1\n' >"$helper"
chmod 755 "$helper"
login "$keys/root" root echo in
ok "C16 the helper is broken: root has a way in" entered
login "$keys/Y" alice echo in
ok "C16 and nobody else gets in by it" kept_out
mv "$helper.away" "$helper"
rm -r /run/home/root/.ssh

# D. What a policy could deny.
# shellcheck disable=SC2016 # for that shell
alone 'for dir in / /etc /dev /run /var/cache /var/lib; do
	mount -o remount,bind,ro "$dir" || exit 99; done;'
ok "D17 no network, no log file, no sudo: there is nothing to deny" decided 2
as_akc "$helper" alice >"$t/bare"
setpriv --reuid meshkeys-akc --regid meshkeys-akc --clear-groups env \
    LANG=tr_TR.UTF-8 TZ=:/etc/shadow HOME=/root MALLOC_PERTURB_=1 \
    OPENSSL_CONF=/etc/shadow "$helper" alice >"$t/out" 2>"$t/err"
ok "D18 by hand it works as it does when sshd runs it" \
    cmp "$t/bare" "$t/out"

# E. Permissions and paths.
chmod 777 /run/libexec/meshkeys
tool --json check alice
ok "E19 what sshd calls unsafe is told before anybody is kept out" \
    finding failure helper-path 'chmod go-w /run/libexec/meshkeys'
chmod 755 /run/libexec/meshkeys
(umask 077 && meshkeys map remove alice && meshkeys map add alice "$alice") \
    >"$t/out" 2>"$t/err"
offer alice "$keys/Y"
ok "E20 a hard umask locks nobody out" decided 1
chmod 700 "$config"
offer alice "$keys/Y"
ok "E20 a directory that the helper cannot read is told" [ "$rc" -eq 77 ]
tool --json check alice
ok "E20 with the command that mends it" \
    finding failure confdir 'chmod .*/etc/meshkeys'
chmod 755 "$config"

# F. Logging.
login "$keys/other" deploy -o IdentitiesOnly=yes echo in
ok "F21 a key that is none of hers is no error" not sshd_has "failed, status"
tool map remove deploy
login "$keys/other" deploy echo in
ok "F21 nor is a user without any" not sshd_has "failed, status"
login "$keys/Y" alice echo in
ok "F22 both runs of a login have one name in the log" \
    [ "$(grep -o 'conn=[0-9]*' "$t/log" | sort -u | wc -l)" -eq 1 ]
echo "log-matches yes" >>"$config/meshkeys.conf"
sed -i 's/^log-level.*/log-level info/' "$config/meshkeys.conf"
login "$keys/Y" alice echo in
ok "F22 which names the device" in_log "event=akc.match .*device=M"

# G. Options, types, policy.
tool map remove alice
tool map add alice "$alice" 'options=restrict,command="echo only this"'
ok "G23 the administrator gives options to keys" [ "$rc" -eq 0 ]
login "$keys/Y" alice echo in
ok "G23 and they hold" grep -qx 'only this' "$t/out"
tool map remove alice
tool map add alice "$alice" "key-types=sk-ssh-ed25519@openssh.com"
helper_run alice
ok "G24 keys of tokens are let in" grep -q '^sk-ssh-ed25519@' "$t/out"
ok "G24 and only those, if the administrator says so" decided 1
tool map remove alice
mkdir -p /run/home/alice/.config/meshkeys
echo "alice $alice" >/run/home/alice/.config/meshkeys/map
sed -i "s/^alice:.*/alice:x:1001:1001:mesh=$alice,mesh=$alice,mesh=$alice,\
mesh=$alice:\/run\/home\/alice:\/bin\/sh/" /etc/passwd
offer alice "$keys/Y"
ok "G24 no user maps herself, by a file of hers or what chfn sets" decided 0

# H. Scale.
version crowd --seed crowd --updated now-1h --devices 1023 \
    --device "last=$keys/Y.pub"
cp "$sets/crowd.json" "$portal/$udf.json"
tool map add deploy "$udf"
refresh deploy
login "$keys/Y" deploy echo in
ok "H25 the last of 1,024 keys logs in" entered
mkdir "$config/users"
awk -v udf="$alice" 'BEGIN { for (i = 0; i < 20000; i++) {
	f = "/etc/meshkeys/users/u" i; print udf >f; close(f) } }'
offer deploy "$keys/Y"
ok "H25 nor do twenty thousand users harm one" decided 1

finish
