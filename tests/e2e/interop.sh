#!/bin/sh
# Profiles that the reference implementation wrote, sets of it that prove
# nothing, and forgeries, each asked for as sshd asks.  They are no part of
# this archive: MK_SHARED is where they lie.
set -u

srcdir=${MK_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
builddir=${MK_BUILDDIR:-$srcdir}
config=${MK_CONFDIR:-/etc/meshkeys}
cache=${MK_CACHEDIR:-/var/cache/meshkeys}
memory=${MK_STATEDIR:-/var/lib/meshkeys}
shared=${MK_SHARED:-$srcdir/../shared/interop}
if [ ! -d "$shared/mesh-2017" ]; then
	echo "1..0 # SKIP no sets of others; MK_SHARED names their directory"
	exit 0
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
count=0
failures=0

verdict() {
	count=$((count + 1))
	if [ "$2" -eq 0 ]; then
		echo "ok $count - $1"
		return
	fi
	failures=$((failures + 1))
	echo "not ok $count - $1"
	echo "status $status" | cat - "$scratch/why" "$scratch/err" |
	    sed 's/^/#   /'
}

# ask SET FINGERPRINT: a host with that set, asked about her.
ask() {
	rm -rf "$scratch/root"
	mkdir -p "$scratch/root$config" \
	    "$scratch/root$cache" \
	    "$scratch/root$memory"
	name=$(echo "$2" | tr a-z A-Z | tr -d - |
	    sed 's/...../&-/g; s/-$//')
	install -m 0644 "$1" "$scratch/root$cache/$name.json"
	echo "alice $2" >"$scratch/root$config/map"
	status=0
	"$builddir/mesh-authorized-keys" --debug --root "$scratch/root" \
	    alice >"$scratch/out" 2>"$scratch/err" || status=$?
	: >"$scratch/why"
}

printed() {
	[ "$status" -eq 0 ] && [ "$(wc -l <"$scratch/out")" -eq "$1" ]
}

refused() {
	[ "$status" -eq 65 ] && [ ! -s "$scratch/out" ]
}

# The base64 of each line, with its type; any options would show.
keys_are() {
	cut -d' ' -f1,2 "$scratch/out" | sort >"$scratch/got"
	sort "$1" | diff - "$scratch/got" >"$scratch/why" && [ "$status" -eq 0 ]
}

for set in "$shared"/mesh-2017/*.json; do
	udf=$(basename "$set" .json)
	ask "$set" "$udf"
	keys_are "${set%.json}.keys"
	verdict "2017, $udf: exactly its keys" $?
done
for set in "$shared"/mesh-2016-refused/*.json; do
	udf=$(basename "$set" .json)
	ask "$set" "$udf"
	refused
	verdict "2016, $udf: refused" $?
done
tab=$(printf '\t')
grep -v '^#' "$shared/forged/index.tsv" >"$scratch/index"
while IFS=$tab read -r case udf expected keys _ <&3; do
	ask "$shared/forged/$case.json" "$udf"
	if [ "$expected" = valid ]; then
		printed "$keys"
	else
		refused
	fi
	verdict "$case: $expected, $keys" $?
done 3<"$scratch/index"

echo "1..$count"
[ "$failures" -eq 0 ]
