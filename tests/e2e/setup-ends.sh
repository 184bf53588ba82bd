#!/bin/sh
# meshkeys setup that does not come to its end: killed, ended by a signal,
# and never confirmed.

. "$(dirname "$0")/setup-lib.sh"

# Interrupted: at once or later, all of it comes back.
for after in 0.02 0.05 0.1 0.2 0.4 0.6 0.8 1.0 1.3 1.6; do
	rc=0
	timeout -s KILL "$after" meshkeys setup --yes --key "$keys/way" \
	    >"$t/out" 2>"$t/err" </dev/null || rc=$?
	[ ! -d "$undo" ] || grep -q '^state done' "$undo/journal" ||
	    interrupted=yes
	tool unsetup
	same_as_before >"$t/why" || {
		cp "$t/why" "$t/more"
		torn=$after
	}
done
ok "killed at ten times, once within: taken back" \
    test "${interrupted-no} ${torn-no}" = 'yes no'
rm -f "$t/more"
timeout -s KILL 0.3 meshkeys setup --yes --key "$keys/way" \
    >"$t/out" 2>"$t/err" </dev/null
mkdir -p -m 0700 "$undo"
[ -s "$undo/journal" ] || printf '%s\n' 'meshkeys-setup-undo 1' \
    'state begun 1 1 - - 1' >"$undo/journal"
sed -i 's/^state done/state begun/' "$undo/journal"
set_up --yes
ok "setup after an interrupted one" said 0 'interrupted: taking that back'
ok "setup after an interrupted one: done" asks_us
again "after an interrupted one"
meshkeys setup --key "$keys/way" >"$t/out" 2>"$t/err" </dev/null &
pid=$!
wait_for test -s "$dropin"
kill -TERM "$pid"
rc=0
wait "$pid" || rc=$?
ok "ended by a signal: 75" refused 75 'ended by signal 15'
ok "ended by a signal: told" said 75 'taking back what was done'
ok "ended by a signal: taken back" same_as_before

# What was restored may be broken by somebody else.
set_up --yes
echo 'Nonsense yes' | put 90-broken.conf
tool unsetup
ok "sshd refuses what else is there: 78" refused 78 \
    'files are as before, but sshd was not told.*Nonsense'
ok "sshd still runs" kill -0 "$(cat /run/sshd.pid)"
rm "$dropins/90-broken.conf"
again "broken by somebody else"

# Killed behind the watchdog and before it could note that it waits.
set_up
sed -i 's/^state unconfirmed/state begun/' "$undo/journal"
tool unsetup --unconfirmed
ok "unsetup --unconfirmed of what was interrupted" said 0 "'$dropin': removed"
again "unsetup --unconfirmed"

# The watchdog.  One that is ended, with the session or with the system, does
# at once what it is there for.
picture >"$t/before"
for dog in $(pgrep -f 'meshkeys setup'); do
	kill -KILL "$dog"
done
set_up
ok "a watchdog waits" pgrep -f 'meshkeys setup'
kill -TERM "$(pgrep -f 'meshkeys setup')"
ok "ended, it takes all back: every byte of /etc" within 20 same_as_before
set_up
sed -i 's/^state unconfirmed/state begun/' "$undo/journal"
ok "another watchdog waits" pgrep -f 'meshkeys setup'
ok "it does not hold the lock" flock -n "$config/.lock" true
ok "within a minute and a bit all is taken back" \
    within 80 test ! -e "$dropin"
ok "by the watchdog: every byte of /etc" within 10 same_as_before
log_sync
ok "by the watchdog: logged" \
    grep -q 'not confirmed in time.*event=meshkeys.rollback' "$syslog"
finish
