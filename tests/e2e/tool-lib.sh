# shellcheck shell=sh
# Read by the tests of meshkeys in place of refresh-lib.sh, which it reads:
# the program, and checks of what it said.

. "$(dirname "$0")/refresh-lib.sh"

install -m 0755 "$MK_BUILDDIR/meshkeys" /run/bin/meshkeys ||
    bail 'no meshkeys'

# tool ARGUMENT...: status in $rc, what it said in out and err, what it
# logged in log.
tool() {
	log_sync
	rc=0
	timeout 30 meshkeys "$@" >"$t/out" 2>"$t/err" </dev/null || rc=$?
	log_sync
	log_lines >"$t/log"
}

# said STATUS PATTERN: on standard output.
said() {
	[ "$rc" -eq "$1" ] && grep -Eq -e "$2" "$t/out"
}

# complained STATUS PATTERN: and nothing on standard output.
complained() {
	[ "$rc" -eq "$1" ] && [ ! -s "$t/out" ] && hinted "$2"
}

hinted() {
	grep -Eq -e "$1" "$t/err"
}

# logged EVENT PATTERN: one line.
logged() {
	[ "$(wc -l <"$t/log")" -eq 1 ] &&
	    in_log "meshkeys\[.*event=meshkeys\.$1 user=.*$2"
}

# json PYTHON: of the object o that it printed.
json() {
	python3 -c "import json, sys
o = json.load(open(sys.argv[1]))
sys.exit(not ($1))" "$t/out"
}

# put FILE PATH: somebody puts it there by hand.
put() {
	rm -rf "$2"
	install -o meshkeys -g meshkeys -m 644 "$1" "$2"
}
