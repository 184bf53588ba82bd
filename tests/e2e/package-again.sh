#!/bin/sh
# The archive of "make dist" and the packages for Debian are the same bytes,
# wherever and by whomever they are made.

. "$(dirname "$0")/package-lib.sh"
package_enter "$0"
once=$t/once
again=$t/somewhere/else/under/a/longer/name
mkdir -p "$once" "$again"

# there UMASK ZONE LOCALE COMMAND...: as in somebody else's shell.
there() {
	(
		umask "$1"
		TZ=$2
		LC_ALL=$3
		export TZ LC_ALL
		shift 3
		"$@"
	)
}

source_copy "$once/tree"
(umask 077 && source_copy "$again/tree")
# A checkout is as old as itself, not as its commit.
find "$again/tree" -type f ! -name configure.ac -exec touch '{}' +

logged dist "$once/tree" || bail "there is no archive"
first=$archive
logged there 077 Asia/Tokyo C dist "$again/tree" ||
    bail "there is no second archive"
archive=$(ls "$again"/tree/meshkeys-*.tar.gz)
same_archive() {
	cmp "$first" "$archive" || {
		tar -tvf "$first" >"$t/one"
		tar -tvf "$archive" | diff "$t/one" -
		return 1
	}
}
ok "make dist makes the same archive" same_archive

nobody_in_it() {
	tar --numeric-owner -tvf "$first" | awk '
	$2 != "0/0" || $1 !~ /^(drwxr-xr-x|-rw-r--r--|-rwxr-xr-x)$/ {
		print
		bad = 1
	}
	END { exit bad }'
}
ok "it tells nothing of who made it" nobody_in_it
leftovers() {
	! tar -tf "$first" | grep -E '\.(o|a|log|trs|deps|pp)$|/\.deps/|~$' &&
	    ! tar -tf "$first" |
	    grep -E 'bench/(spawn|norsa|dynrsa|meter|crowd)$'
}
ok "nothing that was built is in it" leftovers
of_itself() {
	mkdir "$t/unpacked"
	tar -C "$t/unpacked" -xf "$first"
	(cd "$t"/unpacked/meshkeys-* && ./configure -q --prefix=/usr &&
	    make -s dist && cmp meshkeys-*.tar.gz "$first")
}
ok "an archive makes itself again" of_itself

logged deb_build "$once/build" "$first" || bail "there are no packages"
logged there 077 Asia/Tokyo C deb_build "$again/build" "$first" ||
    bail "there are no second packages"
same_deb() {
	cmp "$once/build/$1" "$again/build/$1"
}
(cd "$once/build" && ls -- *.deb) >"$t/debs"
while read -r name; do
	ok "$name is the same" same_deb "$name"
done <"$t/debs"
all_three() {
	[ "$(grep -c -v dbgsym "$t/debs")" -eq 3 ]
}
ok "these are all" all_three
finish
