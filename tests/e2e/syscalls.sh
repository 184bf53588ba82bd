#!/bin/sh
# What a login costs the host, and what the sandbox leaves: system calls and
# memory for an ordinary set with an offered key.
set -u

srcdir=${MK_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
builddir=${MK_BUILDDIR:-$srcdir}
config=${MK_CONFDIR:-/etc/meshkeys}
cache=${MK_CACHEDIR:-/var/cache/meshkeys}
memory=${MK_STATEDIR:-/var/lib/meshkeys}

skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

[ -z "${MK_SKIP_E2E-}" ] || skip_all "MK_SKIP_E2E is set"
[ "${MK_SANITIZERS:-no}" = no ] ||
    skip_all "the sanitizers have system calls and memory of their own"
strace -o /dev/null true 2>/dev/null ||
    skip_all "no strace here; run: contrib/install-deps"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
root=$scratch/root
mkdir -p "$root$config" "$root$cache" \
    "$root$memory"
udf=$("$builddir/tests/mkset/mkset" --devices 3 --updated now-1h \
    --out "$root$cache/" --seen "$root$memory/" \
    --print udf)
echo "alice $udf" >"$root$config/map"
offer=$("$builddir/tests/mkset/mkset" --devices 3 --print offer:device1)

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
	tail -n 20 "$scratch/trace" | cut -c 1-200 | sed 's/^/#   /'
}

trace() {
	# shellcheck disable=SC2086 # type and base64 are words
	"$@" "$builddir/mesh-authorized-keys" --root "$root" alice $offer \
	    >"$scratch/out"
}

trace strace -f -o "$scratch/trace"
[ "$(wc -l <"$scratch/out")" -eq 1 ]
verdict "the line of the offered key" $?

calls=$(grep -c '(' "$scratch/trace")
[ "$calls" -lt 200 ]
verdict "$calls system calls, start-up included: under 200" $?
! grep -Eq ' (clone3?|v?fork|execveat|connect\(.*AF_INET)' "$scratch/trace"
verdict "no other process and no network" $?

if grep -q '^#define MK_SANDBOX 1' "$builddir/config.h"; then
	grep -q 'PR_SET_SECCOMP, SECCOMP_MODE_FILTER, {.*= 0' \
	    "$scratch/trace"
	verdict "the sandbox is closed" $?
	sed '1,/PR_SET_SECCOMP, SECCOMP_MODE_FILTER, {/d' "$scratch/trace" |
	    sed -n 's/^[0-9]* *\([a-z0-9_]*\)(.*/\1/p' | sort -u \
	    >"$scratch/after"
	grep -qx write "$scratch/after"
	verdict "the line is written inside the sandbox" $?
	allowed='read|writev?|close|sendto|brk|munmap|mremap|madvise'
	allowed="$allowed|mprotect|mmap|getrandom|futex|clock_gettime"
	allowed="$allowed|exit_group"
	! grep -Exv "$allowed" "$scratch/after"
	verdict "inside: $(tr '\n' ' ' <"$scratch/after")" $?
	! sed '1,/PR_SET_SECCOMP, SECCOMP_MODE_FILTER, {/d' \
	    "$scratch/trace" | grep -Eq ' (open|socket|connect)|PROT_EXEC'
	verdict "nothing is opened there, nothing becomes code" $?
	grep -q ' landlock_restrict_self(.*= 0' "$scratch/trace" ||
	    ! grep -q ' landlock_create_ruleset(.*= [1-9]' "$scratch/trace"
	verdict "Landlock is closed where the kernel has it" $?
fi

trace "$builddir/tests/e2e/peak" 2>"$scratch/peak"
peak=$(tail -n 1 "$scratch/peak")
[ "$peak" -lt 4096 ]
verdict "$peak KiB of memory: under 4 MiB" $?

# Sets that make the most of their bytes, and are refused.
: >"$root$config/map"
for letter in A B C D E F; do
	udf=MAAA$letter-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA
	echo "alice $udf" >>"$root$config/map"
	{
		printf '['
		head -c 3000000 /dev/zero | sed 's/\x0\x0\x0/[],/g'
		printf '[]]'
	} >"$root$cache/$udf.json"
done
trace "$builddir/tests/e2e/peak" 2>"$scratch/peak"
peak=$(tail -n 1 "$scratch/peak")
[ "$peak" -gt 40960 ] && [ "$peak" -lt 143360 ]
verdict "$peak KiB for six large sets that are refused: not six times one" $?

echo "1..$count"
[ "$failures" -eq 0 ]
