# shellcheck shell=sh
# Read by the end-to-end tests: TAP, and checks of what the helper and sshd
# did.  The script that reads it runs inside of the host of world.sh.

. "$(dirname "$0")/../tap.sh"
. "$(dirname "$0")/world.sh"

if [ -z "${MK_WORLD-}" ]; then
	[ -z "${MK_SKIP_E2E-}" ] || skip_all "MK_SKIP_E2E is set"
	reason=$(world_missing)
	[ -z "$reason" ] || skip_all "$reason"
	case ${MK_CONFDIR:-$config}:${MK_CACHEDIR:-$cache} in
	"$config:$cache") ;;
	*) skip_all "configured for other directories than /etc and /var" ;;
	esac
	world_enter "$0" "$@"
fi

# shellcheck disable=SC2034 # tap.sh reads it
tap_shows="out err log sshd"
world_build

# helper_run ARGUMENT...: status in $rc, its output in out and err, what it
# logged in log.  Twenty seconds are more than it may ever take.
helper_run() {
	log_sync
	rc=0
	as_akc timeout 20 "$helper" "$@" >"$t/out" 2>"$t/err" </dev/null ||
	    rc=$?
	log_sync
	log_lines >"$t/log"
	: >"$t/sshd"
}

# offer USER KEY: the helper as sshd runs it for that public key.
offer() {
	# shellcheck disable=SC2046 # type and base64 are words
	helper_run "$1" $(cut -d' ' -f1,2 "$2.pub")
}

# login KEY USER [ARGUMENT...]: status of ssh in $rc, what the command there
# wrote in out, sshd's lines of this login in sshd, the helper's in log.
login() {
	log_sync
	seen=$(wc -l <"$sshd_log")
	rc=0
	client "$@" >"$t/out" 2>"$t/err" || rc=$?
	log_sync
	log_lines >"$t/log"
	sshd_lines
}

sshd_lines() {
	tail -n "+$((seen + 1))" "$sshd_log" >"$t/sshd"
}

sshd_has() {
	sshd_lines
	grep -Eq -e "$1" "$t/sshd"
}

lines() {
	[ "$(wc -l <"$t/out")" -eq "$1" ]
}

in_log() {
	grep -Eq -e "$1" "$t/log"
}

# decided LINES: the helper exited 0 with so many lines.
decided() {
	[ "$rc" -eq 0 ] && lines "$1"
}

# failed STATUS PATTERN: nothing printed, one line in the log.
failed() {
	[ "$rc" -eq "$1" ] && [ ! -s "$t/out" ] && [ ! -s "$t/err" ] &&
	    [ "$(wc -l <"$t/log")" -eq 1 ] && in_log "$2"
}

# entered: the command of the login ran.
entered() {
	[ "$rc" -eq 0 ] && [ "$(cat "$t/out")" = in ]
}

# kept_out [PATTERN]: the login was refused, and sshd said so.
kept_out() {
	[ "$rc" -eq 255 ] && grep -q 'Permission denied' "$t/err" &&
	    wait_for sshd_has "${1:-Failed publickey}" &&
	    not sshd_has 'exited on signal|status 7[01]'
}

# runs EVENT: how often the helper said so, in its log of this login.
runs() {
	grep -c "event=$1 " "$t/log"
}
