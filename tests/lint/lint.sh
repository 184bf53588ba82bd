# shellcheck shell=sh
# Read by the lint scripts: TAP, a scratch directory, the two trees.
# In 'make check' the trees come from the makefile; by hand they are this
# checkout, or what MK_SRCDIR and MK_BUILDDIR say.

srcdir=${MK_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck disable=SC2034 # used by those who read this
builddir=${MK_BUILDDIR:-$srcdir}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
complaints=$scratch/complaints
count=0
failures=0

# verdict NAME: passes if nothing was written to the file of complaints.
verdict() {
	count=$((count + 1))
	if [ -s "$complaints" ]; then
		failures=$((failures + 1))
		echo "not ok $count - $1"
		sed 's/^/# /' "$complaints"
	else
		echo "ok $count - $1"
	fi
	rm -f "$complaints"
}

# skip NAME REASON
skip() {
	count=$((count + 1))
	echo "ok $count - $1 # SKIP $2"
}

finish() {
	echo "1..$count"
	[ "$failures" -eq 0 ]
}

# Our own C files, below the directories named; relative to srcdir, which
# must be the working directory.
c_files() {
	for dir; do
		[ ! -d "$dir" ] || find "$dir" -name '*.[ch]'
	done | sort
}
