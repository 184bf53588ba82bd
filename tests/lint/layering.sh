#!/bin/sh
# The one rule: calls go cmd -> {edge, net, core}, edge -> core and
# net -> core, and the core is pure.  Three proofs: the symbols that the
# libraries want from outside, the shared objects that the programs load,
# and the lines of #include.
set -eu

# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"
nm=${NM:-nm}
readelf=${READELF:-readelf}
sanitizers=${MK_SANITIZERS:-no}

# All of the C library that the core may call: bytes and memory.  No file,
# clock, environment, locale, log, exit or random number; nor ctype and
# strto*, which read more than people expect.  strncasecmp is that of the C
# locale, since no program sets another (see below).  yajl writes through the
# NULL of a failed malloc, so json.c has to jump out of its allocator.
core_libc='mem(chr|cmp|cpy|mem|move|set)|mempcpy|bcmp|explicit_bzero'
core_libc="$core_libc|str(chr|cmp|cpy|cspn|len|ncmp|nlen|rchr|spn|str)"
core_libc="$core_libc|malloc|calloc|realloc|reallocarray|free|strn?dup"
core_libc="$core_libc|bsearch|snprintf|vsnprintf|strn?casecmp"
core_libc="$core_libc|_?setjmp|_?longjmp|__sigsetjmp"

# Libraries of the core.  Not those of their functions that draw random
# numbers or open a device: keys and seeds are handed in.
core_prefixes='^(yajl_|crypto_|sodium_|nettle_|_nettle_|__gmp[a-z]*_)'
core_impure='^(sodium_init$|crypto_.*_(keypair|keygen|keygen_.*)$)'
core_impure_but='_seed_keypair$'

# What belongs to the core, and to no login at all.
edge_forbidden='^(yajl_|nettle_|__gmp|curl_|getaddrinfo$|gethostby)'

# What compilers add.
compiler='^(__stack_chk_fail(_local)?|_GLOBAL_OFFSET_TABLE_)$'
if [ "$sanitizers" != no ]; then
	compiler="$compiler|^__(asan|lsan|ubsan|sanitizer)_"
fi

# wanted LIBRARY, defined LIBRARY: symbols, each once.
wanted() {
	$nm -g -P "$1" >"$scratch/nm"
	awk 'NF > 1 && $2 ~ /^[Uw]$/ { print $1 }' "$scratch/nm" | sort -u
}

defined() {
	$nm -g -P "$1" >"$scratch/nm"
	awk 'NF > 1 && $2 !~ /^[Uw]$/ { print $1 }' "$scratch/nm" | sort -u
}

# Reads symbols; drops what the compiler adds, and makes the names that
# _FORTIFY_SOURCE gives to functions plain again.
plain() {
	grep -Ev "$compiler" | sed 's/^__\(.*\)_chk$/\1/' | sort -u
}

core_symbols() {
	comm -23 "$scratch/core-wanted" "$scratch/core-defined" | plain |
	    while read -r symbol; do
		if echo "$symbol" | grep -Eq "$core_impure" &&
		    ! echo "$symbol" | grep -Eq "$core_impure_but"; then
			echo "libmkcore.a is not pure: it calls '$symbol'"
		elif ! echo "$symbol" | grep -Eq "$core_prefixes"; then
			echo "$symbol" | grep -Exq "$core_libc" ||
			    echo "libmkcore.a may not call '$symbol'"
		fi
	done
}

edge_symbols() {
	sort -u "$scratch/core-defined" "$scratch/edge-defined" \
	    >"$scratch/below"
	comm -23 "$scratch/edge-wanted" "$scratch/below" | plain |
	    grep -E "^mk_|$edge_forbidden" |
	    sed "s/.*/libmkedge.a may not call '&'/" || :
}

net_symbols() {
	sort -u "$scratch/core-defined" "$scratch/net-defined" \
	    >"$scratch/below"
	comm -23 "$scratch/net-wanted" "$scratch/below" | plain |
	    grep -E '^(mk_|yajl_|nettle_|__gmp)' |
	    sed "s/.*/libmknet.a may not call '&'/" || :
}

# Shared objects of each program.
loads() {
	case $1 in
	mesh-authorized-keys | meshkeys)
		;;
	mesh-refresh)
		echo 'libcurl\.so'
		;;
	meshman)
		echo 'libcurl\.so|libqrencode\.so|libresolv\.so'
		;;
	meshportal)
		echo 'libmicrohttpd\.so|libsqlite3\.so'
		;;
	*)
		return 1
		;;
	esac
	echo 'libsodium\.so|libyajl\.so'
	[ "${MK_STATIC_RSA:-no}" = yes ] ||
	    echo 'libhogweed\.so|libnettle\.so|libgmp\.so'
}

needed() {
	if ! loads "$1" >"$scratch/loads"; then
		echo "what '$1' may load is not listed in $0"
		return
	fi
	allowed="libc\\.|ld-(linux|musl)|$(paste -s -d '|' "$scratch/loads")"
	if [ "$sanitizers" != no ]; then
		allowed="$allowed|lib(asan|ubsan|m|dl|rt|pthread|resolv)\\."
		allowed="$allowed|libgcc_s\\.|libstdc\\+\\+\\."
	fi
	$readelf -d "$builddir/$1" >"$scratch/dynamic"
	sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p' "$scratch/dynamic" \
	    >"$scratch/needed"
	[ -s "$scratch/needed" ] || echo "$1: loads nothing, not even libc"
	grep -Ev "^($allowed)" "$scratch/needed" |
	    sed "s|^|$1 may not load |" || :
}

# includes DIRECTORY ALLOWED [BUT-NOT]: what its files may include.
includes() {
	[ -d "$1" ] || return 0
	c_files "$1" | xargs grep -EHn '^[[:space:]]*#[[:space:]]*include' \
	    >"$scratch/includes" || :
	sed 's/[[:space:]]*\/\*.*//; s/#[[:space:]]*include[[:space:]]*/ /' \
	    "$scratch/includes" |
	    awk -v allowed="$2" -v denied="${3:-^$}" '
	    $2 !~ allowed || $2 ~ denied { print $1, "may not include", $2 }'
}

only_in() {
	c_files src | xargs grep -El "include[[:space:]]*<($1)" |
	    grep -Ev "^($2)\$" |
	    sed "s|\$|: only $3 may include <$1>|" || :
}

if command -v "$nm" >/dev/null 2>&1 && [ -f "$builddir/libmkcore.a" ]; then
	for library in core edge net; do
		wanted "$builddir/libmk$library.a" >"$scratch/$library-wanted"
		defined "$builddir/libmk$library.a" \
		    >"$scratch/$library-defined"
	done
	core_symbols >"$complaints"
	verdict "the core calls nothing but memory and its libraries"
	edge_symbols >"$complaints"
	verdict "the edge calls the core, no program and no network"
	net_symbols >"$complaints"
	verdict "the network half calls the core and no edge"
else
	skip "symbols of the libraries" "no nm, or nothing is built"
fi

for program in ${MK_PROGRAMS-}; do
	needed "$program" >"$complaints"
	verdict "$program loads only what its job needs"
done

cd "$srcdir"
plain_c='std(arg|bool|def|int|io|lib)|inttypes|limits|strings?|setjmp'
plain_c="<($plain_c)\\.h>"
core_lib_h='<(sodium|gmp|yajl/[a-z_]*|nettle/[a-z0-9_-]*)\.h>'
edge_not='<(yajl/|nettle/|gmp|curl/|microhttpd|sqlite3)'

includes src/core "^(\"core/[a-z0-9_]*\\.h\"|$plain_c|$core_lib_h)\$" \
    >"$complaints"
verdict "src/core includes itself, plain C and its libraries"
includes src/edge '^("(core|edge)/[a-z0-9_]*\.h"|<.*>)$' "$edge_not" \
    >"$complaints"
verdict "src/edge includes core and edge, and <config.h> in brackets"
includes src/net '^("(core|net)/[a-z0-9_]*\.h"|<.*>)$' \
    '<(yajl/|nettle/|gmp|microhttpd|sqlite3)' >"$complaints"
verdict "src/net includes core and net"
cmd_not='<(yajl/|nettle/|gmp|curl/)'
includes src/cmd '^("(core|edge|net|cmd)/[a-z0-9_]*\.h"|<.*>)$' "$cmd_not" \
    >"$complaints"
verdict "src/cmd includes no library of the core"
only_in yajl/ 'src/core/(json|json_[a-z]*|write)\.c' "the JSON modules" \
    >"$complaints"
verdict "yajl stays behind one strict wrapper"
only_in curl/ 'src/net/(fetch|transfer|url)\.c|src/net/transfer\.h' \
    "the fetcher" >"$complaints"
verdict "libcurl stays behind the fetcher"
only_in microhttpd 'src/cmd/portal_http\.c' "the portal's connections" \
    >"$complaints"
verdict "libmicrohttpd stays behind the portal's connections"
only_in sqlite3 'src/cmd/portal_(db|store|rows|queue)\.c|src/cmd/portal_db\.h' \
    "the portal's store" >"$complaints"
verdict "SQLite stays behind the portal's store"
only_in qrencode 'src/cmd/man_qr\.c' "the QR codes" >"$complaints"
verdict "libqrencode stays behind the QR codes"
only_in setjmp 'src/core/json\.c' "the JSON reader" >"$complaints"
verdict "nothing else jumps"

c_files src | xargs grep -En '(set|new|use)locale[[:space:]]*\(' \
    >"$complaints" || :
verdict "no program sets a locale"

{ c_files src tests; find tests -name '*.sh' | sort; } |
    while read -r file; do
	grep -Eq "(^|[[:space:]])${file%.c}(\.c)?([[:space:]]|\$)" \
	    Makefile.am || echo "$file is not in Makefile.am"
done >"$complaints"
verdict "every source and test script is in the makefile"
finish
