# shellcheck shell=sh
# Read by the tests of mesh-refresh in place of lib.sh, which it reads: a
# portal that is a directory, versions of sets, and what this host has got.

. "$(dirname "$0")/lib.sh"

refresher=/run/libexec/meshkeys/mesh-refresh
portal=$t/portal
sets=$t/sets

# bail WHAT: nothing that comes behind it would mean anything.
bail() {
	echo "Bail out! $1"
	exit 99
}

install -m 0755 "$MK_BUILDDIR/mesh-refresh" "$refresher" ||
    bail 'no mesh-refresh'
install -m 0755 "$MK_BUILDDIR/tests/e2e/peak" /run/bin || bail 'no peak'
mkdir "$portal" "$sets"
echo "portal file:$portal" >"$config/meshkeys.conf"

# refresh ARGUMENT...: status in $rc, the summary in out, what it logged in
# log.  $refresh_by is what runs it.  A run over directories takes no time.
refresh_by=
refresh() {
	log_sync
	rc=0
	# shellcheck disable=SC2086 # words
	timeout 60 $refresh_by "$refresher" --json "$@" >"$t/out" \
	    2>"$t/err" </dev/null || rc=$?
	log_sync
	log_lines >"$t/log"
}

# version NAME OPTION...: mkset's set below $sets, its keys, and the memory of
# who has seen nothing but it; $udf.
version() {
	name=$1
	shift
	mkset "$@" --out "$sets/$name.json" --seen "$sets/$name.seen" \
	    --print udf --print keys >"$sets/$name.both" ||
	    bail "mkset makes no '$name'"
	udf=$(head -n 1 "$sets/$name.both")
	tail -n +2 "$sets/$name.both" >"$sets/$name.keys"
}

# serve NAME [UDF]: the portal has that version now.
serve() {
	cp "$sets/$1.json" "$portal/.new"
	mv "$portal/.new" "$portal/${2:-$alice}.json"
}

# ended STATUS MEMBER=N...: the status, and counts of the summary.
ended() {
	[ "$rc" -eq "$1" ] || return 1
	shift
	for pair; do
		grep -Eq "\"${pair%=*}\":${pair#*=}[,}]" "$t/out" || return 1
	done
}

# told PATTERN: the reason in the summary.
told() {
	sed 's/.*"reason":"//' "$t/out" | grep -Eq -e "$1"
}

# refused PATTERN: one set was, for that reason.
refused() {
	ended 65 refused=1 && told "$1"
}

# Both lists are short, and the order is the set's.
keys_of() {
	as_akc "$helper" "$1" 2>/dev/null |
	    grep -Eo '(ssh|ecdsa)-[a-z0-9-]+ AAAA[A-Za-z0-9+/=]+'
}

# has USER NAME: the keys that a login gets are those of that version.
has() {
	keys_of "$1" | cmp -s - "$sets/$2.keys"
}

# shut USER STATUS: no key comes out, with that status.
shut() {
	shut_rc=0
	as_akc "$helper" "$1" >"$t/shut" 2>/dev/null || shut_rc=$?
	[ "$shut_rc" -eq "$2" ] && [ ! -s "$t/shut" ]
}

# holds NAME [UDF]: the cache has the very bytes.
holds() {
	cmp -s "$sets/$1.json" "$cache/${2:-$alice}.json"
}

# saw NAME [UDF]: the memory is of that version, whatever was deleted.
saw() {
	head -n 4 "$sets/$1.seen" >"$t/seen"
	head -n 4 "$memory/${2:-$alice}.seen" | cmp -s - "$t/seen"
}

# Everything below the two stores with bytes, owners, modes and times, but
# for what a run may change whatever comes: the note of a refusal.
listing() {
	(cd / && find "${cache#/}" "${memory#/}" ! -name '*.refused' \
	    ! -path "${cache#/}" ! -name .lock -printf '%p %u %m %s %T@\n' |
	    sort && find "${cache#/}" "${memory#/}" -type f \
	    ! -name '*.refused' ! -name .lock -exec sha256sum {} + | sort)
}

# remember_listing; unchanged: nothing was written in between.
remember_listing() {
	listing >"$t/before"
}

unchanged() {
	listing >"$t/after"
	cmp -s "$t/before" "$t/after" || {
		diff "$t/before" "$t/after"
		return 1
	}
}

# fresh_start: a host that has never seen anything.
fresh_start() {
	find "$cache" "$memory" -mindepth 1 ! -name .lock -delete
}
