#!/bin/sh
# meshkeys setup and unsetup: what is written, proved, taken back and
# confirmed, with an sshd that runs.

. "$(dirname "$0")/setup-lib.sh"

# What is refused before anything is changed.
rc=0
as_akc /run/bin/meshkeys setup >"$t/out" 2>"$t/err" || rc=$?
ok "setup by somebody else: 77" refused 77 'only root'
tool setup --root /run/other
ok "setup --root: 64" refused 64 'running system only'
tool setup --confirm
ok "setup --confirm of nothing: 75" refused 75 'nothing is set up'
tool unsetup
ok "unsetup of nothing" said 0 'nothing to take back'
tool setup
ok "no way in: 64" refused 64 'way-in: nobody would get in.*--key'
ok "no way in: nothing is changed" same_as_before
tool setup --way-in mallory
ok "a way in that does not exist: 64" refused 64 "no user 'mallory'"
tool setup --key /nonexistent
ok "a key that does not exist: 64" refused 64 "cannot read the key"
set_up --login root
ok "--login root: 64" refused 64 "'root' is left out"
set_up --json --login root
ok "refused with --json: an object" python3 -c 'import json, sys
o = json.load(open(sys.argv[1]))
sys.exit(o["result"] != "refused")' "$t/out"
set_up --login mallory
ok "--login of nobody: 64" refused 64 "no user 'mallory'"
ok "still nothing is changed" same_as_before

grep -v '^Include' "$t/sshd_config" >/etc/ssh/sshd_config
set_up
ok "no Include: 78" refused 78 'does not include'
ok "no Include: the line to add" refused 78 \
    '^    Include /etc/ssh/sshd_config.d/\*\.conf$'
{ grep -v '^Include' "$t/sshd_config"; echo 'Match User bob'
  grep '^Include' "$t/sshd_config"; } >/etc/ssh/sshd_config
set_up
ok "Include within a Match: 78" refused 78 'outside of a Match'
echo 'PermitRootLogin no' >>"$t/sshd_config"
keep_config
set_up
ok "PermitRootLogin no: 64" refused 64 \
    "PermitRootLogin no'; name another.*--way-in"
sed -i '/PermitRootLogin/d' "$t/sshd_config"
keep_config
echo 'Nonsense yes' >>/etc/ssh/sshd_config
set_up
ok "sshd refuses what is there: 78" refused 78 'before any change.*Nonsense'
keep_config
echo 'Match User *' | put 10-meshkeys.conf
set_up
ok "another drop-in of our name: 78" refused 78 'not what setup writes'
ok "it is shown" refused 78 '^    Match User \*$'
rm "$dropin"
chmod 0775 "$helper"
set_up
ok "a helper that sshd would refuse: 78" refused 78 'chmod g-w'
chmod 0755 "$helper"
picture >"$t/before"

# What is taken back since it cannot be proved.
new_key stranger
tool setup --key "$keys/stranger"
ok "a key that is not root's: no way in" test "$rc" -ne 0
ok "a key that is not root's: taken back" said "$rc" 'taking back'
ok "a key that is not root's: every byte of /etc" same_as_before
echo 'fresh-for 5 minutes' >"$config/meshkeys.conf.new"
mv "$config/meshkeys.conf" "$t/conf"
mv "$config/meshkeys.conf.new" "$config/meshkeys.conf"
set_up
ok "a configuration of ours that is wrong: 78" refused 78 'meshkeys.conf'
mv "$t/conf" "$config/meshkeys.conf"
ok "and nothing is changed" same_as_before

# All of it.
set_up
ok "setup" said 0 'keep it, log in anew within 60 seconds'
ok "setup is logged" logged setup
ok "the way in is proved" said 0 'root is a way in'
ok "a login by a profile is proved" said 0 \
    'alice can log in by a key of a profile'
ok "sshd asks us" asks_us
ok "the journal is for root only" \
    test "$(stat -c %a "$undo")" = 700
pid=$(cat /run/sshd.pid)
ok "sshd runs as before" kill -0 "$pid"
set_up
ok "setup again before it is confirmed: 75" refused 75 'setup --confirm'
tool setup --confirm
ok "--confirm not through sshd: 65" refused 65 'log in anew'
tool unsetup
ok "unsetup" said 0 "'$dropin': removed"
ok "unsetup tells what stays" said 0 'stays: the map, the cache'
ok "unsetup is logged" logged unsetup
ok "unsetup: every byte of /etc" same_as_before
ok "unsetup: sshd asks nobody" asks_nobody
tool unsetup
ok "unsetup again" said 0 'nothing to take back'
ok "unsetup again: nothing is made" same_as_before

# Confirmed from a new login, and not from an old one.
mkfifo "$t/go"
client "$keys/way" root "cat $t/go; /run/bin/meshkeys setup --confirm" \
    >"$t/more" 2>&1 &
old=$!
wait_for pgrep -f "cat $t/go"
set_up
# As if the clock had been set forward since.
sed -i '2s/^\(state [a-z]*\) [0-9]* /\1 1 /' "$undo/journal"
echo >"$t/go"
rc=0
wait "$old" || rc=$?
cp "$t/more" "$t/err"
ok "--confirm from an old login: 65" refused 65 'log in anew'
if command -v python3 >/dev/null; then
	rc=0
	false_sshd 0 'if True:
	import os, sys
	r, w = os.pipe()
	if os.fork():
	    os.close(r)
	    os.setresuid(1001, 1001, 1001)
	    os.close(w)
	    sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
	os.close(w)
	os.read(r, 1)
	os.execl("/run/bin/meshkeys", "meshkeys", "setup", "--confirm")
	' >"$t/out" 2>"$t/err" || rc=$?
	ok "--confirm below an sshd of a user: 65" refused 65 'log in anew'
else
	skip "--confirm below an sshd of a user" "no python3"
fi
login "$keys/way" root /run/bin/meshkeys setup --confirm
ok "--confirm from a new login" said 0 'confirmed'
ok "--confirm is logged" logged setup
tool setup --confirm
ok "--confirm again" said 0 'confirmed already'
set_up
ok "setup of what is set up" said 0 'set up already'
echo '# mine' >>"$dropin"
set_up
ok "setup of what was changed: 78" refused 78 'another one since'
tool unsetup
ok "unsetup of what was changed: 65" refused 65 \
    'changed by somebody since; nothing was'
ok "and how to" refused 65 'meshkeys unsetup --yes'
tool unsetup --unconfirmed
ok "unsetup --unconfirmed of what is confirmed" said 0 'nothing to take'
ok "it is still set up" asks_us
tool unsetup --yes
ok "unsetup --yes" said 0 'saved beside'
ok "it is saved" grep -q '^# mine' "$dropin.meshkeys-save"
rm "$dropin.meshkeys-save"
again "confirmed"
set_up --yes --json
ok "setup --yes --json: one object" python3 -c 'import json, sys
o = json.load(open(sys.argv[1]))
sys.exit(not (o["result"] == "done" and len(o["steps"]) > 5))' "$t/out"
rm "$dropin"
set_up
ok "setup of what is gone: 78" refused 78 'gone since'
again "without the drop-in"
set_up --yes --way-in console
ok "the console is no proof" said 0 'console: that is not proved'
tool unsetup --json
ok "unsetup --json: one object" python3 -c 'import json, sys
o = json.load(open(sys.argv[1]))
sys.exit(o["result"] != "taken-back")' "$t/out"
again "the console"

# Two at once.
meshkeys setup --yes --key "$keys/way" >"$t/more" 2>&1 </dev/null &
pid=$!
set_up --yes
rc2=0
wait "$pid" || rc2=$?
ok "two at once: both are done" test "$rc $rc2" = '0 0'
ok "two at once: one finds it set up" \
    test "$(cat "$t/out" "$t/more" | grep -c 'set up already')" -eq 1
again "two at once"
install -m 0600 /dev/null "$config/.lock"
flock "$config/.lock" sleep 13 &
pid=$!
wait_for not flock -n "$config/.lock" true
set_up --yes
ok "another is at it for long: 75" refused 75 'another setup is at it'
wait "$pid"
rm -f "$config/.lock"
finish
