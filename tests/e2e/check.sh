#!/bin/sh
# meshkeys check behind sshd: files, accounts, left-over keys, the helper run
# as sshd runs it, and the host.  Each thing once wrong and once right; where
# there is a repair command it is run, and the finding has to be gone then.
# What stands between sshd and the helper is in check-sshd.sh.

. "$(dirname "$0")/refresh-lib.sh"

install -m 0755 "$MK_BUILDDIR/meshkeys" /run/bin/meshkeys ||
    bail 'no meshkeys'
# Where the programs were built for, in this host only.
mount -t tmpfs -o mode=0755 tmpfs /usr/libexec || bail 'no /usr/libexec'
mkdir -m 0755 /usr/libexec/meshkeys
install -m 0755 "$MK_BUILDDIR/mesh-authorized-keys" \
    "$MK_BUILDDIR/mesh-refresh" /usr/libexec/meshkeys
sed -i "s|$helper|/usr/libexec/meshkeys/mesh-authorized-keys|" \
    /etc/ssh/sshd_config.d/10-meshkeys.conf
tap_shows="first err"

# look [USER]: what check tells.
look() {
	rc=0
	timeout 100 meshkeys check "$@" >"$t/checked" 2>"$t/err" \
	    </dev/null || rc=$?
	grep -v '^ok' "$t/checked" >"$t/first"
}

# told LEVEL NAME PATTERN
told() {
	grep -Eq -e "^$1  *$2: .*$3" "$t/checked"
}

# tells LEVEL NAME PATTERN [USER]: looked at anew.
tells() {
	tells_level=$1 tells_name=$2 tells_what=$3
	shift 3
	look "$@"
	told "$tells_level" "$tells_name" "$tells_what"
}

# repair NAME: the commands that are told for it, run.
repair() {
	sed -n "/^[a-zA-Z]*  *$1: /{n;s/^         run: //p;}" "$t/checked" \
	    >"$t/repair"
	[ -s "$t/repair" ] && sh -e "$t/repair"
}

# repaired NAME [USER]: its repair command works, and all is well then.
repaired() {
	repaired_name=$1
	shift
	repair "$repaired_name" && look "$@" &&
	    not told '(FAILURE|warning)' "$repaired_name" .
}

# well LEVEL NAME [USER]: it is not told any more.
well() {
	well_level=$1 well_name=$2
	shift 2
	look "$@"
	not told "$well_level" "$well_name" .
}

json() {
	meshkeys --json check "$2" >"$t/out" 2>"$t/err"
	python3 -c "import json, sys
o = json.load(open(sys.argv[1]))
sys.exit(not ($1))" "$t/out"
}

# put FILE PATH: as the refresher leaves it.
put() {
	rm -rf "$2"
	install -o meshkeys -g meshkeys -m 644 "$1" "$2"
}

new_key x
new_key y
new_key strangers
alices() {
	which=$1
	shift
	version "$which" --seed alice --device "X=$keys/x.pub" \
	    --device "Y=$keys/y.pub" "$@"
}
alices now --updated now-2h
alices deleted --updated now-1h --delete X --deleted 1
alices ahead --updated now+2h
alices soon --updated now+50s
alice=$udf
echo "alice $alice" >"$config/map"
map=$config/map

# start NAME: a host that has that version, and nothing is wrong with it.
start() {
	fresh_start
	meshkeys import "$sets/$1.json" alice >/dev/null ||
	    bail "import of '$1' failed"
	serve "$1"
}
start now
printf '*/5 * * * *\tmeshkeys\t/usr/libexec/meshkeys/mesh-refresh\n' \
    >/etc/cron.d/mesh-refresh

# A host as it should be.
sshd_start || bail 'no sshd'
look alice
ok "a host that is as it should be has no failure and no warning" \
    [ "$rc" -eq 0 ]
ok "and the findings are counted" grep -q '^0 failures, 0 warnings' \
    "$t/checked"
ok "no keys is no error in the log" not told '(FAILURE|warning)' helper .
ok "the helper works when run by sshd and by hand" told ok helper \
    "as 'meshkeys-akc', it decides in .* 2 of her keys tried"
ok "with --json it is one object" json \
    "o['command'] == 'check' and o['user'] == 'alice' and
    o['failures'] == 0 and o['warnings'] == 0 and
    {'name', 'level', 'text', 'repair'} == set(o['findings'][0])" alice
remember_listing
look alice
ok "a check changes nothing" unchanged
ok "no colour but on a terminal" not grep -q "$(printf '\033')" "$t/checked"

# Files.
echo 'frsh-for 3m' >>"$config/meshkeys.conf"
ok "a wrong word in the configuration, by file and line" \
    tells FAILURE config 'meshkeys.conf:2: '
ok "is a failure" [ "$rc" -eq 2 ]
sed -i '$d' "$config/meshkeys.conf"
ok "and a right one" well FAILURE config

chmod 600 "$config/meshkeys.conf"
ok "a configuration that the helper cannot read" \
    tells FAILURE config 'closed to the user of the helper'
ok "is mended" repaired config
chmod 666 "$map"
ok "a map that anybody writes" tells FAILURE map 'writable by'
ok "is mended by the command told" repaired map
chmod 700 "$config"
ok "a directory that a hard umask closed" \
    tells FAILURE confdir 'is closed to'
ok "is mended by the command told" repaired confdir
chmod 750 /var/lib
ok "a parent that lets nobody pass" tells FAILURE statedir 'lets nobody pass'
ok "is mended by the command told" repaired statedir
chown root "$cache"
ok "a cache that is not the refresher's" \
    tells FAILURE cachedir "does not belong to 'meshkeys'"
ok "is mended by the command told" repaired cachedir
rm -rf "${memory:?}.away"
mv "$memory" "$memory.away"
ok "a memory that is not there" tells FAILURE statedir 'is absent'
ok "is made by the command told" repaired statedir
rm -rf "$memory"
mv "$memory.away" "$memory"

awk -v udf="$alice" 'BEGIN {
	for (i = 0; i < 20000; i++) print "user" i, udf
	print "wrong MB2GK-6DUF5-YGYYL-JNY5E-RWSHZ-XXXX"
}' >>"$map"
ok "one wrong line among 20000, by its number" \
    tells FAILURE map 'map:20002: '
ok "and it alone" [ "$(grep -c '^FAILURE  map:' "$t/checked")" -eq 1 ]
awk 'BEGIN { for (i = 0; i < 50; i++) print "bad" i, "x" }' >>"$map"
ok "of many wrong lines twenty, and their number" \
    tells FAILURE map 'and 31 more bad lines: 51 in all'
ok "no more" [ "$(grep -c '^FAILURE  map:' "$t/checked")" -eq 21 ]
printf 'alice %s\r\n' "$alice" >"$map"
ok "DOS line ends" tells FAILURE map 'map:1: DOS line end'
ok "are mended by the command told" repaired map
printf '\357\273\277alice %s\n' "$alice" >"$map"
ok "a byte order mark" tells FAILURE map 'map:1: .*byte order mark'
echo "alice $alice" >"$map"
mkdir -m 0755 "$config/users"
echo "$alice" >"$config/users/alice"
ok "a user in two places" tells warning map-twice "'alice' is named by"
chmod 600 "$config/users/alice"
ok "a file of users/ that the helper cannot read" \
    tells FAILURE map 'users/alice. is closed'
rm -r "$config/users"
ok "a user in one" well warning map-twice
: >"$map"
ok "a user of nobody's map" tells FAILURE identity 'mapped to no profile' alice
ok "no user at all" tells warning map 'no user is mapped'
echo 'alice -' >"$map"
ok "a user without keys on purpose is no failure" \
    tells note identity 'on purpose' alice
echo "alice $alice" >"$map"
ok "a mapped user" well FAILURE identity alice

# The stores.
set=$cache/$alice.json
seen=$memory/$alice.seen
touch -d '-2 hours' "$set"
ok "a set that nobody confirmed of late" \
    tells warning cache 'longer ago than fresh-for' alice
touch -d '-30 days' "$set"
ok "and one that is too old to be used" \
    tells FAILURE cache 'longer ago than stale-for' alice
ok "which the helper says, too" told FAILURE helper 'ends with 75: .*stale'
touch -d '+2 days' "$set"
ok "a confirmation in the future" tells warning clock 'in the future' alice
touch "$set"
ok "and a fresh one" well '(warning|FAILURE)' '(cache|clock)' alice
rm "$set"
ok "a set that was never fetched" tells FAILURE cache 'was ever fetched' alice
ok "which the helper says, too" told FAILURE helper 'ends with 66: '
ok "is a warning for a whole host" tells warning cache 'was ever fetched'
put "$sets/now.json" "$set"
printf x >>"$set"
ok "a damaged set" tells FAILURE set . alice
put "$sets/now.json" "$set"
cp "$seen" "$t/seen.good"
echo damaged >"$seen"
ok "a damaged memory, and how to replace it" \
    tells FAILURE seen 'is damaged, so nothing is printed' alice
ok "by accept" grep -q 'run: meshkeys accept alice' "$t/checked"
put "$t/seen.good" "$seen"
ok "a good one" well FAILURE seen alice
chmod 600 "$seen"
ok "a memory that the helper cannot read" tells FAILURE seen 'closed to' alice
ok "is mended by the command told" repaired seen alice
chown root "$seen"
ok "a memory that is root's" tells warning seen 'belongs to uid 0' alice
ok "is mended by the command told" repaired seen alice
rm "$seen"
ok "no memory" tells warning seen 'there is no memory' alice
put "$t/seen.good" "$seen"
printf '65 version: older than what was seen\n' >"$t/refused"
put "$t/refused" "$cache/$alice.refused"
ok "a refusal that is noted" tells warning refused 'as 65: .*older' alice
rm "$cache/$alice.refused"
start soon
ok "a set that was signed a moment ahead of the clock" \
    well '(warning|FAILURE)' clock alice
start ahead
ok "a set that was signed ahead of the clock" \
    tells warning clock 'which the clock here has not reached' alice
start now
mount -t tmpfs -o size=16k,mode=0755 tmpfs "$cache"
chown meshkeys:meshkeys "$cache"
ok "a full disk" tells FAILURE disk 'is full'
mount -o remount,ro "$cache"
ok "a read-only one" tells FAILURE disk 'is read-only'
umount "$cache"
ok "one with room" well FAILURE disk

# Accounts.
sed -i.good /^meshkeys-akc:/d /etc/passwd
ok "no user for the helper" tells FAILURE accounts "no user 'meshkeys-akc'"
mv /etc/passwd.good /etc/passwd
sed -i.good /^meshkeys:/d /etc/passwd
ok "no user for the refresher" tells FAILURE accounts "no user 'meshkeys'"
ok "and what it would have looked at is skipped" told skipped cache .
mv /etc/passwd.good /etc/passwd
ok "both" well FAILURE accounts
ok "no such account" tells FAILURE account "no account 'nobodyatall'" \
    nobodyatall
sed -i.good '/^alice:/s|/bin/sh|/bin/nosuchshell|' /etc/passwd
ok "a shell that does not exist" tells FAILURE shell 'does not exist' alice
mv /etc/passwd.good /etc/passwd
sed -i.good '/^alice:/s|/bin/sh|/usr/sbin/nologin|' /etc/passwd
ok "a shell that says goodbye" tells warning shell 'ends each login' alice
mv /etc/passwd.good /etc/passwd
sed -i.good 's/^alice:\*/alice:!/' /etc/shadow
ok "a locked account, with UsePAM no" tells FAILURE lock 'is locked' alice
mv /etc/shadow.good /etc/shadow
sed -i.good '/^alice:/s/::$/:10:/' /etc/shadow
ok "an expired account" tells FAILURE expired 'has expired' alice
mv /etc/shadow.good /etc/shadow
sed -i.good "/^alice:/s/::\$/:$(($(date +%s) / 86400)):/" /etc/shadow
ok "the last day of an account, with UsePAM no" well FAILURE expired alice
mv /etc/shadow.good /etc/shadow
ok "neither" well FAILURE '(lock|expired|shell)' alice
for name in 'a b' 'x;id' "o'k" 'al\303\251'; do
	# shellcheck disable=SC2059 # its bytes
	name=$(printf "$name")
	for file in passwd shadow; do
		cp -p "/etc/$file" "/etc/$file.good"
	done
	echo "$name:x:2001:65534::/run/home/deploy:/bin/nosuch" >>/etc/passwd
	echo "$name:!:20000:0:99999:7::10:" >>/etc/shadow
	look "$name"
	ok "the account of a name like '$name'" told FAILURE expired 'expired'
	for finding in expired lock shell; do
		ok "is mended by the command told: $finding" \
		    repaired "$finding" "$name"
	done
	for file in passwd shadow; do
		mv "/etc/$file.good" "/etc/$file"
	done
done
# list LEVEL LINE: what is said of a list of sshd's.
list() {
	echo "$2" >>/etc/ssh/sshd_config
	list_rc=0
	tells "$1" lists . alice || list_rc=$?
	sed -i '$d' /etc/ssh/sshd_config
	return "$list_rc"
}
ok "a list that names her and keeps her out" list FAILURE 'DenyUsers b alice'
ok "or her group" list FAILURE 'DenyGroups alice'
ok "one that does not name her" list FAILURE 'AllowUsers bob carol'
ok "nor her group" list FAILURE 'AllowGroups wheel'
ok "one that names her" list ok 'AllowUsers bob al*'
ok "one that asks where she comes from" list note 'AllowUsers alice@10.0.0.1'
ok "no list" well . lists alice
ok "root is left out by the drop-in" tells note account 'uid 0' root

# Left-over keys.
mine=/run/home/alice/.ssh/authorized_keys
ok "no file, no left-over key" tells ok authorized-keys 'no key' alice
install -d -o alice -g alice -m 700 "${mine%/*}"
{
	echo '# mine'
	printf 'environment="A=b , \\"c",no-pty '
	cat "$keys/x.pub"
	cat "$keys/strangers.pub"
} >"$mine"
chown alice:alice "$mine"
ok "a key of hers in a file is a warning: it survives its deletion" \
    tells warning authorized-keys "$mine:2: .* lets in after" alice
ok "a key that no profile governs is counted" \
    told note authorized-keys 'has 1 key that no'
start now
serve deleted
refresh alice
ok "a left-over authorized_keys keeps no access alive unseen" \
    tells FAILURE authorized-keys "$mine:2: .*bypasses the deletion" alice
login "$keys/x" alice echo in
ok "it is one that lets in" entered
ok "the repair takes that line away" repaired authorized-keys alice
login "$keys/x" alice echo in
ok "and the deleted device is out" kept_out
ok "the other lines are left" grep -q strangers "$mine"
ok "and the file is still hers" [ "$(stat -c %U "$mine")" = alice ]
cp "$keys/x.pub" "$mine"
ln -sf "$mine" /run/home/alice/elsewhere
echo 'AuthorizedKeysFile /etc/nothing %h/else%uwhere %h/elsewhere' \
    >>/etc/ssh/sshd_config
ok "and is found where AuthorizedKeysFile says, through a link" \
    tells FAILURE authorized-keys 'elsewhere:1: .*bypasses' alice
sed -i '$d' /etc/ssh/sshd_config
rm "$mine"
mkfifo "$mine"
ok "a pipe in its place holds nobody up" \
    tells ok authorized-keys 'no key' alice
rm "$mine"
head -c 2000000 /dev/zero >"$mine"
chown alice:alice "$mine"
ok "a file that is too large" tells warning authorized-keys 'more than' alice
ok "is not said to be clean" not told ok authorized-keys .
ln -sf /dev/zero "$mine"
ok "what sshd does not read is not read" \
    tells ok authorized-keys 'no key' alice
rm "$mine"
# A file system whose server does not answer.
cat >"$t/mute" <<'END'
import ctypes, os, sys, time
read, write = os.pipe()
os.setpgid(0, 0)
if ctypes.CDLL(None).mount(b"mute", sys.argv[1].encode(), b"autofs", 0,
    b"fd=%d,pgrp=%d,minproto=5,maxproto=5,direct" % (write, os.getpgrp())):
    sys.exit(1)
os.close(write)
open(sys.argv[2], "w").close()
time.sleep(200)
END
echo 'AuthorizedKeysFile .ssh/authorized_keys' >>/etc/ssh/sshd_config
python3 "$t/mute" "${mine%/*}" "$t/muted" &
mute=$!
muted() {
	[ -e "$t/muted" ] || ! kill -0 "$mute" 2>/dev/null
}
wait_for muted
if [ -e "$t/muted" ]; then
	ok "a home that does not answer holds nobody up for long" \
	    tells warning authorized-keys 'not be read within 10 s' alice
	umount -l "${mine%/*}"
	kill "$mute"
else
	skip "a home that does not answer" "no autofs here"
fi
sed -i '$d' /etc/ssh/sshd_config
echo 'RevokedKeys /etc/ssh/nothing' >>/etc/ssh/sshd_config
ok "RevokedKeys that cannot be read: sshd refuses all" \
    tells FAILURE revoked-keys 'refuses every key' alice
: >/etc/ssh/nothing
ok "one that can" well FAILURE revoked-keys alice
sed -i '$d' /etc/ssh/sshd_config
echo 'PubkeyAcceptedAlgorithms rsa-sha2-512' >>/etc/ssh/sshd_config
ok "a key type that sshd does not take" tells FAILURE key-types . alice
sed -i '$d' /etc/ssh/sshd_config
ok "one that it takes" well FAILURE key-types alice

# The helper as sshd runs it.
printf '#!/bin/sh\nexec sleep 300\n' >/run/bin/hangs
chmod 755 /run/bin/hangs
echo 'chain /run/bin/hangs %u' >>"$config/meshkeys.conf"
ok "a chain command that hangs is named, with its limit" \
    tells FAILURE helper-time "chain '/run/bin/hangs' did not end within" alice
chmod 777 /run/bin/hangs
ok "one that sshd would not run" tells FAILURE chain 'writable by'
sed -i '$d' "$config/meshkeys.conf"
ok "no chain" well FAILURE 'helper.*|chain' alice
dropin=/etc/ssh/sshd_config.d/10-meshkeys.conf
cp "$dropin" "$t/dropin"
sed -i 's/ %t %k//' "$dropin"
ok "a command line without the key" \
    tells FAILURE helper 'for one that nobody has' alice
cp "$t/dropin" "$dropin"
chmod 750 /usr/libexec/meshkeys
ok "what works by hand, and not when sshd runs it" \
    tells FAILURE 'helper.*' . alice
chmod 755 /usr/libexec/meshkeys
ok "a helper that works in both ways" well FAILURE 'helper.*' alice

# The host.
rm "$portal/$alice.json"
ok "a portal that does not answer" tells warning portal 'ends with' alice
serve deleted
ok "one that does" tells ok portal 'finds nothing wrong' alice
cp "$config/meshkeys.conf" "$t/conf"
: >"$config/meshkeys.conf"
ok "no portal" tells note portal 'no portal is configured'
cp "$t/conf" "$config/meshkeys.conf"
mv /etc/cron.d/mesh-refresh /etc/cron.d/mesh-refresh.off
ok "nothing that asks the portals" tells warning timer 'nothing asks'
ok "without systemd, which is said" told warning timer 'systemd does not run'
cp /bin/sleep /run/bin/mesh-refresh
setpriv --reuid deploy --clear-groups /run/bin/mesh-refresh 100 &
other=$!
ok "a user's program of that name asks no portal" \
    tells warning timer 'nothing asks'
kill "$other"
rm /run/bin/mesh-refresh
: >"$config/meshkeys.conf"
ok "where there is no portal nothing has to" tells ok timer 'no portal'
cp "$t/conf" "$config/meshkeys.conf"
mv /etc/cron.d/mesh-refresh.off /etc/cron.d/mesh-refresh
ok "a cron job" tells ok timer 'cron runs'
sed -i.good 's/^CHFN_RESTRICT.*/ CHFN_RESTRICT rwho/' /etc/login.defs
ok "chfn that may change more" tells warning gecos-chfn 'CHFN_RESTRICT rwho'
ok "is mended by the command told" repaired gecos-chfn
services=/usr/share/dbus-1/system-services
mkdir -p "$t/services"
: >"$t/services/org.freedesktop.Accounts.service"
if mount --bind "$t/services" "$services" 2>/dev/null; then
	ok "AccountsService, which writes GECOS for users" \
	    tells warning gecos-accounts 'AccountsService lets'
	ok "does not matter where passwd is not asked" \
	    repaired gecos-accounts
	cp "$t/conf" "$config/meshkeys.conf"
	umount "$services"
else
	skip "AccountsService" "no $services here"
fi
echo 'identity map nss' >>"$config/meshkeys.conf"
sed -i.good 's/^passwd:.*/passwd: files sss/' /etc/nsswitch.conf
ok "a directory where users may write" \
    tells warning gecos-directory "'sss' answers"
mv /etc/nsswitch.conf.good /etc/nsswitch.conf
ok "none" well warning gecos-directory
cp "$t/conf" "$config/meshkeys.conf"
mount -t tmpfs tmpfs /opt
mkdir -p /opt/meshkeys/libexec/meshkeys
cp /bin/true /opt/meshkeys/libexec/meshkeys/mesh-authorized-keys
ok "another copy of the helper" tells warning copies 'another helper'
umount /opt
ok "one helper" well warning copies
mkdir -m 0700 "$config/setup.undo"
echo nonsense >"$config/setup.undo/journal"
ok "a setup of which nobody knows what it did" tells warning setup .
rm -r "$config/setup.undo"
ok "none" tells note setup 'did nothing'

# systemd, as far as its answers go.
fake() {
	cat >"/run/bin/$1"
	chmod 755 "/run/bin/$1"
}
mkdir -p /run/systemd/system
fake systemctl <<'END'
#!/bin/sh
case "$2 $4" in
"is-active mesh-refresh.timer") [ -e /run/test/active ] ;;
"is-enabled mesh-refresh.timer") [ -e /run/test/enabled ] ;;
*) exit 3 ;;
esac
END
ok "systemd, and no timer of ours" \
    tells warning timer 'neither mesh-refresh.timer nor'
: >"$t/active"
ok "one that ends with the next boot" \
    tells warning timer 'not after the next boot'
: >"$t/enabled"
ok "one that stays" tells ok timer 'mesh-refresh.timer runs'
rm -r /run/systemd/system /run/bin/systemctl

# SELinux and AppArmor, as far as the kernel's files go.
mac() {
	ok "neither is on" tells ok mac 'neither'
	mkdir -p /sys/fs/selinux /sys/module/apparmor/parameters \
	    /sys/kernel/security/apparmor /var/log/audit
	echo 1 >/sys/fs/selinux/enforce
	fake restorecon <<'END'
#!/bin/sh
[ "$1" = -RFv ] && : >/run/test/labelled
[ -e /run/test/labelled ] ||
    echo 'Would relabel /var/cache/meshkeys from var_t to var_auth_t'
END
	ok "SELinux is on" tells ok selinux enforcing
	ok "and labels are wrong" told warning selinux-labels 'from var_t'
	ok "until they are mended by the command told" repaired selinux-labels
	rm "$t/labelled"
	fake restorecon <<'END'
#!/bin/sh
echo 'restorecon: no policy here' >&2
exit 255
END
	ok "a policy that cannot be asked is not taken for agreement" \
	    tells skipped selinux-labels 'ends with 255: .*no policy'
	now=$(date +%s)
	cat >/var/log/audit/audit.log <<END
type=AVC msg=audit($now.1:1): avc:  denied  { read } comm="other"
type=AVC msg=audit($now.1:2): avc:  denied  { read } comm="mesh-authorized"
type=AVC msg=audit(9.1:3): avc:  denied  { write } comm="mesh-authorized"
END
	ok "a denial of our programs today, and not of others" \
	    tells warning denials 'denied 1 thing within a day'
	rm /var/log/audit/audit.log
	ok "none" well warning denials
	rm -r /sys/fs/selinux
	echo Y >/sys/module/apparmor/parameters/enabled
	echo 'sshd (enforce)' >/sys/kernel/security/apparmor/profiles
	ok "AppArmor without our profile" tells note apparmor 'has no profile'
	ok "which is loaded with care, and not by a command to paste" \
	    not grep -q apparmor_parser "$t/checked"
	echo 'mesh-authorized-keys (enforce)' \
	    >>/sys/kernel/security/apparmor/profiles
	ok "and with it" tells ok apparmor 'has a profile'
	umount /sys/fs /sys/module /sys/kernel /var/log
}
if mount -t tmpfs tmpfs /sys/fs && mount -t tmpfs tmpfs /sys/module &&
    mount -t tmpfs tmpfs /sys/kernel && mount -t tmpfs tmpfs /var/log; then
	mac
else
	skip "SELinux and AppArmor" "no /sys to put files into"
fi

rm /dev/log
ok "no log" tells warning log 'nothing takes logs'

# Below a root, and without rights.
look() {
	rc=0
	timeout 60 meshkeys --root /run/image check >"$t/checked" \
	    2>"$t/err" || rc=$?
	cp "$t/checked" "$t/first"
}
mkdir -p /run/image/etc/meshkeys /run/image/var/cache/meshkeys \
    /run/image/var/lib/meshkeys
look
ok "below a root sshd and the host are not looked at, which is said" \
    told skipped sshd 'does not run here'
ok "but its files are" told ok confdir '/run/image/etc/meshkeys'
look() {
	rc=0
	setpriv --reuid alice --regid alice --clear-groups \
	    timeout 60 meshkeys check alice >"$t/checked" 2>"$t/err" || rc=$?
	cp "$t/checked" "$t/first"
}
look
ok "without rights it says what it could not look at" \
    told skipped helper 'only root'
ok "and looks at the rest" told ok map 'every line'
finish
