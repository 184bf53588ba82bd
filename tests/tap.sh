# shellcheck shell=sh
# TAP for tests that are shell scripts, read before they change the
# directory.  $t is a directory of the test's own; $tap_shows names files in
# it that a failure shows, $rc the status that it tells.

count=0
failures=0
rc=0
tap_shows=

skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

# ok NAME COMMAND...: passes if the command succeeds.
ok() {
	count=$((count + 1))
	what=$1
	shift
	if "$@" >"$t/why" 2>&1; then
		echo "ok $count - $what"
		return
	fi
	failures=$((failures + 1))
	echo "not ok $count - $what"
	{
		echo "failed: $*, status $rc"
		head -n 10 "$t/why"
		for part in $tap_shows; do
			[ ! -s "$t/$part" ] ||
			    tail -n 20 "$t/$part" | sed "s/^/$part: /"
		done
	} | tr -d '\r' | cut -c 1-300 | sed 's/^/#   /'
}

# skip NAME REASON
skip() {
	count=$((count + 1))
	echo "ok $count - $1 # SKIP $2"
}

not() {
	! "$@"
}

# within SECONDS COMMAND...: tries until it succeeds.
within() {
	tries=$(($1 * 20))
	shift
	until "$@"; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.05
	done
}

finish() {
	echo "1..$count"
	[ "$failures" -eq 0 ] || exit 1
	exit 0
}
