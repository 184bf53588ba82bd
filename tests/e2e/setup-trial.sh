#!/bin/sh
# The trial logins of setup: one with a profile made for it, in mounts of its
# own, and one with the key that is to be the way in.

. "$(dirname "$0")/lib.sh"

install -m 0755 "$MK_BUILDDIR/tests/e2e/trialcli" /run/bin/trial

# The helper where it is to be installed: in an empty file system over the
# directory that is there, beside what else that has.
libexec=$(sed -n 's|.*AuthorizedKeysCommand \(/.*\)/mesh-author.*|\1|p' \
    "$MK_BUILDDIR/sshd_config.d/10-meshkeys.conf")
over=$libexec
while [ ! -d "$over" ]; do
	over=$(dirname "$over")
done
case $over in
/ | /usr | /usr/local | /tmp*)
	skip_all "the helper cannot be put at '$libexec' here"
	;;
esac
mkdir "$t/libexec"
mount --bind "$over" "$t/libexec"
mount -t tmpfs -o mode=0755 tmpfs "$over"
for other in "$t"/libexec/*; do
	[ "$over" = "$libexec" ] || [ ! -e "$other" ] ||
	    ln -s "$other" "$over/"
done
mkdir -p "$libexec"
# The drop-in as setup writes it, and a place for settings before it.
dropins=/etc/ssh/sshd_config.d
helper_back() {
	rm -rf "$libexec/mesh-authorized-keys"
	install -m 0755 "$MK_BUILDDIR/mesh-authorized-keys" "$libexec"
}

dropin() {
	sed "s|%u %t %k|${1-%u %t %k}|" \
	    "$MK_BUILDDIR/sshd_config.d/10-meshkeys.conf" \
	    >$dropins/10-meshkeys.conf
}

# with LINE...: settings before all others; none: as it was.
with() {
	: >$dropins/05-test.conf
	for line in "$@"; do
		echo "$line" >>$dropins/05-test.conf
	done
}

# What must be the same before and after.
state() {
	cat /proc/self/mountinfo
	find "$config" "$cache" "$memory" /etc/ssh /run/home -exec \
	    stat -c '%n %a %u %s %Y' '{}' +
	find /run -maxdepth 1
	processes
}

# All of this namespace but the test itself and what it has just started; the
# dead stay, since nobody here waits for those whose parents have gone.
processes() {
	cat /proc/[0-9]*/stat 2>/dev/null |
	    sed -n 's/^[0-9]* (\(.*\)) [^Z] .*/\1/p' |
	    grep -vxE 'sh|cat|sed|sort|grep|find|setup-trial.sh|timeout' | sort
}

# try KIND USER [KEY]: status in $rc, what it said in out and err.
try() {
	state >"$t/before"
	rc=0
	timeout 90 trial "$@" >"$t/out" 2>"$t/err" </dev/null || rc=$?
}

untouched() {
	state >"$t/after"
	cmp "$t/before" "$t/after" || {
		diff "$t/before" "$t/after"
		return 1
	}
}

worked() {
	[ "$rc" -eq 0 ] && untouched
}

# refused STATUS PATTERN
refused() {
	[ "$rc" -eq "$1" ] && grep -Eq -e "$2" "$t/err" && untouched
}

tells() {
	grep -Eq -e "$1" "$t/err"
}

helper_back
dropin
with
new_key X
publish --seed alice --device "X=$keys/X.pub" --updated now-1h
echo "alice $udf" >"$config/map"

# The mesh: from a fingerprint to a login.
try mesh alice
ok "a profile made for it logs in" worked
ok "without a word" [ ! -s "$t/err" ]
try mesh deploy
ok "also as a user whom the map does not name" worked
try mesh nobody2
ok "not as one who is not here, with sshd's words" \
    refused 65 'Invalid user nobody2'
try mesh root
ok "nor as one whom the drop-in leaves out" \
    refused 78 "for 'root' the AuthorizedKeysCommand is 'none'"

# Nothing of it reaches other mounts, not even where all are shared.
mount --make-rshared /
try mesh alice
ok "shared mounts: nothing comes out of it" worked
mount --make-rprivate /
rc=0
state >"$t/before"
setpriv --bounding-set -sys_admin --inh-caps -sys_admin \
    trial mesh alice >"$t/out" 2>"$t/err" </dev/null || rc=$?
ok "where no mounts can be made, it says so" \
    refused 1 'cannot have mounts of its own'
# jail: a root directory that is no mount, as chroot(8) makes it.
jail() {
	mkdir "$t/jail"
	for part in bin sbin lib lib32 lib64 libx32; do
		[ ! -L "/$part" ] || cp -P "/$part" "$t/jail/"
	done
	for part in usr bin sbin lib lib64 etc dev proc run var root; do
		[ -d "/$part" ] && [ ! -L "/$part" ] || continue
		mkdir -p "$t/jail/$part"
		mount --rbind "/$part" "$t/jail/$part"
	done
}
rc=0
(
	jail
	chroot "$t/jail" /run/bin/trial mesh alice
) >"$t/out" 2>"$t/err" </dev/null || rc=$?
for part in "$t"/jail/*; do
	[ -L "$part" ] || umount -R "$part"
done
rm "$t"/jail/* 2>/dev/null
rmdir "$t"/jail/* "$t/jail"
ok "where they could not be kept apart, too" \
    refused 1 'the root directory is no mount'

# The configuration of this host is the one that is tried.
echo "key-types ecdsa-sha2-nistp384" >"$config/meshkeys.conf"
try mesh alice
ok "a key of a type that the host takes" worked
echo "key-types sk-ssh-ed25519@openssh.com" >"$config/meshkeys.conf"
try mesh alice
ok "or it says that there is none" refused 1 'allow no type of key'
echo 'options command=\"/bin/false\"' >"$config/meshkeys.conf"
try mesh alice
ok "its options are tried" worked
printf '%s\n' '  "Identity"  passwd' 'log-level debug' \
    >"$config/meshkeys.conf"
try mesh alice
ok "whoever says who a user is" worked
echo "no-such-word" >"$config/meshkeys.conf"
try mesh alice
ok "a bad configuration is told" refused 78 'no-such-word'
rm "$config/meshkeys.conf"
with 'PubkeyAcceptedAlgorithms rsa-sha2-512,rsa-sha2-256'
try mesh alice
ok "a key that sshd takes" worked
with

# What sshd does not run is no help.
chmod o+w "$libexec/mesh-authorized-keys"
try mesh alice
ok "a helper that others can write" \
    refused 65 'Unsafe AuthorizedKeysCommand.*bad ownership or modes'
rm "$libexec/mesh-authorized-keys"
try mesh alice
ok "no helper" refused 65 'No such file'
printf '#!/bin/sh\nkill -SEGV $$\n' >"$libexec/mesh-authorized-keys"
chmod 755 "$libexec/mesh-authorized-keys"
try mesh alice
ok "one that crashes" refused 65 'exited on signal 11'
helper_back
cp -p /etc/passwd "$t/passwd"
sed -i '/^meshkeys-akc:/d' /etc/passwd
try mesh alice
ok "without the user that it runs as" refused 65 'meshkeys-akc'
cat "$t/passwd" >/etc/passwd
chmod 750 "$cache"
try mesh alice
ok "stores that it cannot read" refused 65 'failed, status 77'
chmod 755 "$cache"
dropin "%u %Z"
try mesh alice
ok "a token that sshd does not know" refused 65 'unknown key %Z'
dropin

# What others have written into sshd's configuration.
with 'Match User alice' 'AuthorizedKeysCommand /bin/true' \
    'AuthorizedKeysCommandUser nobody'
try mesh alice
ok "a Match block before ours" refused 78 "is '/bin/true'"
with 'AllowUsers deploy'
try mesh alice
ok "AllowUsers, with sshd's words" refused 65 'not listed in AllowUsers'
with 'DenyUsers alice'
try mesh alice
ok "DenyUsers" refused 65 'listed in DenyUsers'
with 'PubkeyAuthentication no'
try mesh alice
ok "no keys at all" refused 65 'Permission denied'
with 'Match User alice' 'PubkeyAuthentication no'
try mesh alice
ok "or not for her" refused 65 'Permission denied'
with "ForceCommand touch $t/forced"
try mesh alice
ok "ForceCommand makes no difference" worked
ok "and does not run" [ ! -e "$t/forced" ]
with 'PasswordAuthentication yes' \
    'AuthenticationMethods publickey,password'
try mesh alice
ok "a key that is not enough is still the right key" worked
with 'Match User alice' 'LogLevel INFO'
try mesh alice
ok "a LogLevel that hides where it was found" worked
with 'NoSuchWord yes'
try mesh alice
ok "what sshd refuses" refused 78 'NoSuchWord'
with
sed -i 's|^\(alice:.*\):/bin/sh|\1:/usr/sbin/nologin|' /etc/passwd
try mesh alice
ok "nologin makes no difference" worked
cat "$t/passwd" >/etc/passwd

# Nobody else has a part in it.  The helper looks around.
with 'ListenAddress 0.0.0.0' 'Port 22' 'Port 2222'
mv "$libexec/mesh-authorized-keys" "$libexec/real"
cat >"$libexec/mesh-authorized-keys" <<END
#!/bin/sh
cat /proc/net/tcp /proc/net/tcp6 >$t/seen/tcp 2>/dev/null
exec $libexec/real "\$@"
END
chmod 755 "$libexec/mesh-authorized-keys"
mkdir -m 777 "$t/seen"
try mesh alice
ok "whatever ports and addresses are configured" worked
ok "and sshd was asked" [ -s "$t/seen/tcp" ]
# In a network of its own: on that of the machine others listen, too.
if command -v ip >/dev/null 2>&1; then
	rm "$t/seen/tcp"
	rc=0
	unshare --net sh -c 'ip link set lo up && exec trial mesh alice' \
	    >"$t/out" 2>"$t/err" </dev/null || rc=$?
	awk '$4 == "0A" { print $2 }' "$t/seen/tcp" >"$t/new"
	ok "nothing listens while sshd runs" [ "$rc" -eq 0 -a ! -s "$t/new" ]
else
	skip "nothing listens while sshd runs" "ip is missing"
fi
with
helper_back
rm "$libexec/real"

# Somebody is faster than our ssh, and gets nothing.
cat >"$t/faster.py" <<'END'
import os, socket, sys
os.setgid(1002)
os.setuid(1002)
known = None
while True:
    with open('/proc/net/tcp') as f:
        rows = [r.split() for r in f][1:]
    ports = {int(r[1].split(':')[1], 16) for r in rows if r[3] == '0A'}
    if known is None:
        known = ports
        print('ready', flush=True)
    for port in ports - known:
        try:
            s = socket.create_connection(('127.0.0.1', port), 5)
            print('got', repr(s.recv(100)), flush=True)
        except OSError as e:
            print('failed', e, flush=True)
        known.add(port)
END
python3 "$t/faster.py" >"$t/faster" 2>&1 &
faster=$!
wait_for grep -q ready "$t/faster"
try mesh alice
kill "$faster"
wait "$faster" 2>/dev/null
ok "another one who connects first does no harm" [ "$rc" -eq 0 ]
ok "and never hears of sshd" not grep -q SSH "$t/faster"

# PAM, where the machine has it.
pam() {
	{
		echo 'auth required pam_permit.so'
		echo "account $1"
		echo "session $2"
	} >/etc/pam.d/sshd
	with 'UsePAM yes'
}
if [ -e /etc/pam.d/sshd ]; then
	with 'UsePAM yes'
	try mesh alice
	ok "with this machine's PAM" [ "$rc" -eq 0 ]
	pam 'required pam_permit.so' 'required pam_permit.so'
	try mesh alice
	ok "with a PAM that lets her in" worked
	pam 'required pam_deny.so' 'required pam_permit.so'
	try mesh alice
	ok "an account that PAM refuses" refused 65 'PAM'
	pam 'required pam_permit.so' 'required pam_deny.so'
	try mesh alice
	ok "a session that PAM refuses" refused 65 'PAM opens no session'
	with
else
	skip "PAM" "no /etc/pam.d/sshd"
fi

# What hangs is ended, with all that it has started.
hang() {
	dropin %u
	cat >"$libexec/hang" <<-END
	#!/bin/sh
	touch $t/seen/hangs
	sleep 1000
	END
	chmod 755 "$libexec/hang"
	echo "chain $libexec/hang" >"$config/meshkeys.conf"
	rm -f "$t/seen/hangs"
}
gone() {
	! processes | grep -Eqx 'trial|sshd.*|ssh|hang|sleep|mesh-authori.*'
}

# until_hangs: a trial in the background that has come to the chain.
until_hangs() {
	state >"$t/before"
	trial mesh alice >"$t/out" 2>"$t/err" </dev/null &
	trial_pid=$!
	wait_for test -e "$t/seen/hangs"
}

hang
until_hangs
kill -s TERM "$trial_pid"
wait "$trial_pid" 2>/dev/null
ok "ended in the middle: no process stays" within 10 gone
ok "nor anything else" untouched
rm "$t/seen/hangs"
until_hangs
kill -s KILL "$trial_pid"
wait "$trial_pid" 2>/dev/null
ok "killed in the middle: no process stays" within 10 gone
ok "nor anything else" untouched
with 'LoginGraceTime 2'
try mesh alice
ok "a chain that hangs longer than sshd waits" \
    refused 65 'knows the key, and did not let her in'
with 'LoginGraceTime 0'
try mesh alice
ok "a chain that hangs has its limit" refused 75 'within 30 seconds'
rm "$config/meshkeys.conf" "$libexec/hang"
dropin
with

# The way in: a key in a file of sshd's.
authorize() {
	mkdir -p -m 700 "/run/home/$1/.ssh"
	cp "$keys/$2.pub" "/run/home/$1/.ssh/authorized_keys"
	chown -R "$1" "/run/home/$1"
}
new_key A
new_key other
authorize alice A
authorize root A
try way-in alice "$keys/A"
ok "a key in authorized_keys" worked
ok "and which file that is" grep -qF \
    " by a key in /run/home/alice/.ssh/authorized_keys:1" "$t/out"
try way-in root "$keys/A"
ok "the same for root" worked
try way-in alice "$keys/other"
ok "a wrong key" refused 65 'Failed publickey for alice'
ok "has no other reason" not tells passphrase
try way-in alice "$keys/X"
ok "a key that only the helper knows is no way in" \
    refused 65 'only AuthorizedKeysCommand knows this key'
with 'PermitRootLogin no'
try way-in root "$keys/A"
ok "PermitRootLogin no" refused 65 'ROOT LOGIN REFUSED'
with 'PasswordAuthentication yes' \
    'AuthenticationMethods publickey,password'
try way-in alice "$keys/A"
ok "a key that is not enough is no way in" \
    refused 65 'wants more than a key'
with 'AuthorizedKeysFile none'
try way-in alice "$keys/A"
ok "no AuthorizedKeysFile" refused 65 'sshd refused the key'
with 'Match User alice' 'LogLevel INFO'
try way-in alice "$keys/A"
ok "a LogLevel that hides the proof" refused 1 'LogLevel'
with

# Certificates.
new_key ca
ssh-keygen -q -s "$keys/ca" -I 'who via /etc/passwd' -n alice -V +1h \
    "$keys/other.pub"
cp "$keys/ca.pub" /etc/ssh/ca.pub
with 'TrustedUserCAKeys /etc/ssh/ca.pub'
try way-in alice "$keys/other"
ok "a certificate" worked
ok "and whose" grep -qF 'a certificate, trusted by /etc/ssh/ca.pub' "$t/out"
with
rm "$keys/other-cert.pub" /etc/ssh/ca.pub

# Files of keys.
try way-in alice
ok "no key" refused 64 'no key to log in with'
try way-in alice "$keys/none"
ok "no such file" refused 66 'No such file'
try way-in alice "$keys"
ok "a directory" refused 64 'not a file'
cp -p "$keys/A" "$keys/a%dkey"
try way-in alice "$keys/a%dkey"
ok "a name that ssh would change" refused 64 'percent'
cp -p "$keys/A" "$t/-a key"
try way-in alice "-a key"
ok "an odd name" worked
chmod 644 "$t/-a key"
try way-in alice "$t/-a key"
ok "one that others can read, with ssh's words" \
    refused 65 'UNPROTECTED PRIVATE KEY FILE'
ssh-keygen -q -p -P '' -N secret -f "$keys/A"
rm "$keys/A.pub"
try way-in alice "$keys/A"
ok "a passphrase, and nobody to type it" refused 65 'ssh-agent'
if command -v python3 >/dev/null 2>&1; then
	typist="python3 $MK_SRCDIR/tests/e2e/typist.py"
	state >"$t/before"
	rc=0
	$typist secret -- trial way-in alice "$keys/A" >"$t/out" 2>"$t/err" ||
	    rc=$?
	ok "somebody types it at a terminal" worked
	ok "once asked by ssh" grep -q 'Enter passphrase for key' "$t/out"
	rc=0
	$typist ^C -- trial way-in alice "$keys/A" >"$t/out" 2>"$t/err" ||
	    rc=$?
	ok "or gives up" [ "$rc" -ne 0 ]
	ok "with the terminal as it was" not grep -q 'another state' "$t/out"
	ok "and nothing stays" within 10 gone
else
	skip "a passphrase typed" "python3 is missing"
fi

# The agent's.
eval "$(ssh-agent -s -a "$t/agent")" >/dev/null
ssh-add -q "$t/-a key" 2>/dev/null || { chmod 600 "$t/-a key" &&
    ssh-add -q "$t/-a key"; }
try way-in alice
ok "a key of the agent" worked
try way-in alice "$keys/A"
ok "a file that is locked, and an agent that has its key" worked
try mesh alice
ok "the mesh has no use for an agent" worked
ssh-add -q -D
ssh-add -q "$keys/other"
try way-in alice
ok "an agent without the right key" refused 65 'Failed publickey'
kill "$SSH_AGENT_PID"
agent_runs() {
	processes | grep -qx ssh-agent
}
wait_for not agent_runs
try way-in alice
ok "an agent that is gone" refused 65 'Permission denied'
unset SSH_AUTH_SOCK SSH_AGENT_PID

# In its place: setup itself, which takes all back if a trial fails.
install -m 0755 "$MK_BUILDDIR/meshkeys" /run/bin/meshkeys
install -m 0755 "$MK_BUILDDIR/mesh-refresh" "$libexec"
mount -t tmpfs -o mode=0755 tmpfs /var/log
rm -f $dropins/*
authorize root other
set_up() {
	rc=0
	timeout 90 meshkeys setup --yes --key "$keys/$1" --login alice \
	    >"$t/out" 2>"$t/err" </dev/null || rc=$?
}

says() {
	grep -Eq -e "$1" "$t/out"
}

set_up X
ok "setup: no way in, no setup" [ "$rc" -eq 65 ]
ok "with the words of sshd" tells 'Failed publickey for root'
ok "all is taken back" [ ! -e $dropins/10-meshkeys.conf ]
echo 'DenyUsers alice' >$dropins/05-test.conf
set_up other
ok "setup: no login by a profile, no setup" [ "$rc" -ne 0 ]
ok "with the words of sshd" tells 'listed in DenyUsers'
ok "all is taken back" [ ! -e $dropins/10-meshkeys.conf ]
rm $dropins/05-test.conf
set_up other
ok "setup: with both" [ "$rc" -eq 0 ]
ok "it says who can log in by what" says 'sshd let .root. in for trial by'
ok "and that a profile does" says 'alice can log in by a key of a profile'

finish
