#!/bin/sh
# meshkeys setup on hosts that have something of their own: another holder of
# AuthorizedKeysCommand, what is missing, no sshd that runs, systemd.

. "$(dirname "$0")/setup-lib.sh"

# Who holds AuthorizedKeysCommand.
put 20-other.conf <<-END
	AuthorizedKeysCommand /run/other/keys %u
	AuthorizedKeysCommandUser root
END
picture >"$t/before"
set_up
ok "a holder: 64" refused 64 "held by '/run/other/keys %u'.*--no-chain"
set_up --chain
ok "a holder that is root's: not as a chain: 65" refused 65 'runs as root'
ok "nothing is changed" same_as_before
set_up --no-chain --yes
ok "--no-chain" said 0 'held by another program'
ok "--no-chain: our command" \
    test "$(command_of alice)" = "$helper %u %t %k"
again "--no-chain"
sed -i 's/User root/User nobody/' "$dropins/20-other.conf"
mv "$dropins/20-other.conf" "$dropins/05-other.conf"
picture >"$t/before"
set_up --chain --yes
ok "--chain of nobody's command" said 0 'wrote the chain'
ok "the chain stands behind the other lines" test "$(
    tail -n 3 "$config/meshkeys.conf")" = 'fresh-for 5m
# the end, without a line feed
chain /run/other/keys %u'
ok "a drop-in before ours does not win" \
    test "$(command_of alice)" = "$helper %u %t %k"
again "--chain"
sed -i 's|keys %u|keys %u %h|' "$dropins/05-other.conf"
set_up --chain
ok "a token that we have not: 65" refused 65 'another token'
sed -i 's|keys %u %h|keys|' "$dropins/05-other.conf"
picture >"$t/before"
set_up --chain --yes
ok "a command without arguments gets the user" \
    grep -qx 'chain /run/other/keys %u' "$config/meshkeys.conf"
again "a command alone"
cp -p "$config/meshkeys.conf" "$t/conf"
printf '\nchain none\n' >>"$config/meshkeys.conf"
set_up --chain
ok "another chain stands there: 78" refused 78 'has another chain'
cp -p "$t/conf" "$config/meshkeys.conf"
rm "$dropins/05-other.conf"
put 05-match.conf <<-END
	Match User alice
		AuthorizedKeysCommand /run/other/keys %u
		AuthorizedKeysCommandUser nobody
END
picture >"$t/before"
set_up --chain
ok "a holder for some users: not as a chain: 65" refused 65 \
    "'Match User alice' only .*05-match.conf"
set_up --no-chain
ok "a Match before ours: 78" refused 78 "take 'alice' out of that"
again "a Match before ours"
ok "and all was taken back before that" said 0 'nothing to take back'
rm "$dropins/05-match.conf"
echo 'Match all' >>/etc/ssh/sshd_config
echo '	X11Forwarding no' >>/etc/ssh/sshd_config
picture >"$t/before"
set_up --yes
ok "an sshd_config that ends in a Match" asks_us
again "a Match at the end"
keep_config

# A drop-in that somebody copied by hand stays.
picture >"$t/before"
set_up --yes
cp -p "$dropin" "$t/dropin"
again "to copy"
cp -p "$t/dropin" "$dropin"
picture >"$t/before"
set_up --yes
ok "our drop-in is there already" said 0 'is there already'
again "our drop-in was there"
rm "$dropin"

# Users and directories that are missing.
sed -i '/^meshkeys/d' /etc/passwd /etc/group /etc/shadow
rm -f /etc/gshadow
mv "$memory" /run/memory
mv "$cache" /run/cache
set_up --yes
ok "users are made" said 0 'made the users meshkeys and meshkeys-akc'
ok "a directory is made" \
    test "$(stat -c '%U %G %a' "$memory")" = 'meshkeys meshkeys 755'
tool unsetup
ok "users stay" test -n "$(getent passwd meshkeys-akc)"
write_accounts /etc
rm -rf "$memory" "$cache"
mv /run/memory "$memory"
mv /run/cache "$cache"
picture >"$t/before"

# Without a configuration directory.
mv "$config" /run/config
rm -rf "$config"
picture >"$t/before"
set_up --yes
ok "no /etc/meshkeys" said 0 'wrote'
again "no /etc/meshkeys"
mv /run/config "$config"
rmdir "$dropins"
picture >"$t/before"
set_up --yes
ok "no directory for drop-ins" said 0 'wrote'
again "no directory for drop-ins"
mkdir "$dropins"
picture >"$t/before"

# Without an sshd.
kill "$sshd_pid"
wait "$sshd_pid" 2>/dev/null
set_up --yes
ok "no sshd runs: said" said 0 'no sshd runs here'
ok "no sshd runs: written" asks_us
again "no sshd runs"
if command -v python3 >/dev/null; then
	rm -f /run/sshd.pid
	false_sshd 1001 'import ctypes, time
ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)
print("ready", flush=True)
time.sleep(100)' >"$t/false.out" &
	wait_for grep -q ready "$t/false.out"
	set_up --yes
	ok "no sshd runs but one of a user" said 0 'no sshd runs here'
	kill $!
	wait $! 2>/dev/null
	again "no sshd but one of a user"
else
	skip "no sshd runs but one of a user" "no python3"
fi

# One with another configuration.
cp -p /etc/ssh/sshd_config /etc/ssh/other_config
picture >"$t/before"
/usr/sbin/sshd -D -e -p "$port" -f /etc/ssh/other_config \
    2>>"$sshd_log" </dev/null &
sshd_pid=$!
wait_for sshd_settled
set_up
ok "sshd with another configuration: 78" refused 78 \
    "runs with the configuration '/etc/ssh/other_config'"
ok "nothing is changed" same_as_before
kill "$sshd_pid"
wait "$sshd_pid" 2>/dev/null
rm /etc/ssh/other_config
picture >"$t/before"

# One that was given a command when it was started.
/usr/sbin/sshd -D -e -p "$port" \
    -o 'AuthorizedKeysCommand /run/other/keys %u' \
    -o AuthorizedKeysCommandUser=nobody 2>>"$sshd_log" </dev/null &
sshd_pid=$!
wait_for sshd_settled
set_up
ok "a holder on the command line of sshd: 64" refused 64 \
    "held by '/run/other/keys %u'"
set_up --yes --chain
ok "a holder on the command line of sshd: chained" \
    grep -qx 'chain /run/other/keys %u' "$config/meshkeys.conf"
again "on the command line"
sshd_again

# On a terminal it asks.
if command -v python3 >/dev/null; then
	put 20-other.conf <<-END
		AuthorizedKeysCommand /run/other/keys %u
		AuthorizedKeysCommandUser nobody
	END
	picture >"$t/before"
	asked no no
	ok "asked, and no is no: 64" test "$rc" -eq 64
	ok "nothing is changed" same_as_before
	asked yes
	ok "asked, and yes is a chain" \
	    grep -qx 'chain /run/other/keys %u' "$config/meshkeys.conf"
	again "asked"
	rm "$dropins/20-other.conf"
	picture >"$t/before"
else
	skip "asked" "no python3"
fi

# What is done with systemd, without one: who plays it writes down what it
# is told.
mkdir -p /run/systemd/system
cat >/run/bin/systemctl <<-END
	#!/bin/sh
	case "\$*" in
	"is-active --quiet ssh.service") [ ! -e $t/ended ] || exit 3 ;;
	is-active*) exit 3 ;;
	"reload ssh.service")
		kill -HUP "\$(cat /run/sshd.pid)"
		[ ! -e $t/ends ] || { sleep 0.5; touch $t/ended; } >&- 2>&- &
		;;
	"restart ssh.service") rm $t/ended ;;
	"--quiet stop meshkeys-rollback.timer") ;;
	*) exit 1 ;;
	esac
	echo "systemctl \$*" >>$t/played
END
cat >/run/bin/systemd-run <<-END
	#!/bin/sh
	printf 'systemd-run' >>$t/played
	printf ' %s' "\$@" >>$t/played
	echo >>$t/played
	[ ! -e $t/breaks ] || echo Nonsense yes >$dropins/90-broken.conf
END
chmod 0755 /run/bin/systemctl /run/bin/systemd-run

# played PATTERN
played() {
	grep -Eq -e "$1" "$t/played"
}

: >"$t/played"
set_up
ok "systemd: a timer" played \
    '^systemd-run .*--unit=meshkeys-rollback .*--on-active=60 .*Accuracy'
ok "systemd: of this program" played \
    ' /run/bin/meshkeys unsetup --unconfirmed$'
ok "systemd: it reloads" played '^systemctl reload ssh.service$'
ok "systemd: no process waits" not pgrep -f 'meshkeys setup'
login "$keys/way" root true
: >"$t/played"
echo damage >>"$undo/journal"
tool unsetup --unconfirmed
ok "systemd: a timer that cannot take back" refused 71 'journal. is damaged'
ok "systemd: tells the log" grep -q 'damaged.*event=meshkeys.rollback' "$t/log"
sed -i '$d' "$undo/journal"
tool unsetup --unconfirmed
ok "systemd: what its timer runs" said 0 "'$dropin': removed"
ok "systemd: logged" logged rollback
ok "systemd: it reloads again" played '^systemctl reload'
again "systemd"
touch "$t/breaks"
: >"$t/played"
set_up
ok "broken by somebody else before the reload: 78" refused 78 \
    'not told to read.*Nonsense'
ok "it is not reloaded" not played ' reload '
ok "and the files are as before" test ! -e "$undo" -a ! -e "$dropin"
ok "which is all that there was" not grep -q 'not all could' "$t/out"
rm "$t/breaks" "$dropins/90-broken.conf"
again "broken before the reload"
touch "$t/ends"
: >"$t/played"
set_up --yes
ok "systemd: an sshd that ends: 71" refused 71 'ssh.service ended when'
ok "systemd: it is started again" played '^systemctl restart ssh.service$'
ok "systemd: as it was before" same_as_before
rm "$t/ends"
set_up --yes
touch "$t/ends"
: >"$t/played"
tool unsetup
ok "systemd: an sshd that ends on the way back" \
    said 0 'sshd was started again .ssh.service'
ok "systemd: is started again" played '^systemctl restart ssh.service$'
ok "systemd: and all is as before" same_as_before
rm "$t/ends"
touch "$t/ended"
sed -i 's/is-active\*) exit 3/is-active*ssh.socket) exit 0 ;;\
	is-active*) exit 3/' /run/bin/systemctl
: >"$t/played"
set_up --yes
ok "systemd: a socket" said 0 'ssh.socket starts an sshd.*nothing to reload'
again "a socket"
finish
