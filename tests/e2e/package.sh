#!/bin/sh
# The packages for Debian: what is in them, and what becomes of a system that
# they are installed on, upgraded, removed and purged.

. "$(dirname "$0")/package-lib.sh"
package_enter "$0" lintian

source_copy "$t/tree"
logged dist "$t/tree" || bail "there is no archive"
logged deb_build "$t/build" "$archive" || bail "there are no packages"

# lint_clean: no error, and no warning either.
lint_clean() {
	lintian --allow-root --fail-on error,warning \
	    --tag-display-limit 0 "$t"/build/*.changes
}
ok "lintian finds nothing" lint_clean

same_version() {
	for package in $packages; do
		[ "$(dpkg-deb -f "$(deb "$t/build" "$package")" Version)" = \
		    "$version" ] || return 1
	done
}
ok "they are of the version of the archive" same_version

# What "make install" makes is what the packages have, but for their own
# papers; and no file is in two of them.
installed_files() {
	make -s -C "$t"/build/meshkeys-* install DESTDIR="$t/dest" \
	    >/dev/null || return 1
	(cd "$t/dest" && find . ! -type d) | sed 's|^\.||' | sort >"$t/want"
	[ -s "$t/want" ]
}
papers='/usr/share/doc/mesh[a-z]*/(changelog|copyright|README\.Debian)'
papers="$papers|/usr/share/lintian/.*"
all_packaged() {
	for package in $packages; do
		deb_files "$(deb "$t/build" "$package")"
	done | grep -Evx "$papers" | sort >"$t/got"
	installed_files && diff "$t/want" "$t/got"
}
ok "each file that is installed is in one package" all_packaged

# has DEB-PACKAGE PATH...
has() {
	deb_files "$(deb "$t/build" "$1")" >"$t/got"
	shift
	for path; do
		grep -qx "$path" "$t/got" || {
			echo "no $path"
			return 1
		}
	done
}
units=$(pkg-config --variable=systemdsystemunitdir systemd 2>/dev/null ||
    echo /usr/lib/systemd/system)
ok "meshkeys has what a host needs" has meshkeys \
    /usr/libexec/meshkeys/mesh-authorized-keys \
    /usr/libexec/meshkeys/mesh-refresh /usr/sbin/meshkeys \
    "$units/mesh-refresh.service" "$units/mesh-refresh.timer" \
    "$units/mesh-refresh-watch.service" \
    "$units/meshkeys-unconfirmed.service" \
    /usr/lib/sysusers.d/meshkeys.conf /usr/lib/tmpfiles.d/meshkeys.conf \
    /usr/share/meshkeys/10-meshkeys.conf \
    /usr/share/meshkeys/cron/mesh-refresh \
    /usr/share/bash-completion/completions/meshkeys \
    /usr/share/man/man8/meshkeys.8 \
    /usr/share/man/man5/mesh-profile-set.5 \
    /usr/share/doc/meshkeys/SECURITY.md
ok "meshman has what a user needs" has meshman /usr/bin/meshman \
    /usr/share/man/man1/meshman.1 \
    /usr/share/bash-completion/completions/meshman
ok "meshportal has what a portal needs" has meshportal \
    /usr/sbin/meshportal "$units/meshportal.service" \
    /usr/lib/sysusers.d/meshportal.conf /usr/share/man/man8/meshportal.8 \
    /usr/share/bash-completion/completions/meshportal

# hardened: what dpkg-buildflags adds to configure's own is in effect.
hardened() {
	for program in mesh-authorized-keys mesh-refresh meshkeys meshman \
	    meshportal; do
		"${READELF:-readelf}" -dlW "$t"/build/meshkeys-*/"$program" \
		    >"$t/got" || return 1
		for sign in GNU_RELRO NOW PIE; do
			grep -q "$sign" "$t/got" || {
				echo "$program: no $sign"
				return 1
			}
		done
	done
}
ok "the programs are hardened" hardened

no_conffiles() {
	for package in $packages; do
		! dpkg-deb --ctrl-tarfile "$(deb "$t/build" "$package")" |
		    tar -tf - | grep conffiles || return 1
	done
}
ok "no package owns a file below /etc" no_conffiles

# ends UNIT...: while the programs are still there.
ends() {
	dpkg-deb --ctrl-tarfile "$(deb "$t/build" meshkeys)" |
	    tar -xOf - ./prerm >"$t/got"
	for unit; do
		grep -Eq "deb-systemd-invoke stop .*$unit" "$t/got" || {
			echo "$unit goes on"
			return 1
		}
	done
}
ok "a removal ends what runs" ends mesh-refresh.timer \
    mesh-refresh.service mesh-refresh-watch.service

# Installing.

system_make || bail "there is no system to install on"
(cd "$sysroot/etc" && tar -cf - ssh pam.d 2>/dev/null) | sha256sum \
    >"$t/ssh.before"

ok "they can be installed" system_install "$t/build"

# is PATH MODE OWNER
is() {
	[ "$(in_system stat -c '%a %U:%G' "$1")" = "$2 $3" ] || {
		in_system stat -c '%n: %a %U:%G' "$1"
		return 1
	}
}
directories_right() {
	is /etc/meshkeys 755 root:root &&
	    is /var/cache/meshkeys 755 meshkeys:meshkeys &&
	    is /var/lib/meshkeys 755 meshkeys:meshkeys
}
ok "the directories are there, of the right owners" directories_right

# no_login USER...: each is a system user, without a shell or a password.
no_login() {
	for user; do
		in_system getent passwd "$user" >"$t/got" &&
		    grep -q ':/usr/sbin/nologin$' "$t/got" &&
		    in_system getent shadow "$user" | grep -q '^[^:]*:!' &&
		    [ "$(in_system id -u "$user")" -lt 1000 ] || return 1
	done
}
ok "the users are there, and cannot log in" \
    no_login meshkeys meshkeys-akc meshportal
akc_owns_nothing() {
	[ -z "$(in_system find /etc /var /usr -xdev -user meshkeys-akc)" ]
}
ok "the user that sshd takes owns nothing" akc_owns_nothing

modes_right() {
	for program in libexec/meshkeys/mesh-authorized-keys \
	    libexec/meshkeys/mesh-refresh sbin/meshkeys sbin/meshportal \
	    bin/meshman; do
		is "/usr/$program" 755 root:root || return 1
	done
	is /usr/libexec/meshkeys 755 root:root &&
	    is /usr/share/meshkeys/10-meshkeys.conf 644 root:root
}
ok "sshd will find the helper's owner and modes safe" modes_right

enabled() {
	test -L "$sysroot/etc/systemd/system/$1"
}
only_these() {
	enabled timers.target.wants/mesh-refresh.timer &&
	    enabled multi-user.target.wants/meshkeys-unconfirmed.service &&
	    [ "$(cd "$sysroot/etc/systemd/system" &&
	    find . -name 'mesh*' | wc -l)" -eq 2 ]
}
ok "the timer is enabled; watcher and portal are not" only_these

ssh_untouched() {
	(cd "$sysroot/etc" && tar -cf - ssh pam.d 2>/dev/null) | sha256sum |
	    diff "$t/ssh.before" -
}
ok "sshd is left as it is" ssh_untouched

refreshes() {
	in_system runuser -u meshkeys -- \
	    /usr/libexec/meshkeys/mesh-refresh
}
ok "what the timer starts does nothing before there is a map" refreshes

starts() {
	in_system "$1" --version | grep -q " $version\$"
}
ok "meshkeys starts" starts meshkeys
ok "meshman starts" starts meshman
ok "meshportal starts" starts meshportal

cp "$t"/build/meshkeys-*/debian/tests/login "$sysroot/run/login"
ok "the test that comes with the packages passes" \
    in_system sh /run/login

# What an administrator and the host have written.

ours=$sysroot/etc/meshkeys
mkdir "$ours/users"
printf '# as she wrote it\n' >"$ours/map"
printf 'portal https://portal.example\n' >"$ours/meshkeys.conf"
printf 'MA\n' >"$ours/users/alice"
udf=MAFFA-AFZB2-UZU34-4J5AL-S7YWZ-O3Z7H
in_system sh -c "cd /var/lib/meshkeys && rm -f * ../../cache/meshkeys/* &&
	printf seen >$udf.seen && printf keys >$udf.keys && : >.lock &&
	printf set >/var/cache/meshkeys/$udf.json &&
	chown meshkeys:meshkeys .lock $udf.* /var/cache/meshkeys/*" ||
    bail "nothing can be written"
written() {
	(cd "$sysroot" && tar -cf - etc/meshkeys var/lib/meshkeys \
	    var/cache/meshkeys) | sha256sum
}

# It looks as if "meshkeys setup" had been there; the program tells what it is
# asked for, and ends as it is told to.
mkdir -m 0700 "$ours/setup.undo"
stand_in() {
	cat >"$sysroot/usr/sbin/meshkeys" <<-END
	#!/bin/sh
	echo "\$*" >>/run/asked
	exit $1
	END
	rm -f "$sysroot/run/asked"
}
written >"$t/before"
stand_in 0

# upgrade TO: the packages anew, as the same bytes with a higher version.
upgrade() {
	mkdir -p "$t/newer"
	for package in $packages; do
		rm -rf "$t/raw"
		dpkg-deb -R "$(deb "$t/build" "$package")" "$t/raw"
		sed -i "s/^Version: .*/Version: $1/" "$t/raw/DEBIAN/control"
		dpkg-deb -b "$t/raw" "$t/newer/${package}_$1_all.deb"
	done
	system_install "$t/newer"
}
# shellcheck disable=SC2016 # for dpkg-query
upgrades() {
	upgrade "$version+1" &&
	    [ "$(in_system dpkg-query -W -f '${Version}' meshkeys)" = \
	    "$version+1" ]
}
in_system systemctl disable mesh-refresh.timer >/dev/null 2>&1
ok "they can be upgraded" upgrades
unchanged() {
	written | diff "$t/before" -
}
ok "an upgrade keeps configuration, map, cache and memory" unchanged
ok "a timer that was disabled stays so" \
    not enabled timers.target.wants/mesh-refresh.timer

ok "an upgrade leaves sshd alone" test ! -e "$sysroot/run/asked"

# A removal does not.
stand_in 1
# shellcheck disable=SC2016 # for dpkg-query
stays() {
	! in_system dpkg -r meshkeys >"$t/log" 2>&1 &&
	    in_system dpkg-query -W -f '${Status}' meshkeys |
	    grep -q ' ok installed$' &&
	    [ -x "$sysroot/usr/libexec/meshkeys/mesh-authorized-keys" ]
}
ok "a package that sshd cannot do without stays" stays
ok "and says so" grep -q '^meshkeys: sshd still uses it; run: ' "$t/log"
stand_in 0

# A drop-in by hand, whose program goes away: said, not touched.
drop_in=$sysroot/etc/ssh/sshd_config.d/10-meshkeys.conf
mkdir -p "${drop_in%/*}"
cp "$sysroot/usr/share/meshkeys/10-meshkeys.conf" "$drop_in"

removes() {
	in_system dpkg -r meshportal meshman meshkeys >"$t/log" 2>&1
}
ok "they can be removed" removes
ok "what setup did is taken back first" \
    grep -qx 'unsetup --yes' "$sysroot/run/asked"
ok "a drop-in that was written by hand is named" \
    grep -q "^meshkeys: '/etc/ssh/.*/10-meshkeys.conf': sshd" "$t/log"
ok "and stays" test -f "$drop_in"
rm "$drop_in"
ok "a removal keeps configuration, map, cache and memory" unchanged
gone() {
	[ ! -e "$sysroot/usr/libexec/meshkeys" ] &&
	    [ ! -e "$sysroot/usr/sbin/meshkeys" ] &&
	    [ ! -e "$sysroot/usr/share/meshkeys" ]
}
ok "the programs are gone" gone

purges() {
	in_system dpkg -P meshportal meshman meshkeys >"$t/log" 2>&1
}
ok "they can be purged" purges
# What is in the system of theirs, and was not in the machine's.
left() {
	(cd "$MK_WORLD/upper" && find . -iname '*mesh*' ! -type c) | sort
}
only_seen() {
	cat >"$t/want" <<-END
	./var/lib/meshkeys
	END
	left | diff "$t/want" - &&
	    [ "$(ls -A "$sysroot/var/lib/meshkeys")" = "$udf.seen" ] &&
	    [ "$(cat "$sysroot/var/lib/meshkeys/$udf.seen")" = seen ]
}
ok "a purge leaves nothing but what the host has seen" only_seen
ok "and says so" grep -q 'stays in /var/lib/meshkeys' "$t/log"
owner_stays() {
	is /var/lib/meshkeys 755 meshkeys:meshkeys &&
	    is "/var/lib/meshkeys/$udf.seen" 644 meshkeys:meshkeys &&
	    ! in_system getent passwd meshkeys-akc &&
	    ! in_system getent passwd meshportal
}
ok "its owner stays, the other users are gone" owner_stays

again() {
	system_install "$t/build" &&
	    [ "$(cat "$sysroot/var/lib/meshkeys/$udf.seen")" = seen ] &&
	    is "/var/lib/meshkeys/$udf.seen" 644 meshkeys:meshkeys &&
	    no_login meshkeys meshkeys-akc meshportal
}
ok "installed again, it still knows what it has seen" again
# shellcheck disable=SC2086 # they are words
purges_all() {
	in_system env MESHKEYS_PURGE_MEMORY=1 dpkg -P $packages &&
	    [ -z "$(left)" ] && ! in_system getent passwd meshkeys
}
ok "a purge takes the memory, too, when it is told to" purges_all

# A system without systemd's tools.
without_systemd() {
	in_system sh -c 'rm -f /usr/bin/systemd-sysusers \
	    /bin/systemd-sysusers /usr/bin/systemd-tmpfiles \
	    /bin/systemd-tmpfiles' &&
	    system_install "$t/build" &&
	    no_login meshkeys meshkeys-akc meshportal && directories_right
}
ok "without systemd, users and directories are made all the same" \
    without_systemd
finish
