#!/bin/sh
# meshkeys check, between sshd and the helper: each thing that it looks at
# once wrong and once right.  What a repair command is told is run, and the
# finding has to be gone then.

. "$(dirname "$0")/lib.sh"

bail() {
	echo "Bail out! $1"
	exit 99
}

install -m 0755 "$MK_BUILDDIR/meshkeys" /run/bin/meshkeys ||
    bail 'no meshkeys'
cp -a /etc/ssh /run/ssh.good
for competitor in sss_ssh_authorizedkeys opkssh google_authorized_keys \
    eic_run_authorized_keys; do
	ln -s /bin/true "/run/bin/$competitor"
done
akc='AuthorizedKeysCommand'

# look [USER]: what check tells.
look() {
	rc=0
	timeout 60 meshkeys check "${1-alice}" >"$t/checked" 2>"$t/err" \
	    </dev/null || rc=$?
	head -n 20 "$t/checked" >"$t/first"
}
tap_shows="first err"

# told LEVEL NAME PATTERN
told() {
	grep -Eq -e "^$1  *$2: .*$3" "$t/checked"
}

# mends NAME PATTERN: with a repair command of that form.
mends() {
	sed -n "/^[a-zA-Z]*  *$1: /{n;s/^         run: //p;}" "$t/checked" \
	    >"$t/repair"
	grep -Eq -e "$2" "$t/repair"
}

# repaired NAME: its repair command works, and all is well then.
repaired() {
	mends "$1" . && sh -e "$t/repair" && look && told ok "$1" . &&
	    not told '(FAILURE|warning)' "$1" .
}

# fresh: sshd's files and the helper as they should be.
fresh() {
	rm -rf /etc/ssh /run/libexec
	cp -a /run/ssh.good /etc/ssh
	mkdir -p "${helper%/*}"
	install -m 0755 "$MK_BUILDDIR/mesh-authorized-keys" "$helper"
}

# dropin NAME: from standard input.
dropin() {
	cat >"/etc/ssh/sshd_config.d/$1"
}

ours() {
	dropin 10-meshkeys.conf <<-END
	Match User *,!root
	$akc ${1:-$helper %u %t %k}
	${akc}User ${2:-meshkeys-akc}
	END
}

# global COMMAND USER: two lines outside of every block.
global() {
	printf '%s %s\n%sUser %s\n' "$akc" "$1" "$akc" "$2"
}

# All is well.
look
ok 'a host as it should be: nothing is wrong between sshd and the helper' \
    not told '(FAILURE|warning)' \
    '(sshd-config|include|owner|command-user|tokens|helper-path|dropins)' .
ok 'sshd takes its configuration' told ok sshd-config 'OpenSSH [0-9]'
ok 'the drop-ins are included' told ok include sshd_config.d
ok 'whose the command is, and where that is written' \
    told ok owner "'alice'.*10-meshkeys.conf' line"
ok 'root is left out' told note owner 'root is left out'
ok 'whom the command runs as' told ok command-user "'meshkeys-akc', uid 902"
ok 'its tokens' told ok tokens .
ok 'its path' told ok helper-path "'$helper'"
ok 'nobody else sets one' told ok dropins .
ok 'algorithms' told ok algorithms .
ok 'methods' told ok methods .
ok 'keys in files' told ok authorized-keys-file 'before the command'
ok 'no sshd runs' told warning running 'no sshd runs'

timeout 60 meshkeys check >"$t/checked" 2>&1
ok 'without a user' told ok owner 'for a user whom no block names'
setpriv --reuid nobody --clear-groups timeout 60 /run/bin/meshkeys check \
    alice >"$t/checked" 2>&1
ok 'somebody who is not root is told what is not known' \
    told skipped sshd-config 'only root'
ok '... and whose command it is is not guessed' told skipped owner .

ok '... nor which sshd runs' told skipped running .
look 'a,b'
ok 'a name that sshd cannot be asked about' told skipped sshd-config comma
ok '... the program is looked at all the same' \
    told ok helper-path "'meshkeys-akc' may run it"

# From 10.0 on "sshd -T" writes keywords in mixed case, and patterns count.
cp /usr/sbin/sshd /run/sshd.real
cat >/run/sshd.new <<'END'
#!/bin/sh
case $1 in
-V) echo 'OpenSSH_10.0p2, OpenSSL 3.5.0' >&2 ;;
-T) /run/sshd.real "$@" | sed 's/^authorizedkeys/AuthorizedKeys/
s/^pubkeya/PubkeyA/; s/command/Command/; s/^usepam/UsePAM/' ;;
*) exec /run/sshd.real "$@" ;;
esac
END
chmod 755 /run/sshd.new
mount --bind /run/sshd.new /usr/sbin/sshd
echo 'AuthorizedKeysFile .ssh/*.pub' >>/etc/ssh/sshd_config
install -d -o alice -g alice /run/home/alice/.ssh
head -c 2000000 /dev/zero >/run/home/alice/.ssh/a.pub
look
ok 'an sshd that writes keywords in mixed case' \
    told ok owner "'alice'.*10-meshkeys.conf' line"
ok '... all of them' told ok authorized-keys-file '\.ssh/\*\.pub'
ok '... and takes patterns for files' \
    told warning authorized-keys '/a\.pub. has more than'
umount /usr/sbin/sshd
rm -r /run/home/alice/.ssh
fresh

# sshd-config
echo 'NoSuchKeyword yes' | dropin 99-bad.conf
look
ok 'a drop-in with a typo: what sshd says of it' \
    told FAILURE sshd-config '99-bad.conf.*NoSuchKeyword'
ok '... and no guess of what would be in force' told skipped owner .
fresh
ln -s /nowhere /etc/ssh/sshd_config.d/70-gone.conf
look
ok 'a drop-in that leads nowhere' told FAILURE sshd-config '70-gone.conf'
fresh
rmdir /run/sshd
look
ok "sshd's directory is missing" told FAILURE sshd-config '/run/sshd'
ok '... and made' repaired sshd-config
mkdir -p /run/sshd

# include
sed -i '/^Include/d' /etc/ssh/sshd_config
look
ok 'no Include' told FAILURE include 'does not include'
ok '... and sshd runs no command' \
    told FAILURE owner "sshd runs no AuthorizedKeysCommand for 'alice'"
ok '... and the line to put at the top' repaired include
ok '... brings our command back' told ok owner .
fresh
{
	sed '/^Include/d' /run/ssh.good/sshd_config
	printf 'Match User carol\nX11Forwarding no\n'
	echo 'Include /etc/ssh/sshd_config.d/*.conf'
} >/etc/ssh/sshd_config
look
ok 'an Include behind a Match counts only there' told FAILURE include \
    "line [0-9]+ the Include stands behind 'Match User carol'"
ok '... and is put at the top' repaired include
fresh
printf 'Match User carol\n\tX11Forwarding no\n' >>/etc/ssh/sshd_config
look
ok 'sshd_config that ends in a Match block, Include at the top' \
    told ok include .
ok '... our command is run all the same' told ok owner 10-meshkeys
fresh
sed -i '/^Include/d' /etc/ssh/sshd_config
cat /etc/ssh/sshd_config.d/10-meshkeys.conf >>/etc/ssh/sshd_config
look
ok 'no Include, and none needed' told note include 'has what it needs'
ok '... the command comes from sshd_config' \
    told ok owner "/etc/ssh/sshd_config' line"
fresh
printf 'Include = "sshd_config.d/*.conf" # ours\r\n' >"$t/top"
sed '/^Include/d' /run/ssh.good/sshd_config | cat "$t/top" - \
    >/etc/ssh/sshd_config
look
ok 'an Include in another spelling' told ok include .
echo 'Include /etc/ssh/sshd_config' >>/etc/ssh/sshd_config
look
ok 'a file that includes itself' told FAILURE sshd-config 'recursive'
fresh

# owner and dropins.  C and E are the complaints of complaints.sh.
rm /etc/ssh/sshd_config.d/10-meshkeys.conf
look
ok 'nobody has the command' told FAILURE owner 'runs no AuthorizedKeysC'
ok '... setup would mend it' mends owner '^meshkeys setup$'
global '/usr/bin/userdbctl ssh-authorized-keys %u' root |
    dropin 20-systemd-userdb.conf
look
ok 'systemd has the command' told FAILURE owner \
    "runs systemd-userdb, .*20-systemd-userdb.conf' line 1: ours is in none"
ok '... which setup can chain' mends owner '^meshkeys setup --chain$'
ours
look
ok 'C13 the default drop-in of systemd breaks nothing of ours' \
    told ok owner 10-meshkeys
ok 'C12 only one command runs, and it is said which does not' \
    told note dropins \
    "20-systemd-userdb.conf' line 1 .*systemd-userdb: it is not run"
mv /etc/ssh/sshd_config.d/20-systemd-userdb.conf \
    /etc/ssh/sshd_config.d/05-systemd-userdb.conf
look
ok 'C14 whatever the order of drop-ins, a Match block wins' \
    told ok owner 10-meshkeys
ok '... and the earlier one is told' told note dropins '05-systemd-userdb'
fresh
global "$helper %u %t %k" meshkeys-akc | dropin 30-hand.conf
rm /etc/ssh/sshd_config.d/10-meshkeys.conf
global '/usr/bin/userdbctl ssh-authorized-keys %u' root |
    dropin 20-systemd-userdb.conf
look
ok 'C14 ours without a block loses to the earlier file' \
    told FAILURE owner '20-systemd-userdb.conf.*the first line wins'
mv /etc/ssh/sshd_config.d/30-hand.conf /etc/ssh/sshd_config.d/10-hand.conf
look
ok '... and wins as the first line' told ok owner 10-hand.conf
fresh
{
	echo 'Match User *'
	global '/run/bin/sss_ssh_authorizedkeys' nobody
} | dropin 04-ipa.conf
look
ok 'FreeIPA in a block in front of ours' told FAILURE owner \
    "SSSD .*04-ipa.conf' line 2 \('Match User \*'\): of several"
mv /etc/ssh/sshd_config.d/04-ipa.conf /etc/ssh/sshd_config.d/50-ipa.conf
look
ok '... and behind it' told ok owner 10-meshkeys
ok '... where it is run for others' told note dropins \
    "50-ipa.conf' line 2 .*SSSD.*'Match User \*' holds and ours is not"
fresh
{
	echo 'Match Group nogroup'
	global '/run/bin/sss_ssh_authorizedkeys' nobody
} | dropin 04-ipa.conf
look
ok 'a block in front that is not hers' told ok owner 10-meshkeys
ok '... is told with its condition' told note dropins \
    "in place of ours where 'Match Group nogroup' holds"
fresh
global '/run/bin/opkssh verify %u %k %t' nobody | dropin 60-opk-ssh.conf
global '/run/bin/google_authorized_keys' root | dropin 50-cloud.conf
look
ok 'opkssh and a cloud behind ours' told ok owner 10-meshkeys
ok '... opkssh is told' told note dropins '60-opk-ssh.conf.*opkssh'
ok '... the cloud is told' told note dropins '50-cloud.conf.*Google'
rm /etc/ssh/sshd_config.d/10-meshkeys.conf
look
ok '... and without ours the cloud has it' \
    told FAILURE owner 'Google OS Login.*50-cloud.conf'
fresh
{
	global "$helper %u %t %k" meshkeys-akc
} | dropin 10-meshkeys.conf
{
	echo 'Match User alice'
	global '/run/bin/opkssh verify %u %k %t' nobody
} | dropin 60-opk-ssh.conf
look
ok 'ours outside of every block loses to any block' \
    told FAILURE owner 'stands in a Match block wins over'
fresh
sed -i 's/^Match .*/Match User bob/' /etc/ssh/sshd_config.d/10-meshkeys.conf
look
ok 'ours in a block that is not hers' \
    told FAILURE owner "counts for 'Match User bob' only"
fresh
global "$helper %u %t %k" meshkeys-akc | dropin 05-hand.conf
look
ok 'the same outside of a block in front: the one in the block counts' \
    told ok owner 10-meshkeys
fresh
printf 'Match User alice\n%s none\n' "$akc" | dropin 05-alice.conf
look
ok 'none for her in front of ours' \
    told FAILURE owner "05-alice.conf' line 2 says 'none' in front of"
fresh
{
	echo 'Match User bob'
	global '/run/bin/opkssh verify %u %k %t' meshkeys-akc
} | dropin 05-bob.conf
look
ok 'another block with the same user of the command is no matter' \
    not told warning command-user .
fresh
sed -i 's/^Match .*/Match all/' /etc/ssh/sshd_config.d/10-meshkeys.conf
look
ok "C16 root's keys come from the helper too" \
    told note owner "root's keys come from the helper too"
fresh
look root
ok 'C16 root needs no helper' told note owner 'does not need'

# The command line of the running sshd.
sshd_started() {
	rm -f /run/sshd.pid
	/usr/sbin/sshd -D -e -p "$port" "$@" 2>>"$sshd_log" </dev/null &
	sshd_pid=$!
	wait_for sshd_settled
	[ -s /run/sshd.pid ]
}

sshd_stopped() {
	kill "$sshd_pid"
	wait "$sshd_pid" 2>/dev/null
	return 0
}

sshd_start
look
ok 'sshd runs, with its files as they are' told ok running "process $sshd_pid"
sshd_stopped
sshd_started -o "$akc=/run/bin/eic_run_authorized_keys %u %f" \
    -o "${akc}User=nobody" || bail 'no sshd'
look
ok 'C15 a command in the unit of sshd, and ours in a block wins' \
    told note command-line 'eic_run_authorized_keys.*wins over it'
global "$helper %u %t %k" meshkeys-akc | dropin 10-meshkeys.conf
look
ok '... and without a block it loses' \
    told FAILURE command-line 'eic_run_authorized_keys'
fresh
sshd_stopped
sed 's/^PidFile .*/PidFile none/' /run/ssh.good/sshd_config \
    >/etc/ssh/other_config
/usr/sbin/sshd -D -e -p "$port" -f /etc/ssh/other_config \
    2>>"$sshd_log" </dev/null &
sshd_pid=$!
wait_for grep -q listener "/proc/$sshd_pid/cmdline"
look
ok 'an sshd with another configuration' \
    told note sshd-config "'/etc/ssh/other_config'"
ok '... which is the one that is looked at' \
    told ok include "'/etc/ssh/other_config'"
sleep 1
touch /etc/ssh/sshd_config.d/10-meshkeys.conf
look
ok 'files changed since it began, and no PidFile to tell more' \
    told note running '10-meshkeys.conf.*without a PidFile'
sshd_stopped
fresh

# running
sshd_start
look
ok 'sshd has read what stands there' told ok running .
rm /etc/ssh/sshd_config.d/10-meshkeys.conf
look
ok 'a drop-in was taken away since' \
    told warning running "'/etc/ssh/sshd_config.d' was changed"
cp -p /run/ssh.good/sshd_config.d/10-meshkeys.conf /etc/ssh/sshd_config.d/
look
ok 'or came back with its old time' told warning running 'was changed'
reread() {
	look
	told ok running "process $sshd_pid"
}
ok '... and how to make it read them' mends running "^kill -HUP $sshd_pid\$"
sh -e "$t/repair"
ok '... which helps' within 10 reread
touch -d 2020-01-01 /etc/ssh/sshd_config.d/10-meshkeys.conf
look
ok 'a drop-in written over, with an old time' \
    told warning running '10-meshkeys.conf. was changed'
sshd_stopped
mkdir -p /etc/systemd/system/sockets.target.wants
ln -s /nowhere /etc/systemd/system/sockets.target.wants/ssh.socket
look
ok 'systemd listens for sshd' told note running 'ssh.socket'
rm -r /etc/systemd/system/sockets.target.wants
# Root may run a program from a place where others can replace it.
cp /usr/sbin/sshd /run/home/alice/sshd
chown alice /run/home/alice/sshd
rm -f /run/sshd.pid
/run/home/alice/sshd -D -e -p "$port" 2>>"$sshd_log" </dev/null &
sshd_pid=$!
wait_for test -s /run/sshd.pid
look
ok 'an sshd that a user could replace is not run to ask it' \
    told ok sshd-config "'/usr/sbin/sshd'"
sshd_stopped
rm /run/home/alice/sshd
# Anybody can run a program of that name.
cp /bin/sleep /run/bin/sshd
setpriv --reuid nobody --clear-groups /run/bin/sshd 100 &
other=$!
look
ok 'a program of that name is no sshd' told warning running 'no sshd runs'
kill "$other"
rm /run/bin/sshd

# command-user
sed -i "/${akc}User/d" /etc/ssh/sshd_config.d/10-meshkeys.conf
look
ok 'no user for the command: sshd would pass over it without a word' \
    told FAILURE command-user "passes over it: below '/.*10-meshkeys.conf'"
global "$helper %u %t %k" meshkeys-akc | sed 1d | dropin 01-user.conf
look
ok 'the user comes from another file' \
    told warning command-user '10-meshkeys.*01-user.*into one block'
fresh
ours '' no-such-user
look
ok 'a user who is not there' told FAILURE command-user 'no such user'
ok '... and how to make one' mends command-user '^useradd .* no-such-user$'
for user in root nobody meshkeys; do
	ours '' "$user"
	look
	ok "the command as $user" told warning command-user "'$user'"
done
fresh

# tokens: sshd -t lets all of these pass.
tokens() {
	ours "$helper $1"
	/usr/sbin/sshd -t && look
}
tokens '%u %t %k %z'
ok 'a token that no sshd knows' told FAILURE tokens "'%z'.*ends every conn"
new_key any
sshd_start
login "$keys/any" alice true
ok '... which it does' wait_for sshd_has 'unknown key %z'
sshd_stopped
tokens '%u %t %k 100%'
ok 'a lone per cent sign' told FAILURE tokens "'100%' ends in a lone"
case $(/usr/sbin/sshd -V 2>&1) in
OpenSSH_9.[0-3]*)
	tokens '%u %C'
	ok 'a token of a later sshd' told FAILURE tokens "'%C'"
	;;
*)
	skip 'a token of a later sshd' 'this one knows it'
	;;
esac
tokens '%u %t %k # ours'
ok 'a comment behind the command' told FAILURE tokens "'#' as an argument"
tokens '%t %k'
ok 'not told whose keys' told FAILURE tokens 'no %u'
tokens '%u'
ok 'without the offered key' told note tokens "not '%u %t %k'"
tokens '%u %f %h %U %% %t'
ok 'tokens that every sshd knows' told note tokens .
ours "\"$helper %u %t %k\""
look
ok 'the whole line in quotes' told FAILURE tokens 'one word in quotes'
ours "\"$helper\" %u"
look
ok 'a quoted path' told FAILURE sshd-config 'absolute path'
fresh

# helper-path: what sshd itself refuses, and says only at a login.
sshd_start
refuses() {
	login "$keys/any" alice true
	sshd_has "Unsafe $akc|Could not stat $akc|$akc .* failed, status 127" &&
	    /usr/sbin/sshd -t
}
broken() {
	look
	ok "E19 $1" told FAILURE helper-path "$2"
	ok '... which sshd says only when somebody comes' refuses
	[ $# -eq 2 ] || ok '... and repaired' repaired helper-path
	[ $# -eq 2 ] || ok '... to what sshd runs' not refuses
	fresh
}
chmod g+w "$helper"
look
ok 'writable by a group of nobody, which some sshd would run' \
    told FAILURE helper-path 'writable by group'
ok '... and repaired' repaired helper-path
chgrp alice "$helper"
chmod g+w "$helper"
broken 'writable by group' 'writable by group' repaired
chmod o+w /run/libexec
broken 'a directory above is writable by others' "'/run/libexec': wri" repaired
chmod 1777 /run/libexec/meshkeys
broken 'a directory as /tmp is' "'/run/libexec/meshkeys'" repaired
chown alice "$helper"
broken 'owned by a user' "$helper': owned by uid 1001" repaired
chown meshkeys-akc /run/libexec/meshkeys
broken 'a directory that is of the user of the command' 'owned by uid 902' \
    repaired
chmod 0700 /run/libexec
look
ok 'E20 an umask that made a directory 0700' \
    told FAILURE helper-path "may not enter '/run/libexec'"
ok '... and repaired' repaired helper-path
fresh
chmod 0754 /run/libexec/meshkeys
broken 'a directory of mode 754' "may not enter '/run/libexec/m" repaired
chmod 0644 "$helper"
broken 'not executable' 'not executable' repaired
chmod 0744 "$helper"
broken 'executable for root alone' "may not run '$helper'" repaired
rm "$helper"
broken 'missing' 'no such file'
rm "$helper"
mkdir "$helper"
broken 'a directory' 'not a regular file'
chmod 4755 "$helper"
look
ok 'a set-user-ID bit' told warning helper-path 'rights of its owner'
ok '... and repaired' repaired helper-path
fresh
mkdir -p /run/libexec/open
chmod 1777 /run/libexec/open
ln -s "$helper" /run/libexec/open/mesh-authorized-keys
ours '/run/libexec/open/mesh-authorized-keys %u %t %k'
look
ok 'a link in a place for everybody, to a good place' told ok helper-path .
rm "/run/libexec/open/mesh-authorized-keys"
mv "$helper" /run/libexec/open
ln -s /run/libexec/open/mesh-authorized-keys "$helper"
ours
broken 'a link in a good place, to a place for everybody' '/run/libexec/open'
ln -sf /run/libexec/open/absent "$helper"
broken 'a link that leads nowhere' 'no such file'

sshd_stopped

# algorithms
echo 'PubkeyAcceptedAlgorithms ssh-ed25519,rsa-sha2-512' |
    dropin 05-policy.conf
look
ok 'a type of key that sshd does not take' told warning algorithms \
    "'key-types' of meshkeys.conf allows 'ecdsa-sha2-nistp256'"
ok '... one name of RSA is enough' not told warning algorithms "'ssh-rsa'"
echo 'key-types ssh-ed25519,ssh-rsa' >"$config/meshkeys.conf"
look
ok '... and is not asked of it' told ok algorithms .
echo 'PubkeyAcceptedAlgorithms ssh-ed25519,ssh-rsa' | dropin 05-policy.conf
look
ok 'RSA with SHA-1 alone' told warning algorithms "allows 'ssh-rsa'"
echo 'RequiredRSASize 3072' | dropin 05-policy.conf
look
ok 'RSA keys of a larger size only' told note algorithms '3072 bits'
echo 'no such setting' >"$config/meshkeys.conf"
look
ok 'a meshkeys.conf that cannot be used' told skipped algorithms .
rm "$config/meshkeys.conf"
fresh

# methods
echo 'PubkeyAuthentication no' | dropin 05-policy.conf
look
ok 'no public keys' told FAILURE methods "PubkeyAuthentication is 'no'"
methods() {
	printf '%s yes\n' PasswordAuthentication KbdInteractiveAuthentication |
	    cat - /run/ssh.good/sshd_config >/etc/ssh/sshd_config
	echo "AuthenticationMethods $*" | dropin 05-policy.conf
}
methods password keyboard-interactive
look
ok 'methods without a public key' \
    told FAILURE methods "is 'password keyboard-interactive'"
methods publickey,password password
look
ok 'a public key and more' told note methods 'not enough'
methods password,keyboard-interactive publickey
look
ok 'a public key or more' told ok methods 'is enough'
echo 'AuthorizedKeysFile none' | dropin 05-policy.conf
look
ok 'no keys in files' told note authorized-keys-file "is 'none'"
fresh
look
ok 'all is well in the end' not told '(FAILURE|warning)' \
    '(sshd-config|include|owner|command-user|tokens|helper-path|methods)' .
finish
