# shellcheck shell=sh
# Read by the tests of the packages: the archive of "make dist", packages
# from it, and a system to install them on.  That system is an overlay of the
# machine's own root: what dpkg does there ends with the script's namespace.
# Here $t is what a test writes, and $sysroot is that system.

. "$(dirname "$0")/../tap.sh"
. "$(dirname "$0")/world.sh"

packages="meshkeys meshman meshportal"
t=${MK_WORLD-}/test
sysroot=${MK_WORLD-}/system
MK_WORLD_SECONDS=${MK_WORLD_SECONDS:-600}
export MK_WORLD_SECONDS

# packages_missing: why there can be no packages here; nothing if there can.
packages_missing() {
	if [ "${MK_SANITIZERS:-no}" != no ]; then
		echo "the build under test has sanitizers; packages do not"
		return
	fi
	world_missing
	for tool in autoreconf dpkg dpkg-buildpackage dpkg-checkbuilddeps \
	    "$@"; do
		if ! command -v "$tool" >/dev/null 2>&1; then
			echo "$tool is missing; run: contrib/install-deps"
			return
		fi
	done
	if ! (cd "$MK_SRCDIR" && dpkg-checkbuilddeps) >/dev/null 2>&1; then
		echo "what debian/control builds with is not all here;" \
		    "run: contrib/install-deps"
	fi
}

# package_enter SCRIPT TOOL...: skips, or goes on inside.
package_enter() {
	script=$1
	shift
	if [ -z "${MK_WORLD-}" ]; then
		[ -z "${MK_SKIP_E2E-}" ] || skip_all "MK_SKIP_E2E is set"
		reason=$(packages_missing "$@" | head -n 1)
		[ -z "$reason" ] || skip_all "$reason"
		world_enter "$script"
	fi
	umask 022
	mount -t tmpfs -o mode=0755 tmpfs "$MK_WORLD"
	mkdir -p "$t"
	cd "$t" || exit 1
	# What a caller's make or configure has set is none of a package's.
	unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES DESTDIR CONFIG_SITE \
	    CC CFLAGS CPPFLAGS LDFLAGS TESTS TEST_LOGS SOURCE_DATE_EPOCH
	PATH=/usr/sbin:/usr/bin:/sbin:/bin
	LC_ALL=C.UTF-8
	TMPDIR=$t
	HOME=$t
	export PATH LC_ALL TMPDIR HOME
	# shellcheck disable=SC2034 # tap.sh reads it
	tap_shows=log
}

bail() {
	echo "Bail out! $1"
	[ ! -s "$t/log" ] || tail -n 30 "$t/log" | sed 's/^/# /'
	exit 1
}

# logged COMMAND...: what it says goes into the file log.
logged() {
	"$@" >"$t/log" 2>&1 </dev/null
}

# source_copy DIRECTORY: the tree without what a build left in it.
source_copy() {
	mkdir -p "$1"
	# A file of another test may come and go while tar reads.
	(cd "$MK_SRCDIR" && tar -cf - --exclude=./.git --exclude='./build*' \
	    --exclude=./autom4te.cache --exclude=./configure \
	    --exclude=./config.status --exclude=./config.h \
	    --exclude=./Makefile --exclude=./Makefile.in \
	    --exclude='./meshkeys-*' --exclude=.deps --exclude='*.o' \
	    --exclude='*.a' --exclude='*.log' --exclude='*.trs' .) |
	    (cd "$1" && tar -xf - --no-same-owner --no-same-permissions)
}

# dist DIRECTORY: makes the archive there, $archive below it.
dist() {
	(cd "$1" && ./autogen.sh && ./configure -q --prefix=/usr \
	    --sysconfdir=/etc --localstatedir=/var && make -s dist) || return 1
	archive=$(ls "$1"/meshkeys-*.tar.gz)
	version=${archive##*/meshkeys-}
	version=${version%.tar.gz}
}

# deb_build DIRECTORY ARCHIVE: unpacks and builds there.  The tests of the
# tree run elsewhere.
deb_build() {
	mkdir -p "$1"
	tar -C "$1" -xf "$2"
	(cd "$1"/meshkeys-* && DEB_BUILD_OPTIONS="nocheck parallel=2" \
	    dpkg-buildpackage -us -uc -b)
}

# deb DIRECTORY PACKAGE: its file there.
deb() {
	ls "$1/$2"_[0-9]*.deb
}

# deb_files DEB: what it has but directories, with compressed ones as they
# were.
deb_files() {
	dpkg-deb --fsys-tarfile "$1" | tar -tf - | grep -v '/$' |
	    sed 's|^\.||; s|\.gz$||' | sort
}

# system_make: with nothing of meshkeys, and no daemon that a package starts.
# Where there can be no overlay, the test ends here.
system_make() {
	mkdir -p "$sysroot" "$MK_WORLD/upper" "$MK_WORLD/overlay"
	if ! mount -t overlay -o "lowerdir=/,upperdir=$MK_WORLD/upper" \
	    -o "workdir=$MK_WORLD/overlay" overlay "$sysroot"; then
		skip "what becomes of a system" "no overlay of / here"
		finish
	fi
	mount -t proc proc "$sysroot/proc" &&
	    mount -t tmpfs -o mode=0755 tmpfs "$sysroot/run" &&
	    mount -t tmpfs -o mode=1777 tmpfs "$sysroot/tmp" || return 1
	mkdir -p "$MK_WORLD/dev" "$sysroot/run/sshd" "$sysroot/run/lock"
	mount_dev "$MK_WORLD/dev"
	mount --rbind /dev "$sysroot/dev" || return 1
	printf '#!/bin/sh\nexit 101\n' >"$sysroot/usr/sbin/policy-rc.d"
	chmod 755 "$sysroot/usr/sbin/policy-rc.d"
	rm -rf "$sysroot/etc/meshkeys" "$sysroot/var/lib/meshkeys" \
	    "$sysroot/var/cache/meshkeys" "$sysroot/var/lib/meshportal"
	for user in meshkeys meshkeys-akc meshportal; do
		! in_system getent passwd "$user" >/dev/null ||
		    in_system userdel "$user" || return 1
	done
}

# in_system COMMAND...: as root of that system.
in_system() {
	chroot "$sysroot" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	    HOME=/root TERM=dumb LC_ALL=C.UTF-8 \
	    DEBIAN_FRONTEND=noninteractive "$@" </dev/null
}

# system_install DIRECTORY: the packages built there, all three.
system_install() {
	mkdir -p "$sysroot/run/debs"
	rm -f "$sysroot/run/debs"/*.deb
	for package in $packages; do
		cp "$(deb "$1" "$package")" "$sysroot/run/debs"
	done
	in_system sh -c 'dpkg -i /run/debs/*.deb'
}
