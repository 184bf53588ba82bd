#!/bin/sh
# The packages that contrib/rpm/meshkeys.spec describes, as far as another
# system than Fedora can build them: nothing is installed.

. "$(dirname "$0")/package-lib.sh"
package_enter "$0" rpmbuild rpmspec rpm
spec=$MK_SRCDIR/contrib/rpm/meshkeys.spec
without="--without selinux"
[ ! -f /usr/share/selinux/devel/Makefile ] || without=

source_copy "$t/tree"
logged dist "$t/tree" || bail "there is no archive"

# Those that Fedora has, as words that can be found again.
cat >"$t/macros" <<'END'
%systemd_requires Requires: systemd
%systemd_post() post:%*
%systemd_preun() preun:%*
%systemd_postun_with_restart() postun:%*
END
parses() {
	rpmspec -P "$spec" >"$t/parsed" &&
	    ! grep -n '%[{?!_]' "$t/parsed"
}
ok "the spec can be parsed" parses
parses_there() {
	rpmspec --load "$t/macros" -P "$spec" >"$t/parsed" || return 1
	for line in post:mesh-refresh.timer preun:mesh-refresh.timer \
	    postun:mesh-refresh-watch.service post:meshportal.service \
	    preun:meshportal.service postun:meshportal.service; do
		grep -q "^$line" "$t/parsed" || {
			echo "no $line"
			return 1
		}
	done
}
same_version() {
	[ "$(rpmspec -q --qf '%{version}\n' "$spec" | sort -u)" = \
	    "$version" ]
}
ok "so it can with the macros of Fedora" parses_there
ok "it is of the version of the archive" same_version

rpms() {
	# shellcheck disable=SC2086 # $without is words
	logged rpmbuild -tb --nodeps --nocheck $without \
	    --define "_topdir $t/rpm" --define "_tmppath $t" \
	    --define "_dbpath $t/db" --define 'debug_package %{nil}' \
	    --define '_build_id_links none' --define '_smp_mflags -j2' \
	    --define 'optflags -O1' "$archive"
}
rpms || bail "there are no packages"
find "$t/rpm/RPMS" -name '*.rpm' | sort >"$t/rpms"

# rpm_files RPM...: what they have but directories.
rpm_files() {
	rpm --dbpath "$t/db" -qp --qf '[%{FILEMODES:perms} %{FILENAMES}\n]' \
	    "$@" | sed -n 's/^[^d][^ ]* //p' | sed 's/\.gz$//' | sort
}
papers='/usr/share/(licenses/mesh.*|selinux/packages/meshkeys\.pp)'
all_packaged() {
	make -s -C "$t/tree" install DESTDIR="$t/dest" >/dev/null || return 1
	(cd "$t/dest" && find . ! -type d) | sed 's|^\.||' | sort >"$t/want"
	while read -r package; do
		rpm_files "$package"
	done <"$t/rpms" | grep -Evx "$papers" | sort >"$t/got"
	[ -s "$t/want" ] && diff "$t/want" "$t/got"
}
ok "each file that is installed is in one package" all_packaged

# owned PATH MODE OWNER: in the package meshkeys.
owned() {
	rpm --dbpath "$t/db" -qp --qf \
	    '[%{FILENAMES} %{FILEMODES:perms} %{FILEUSERNAME}\n]' \
	    "$t/rpm/RPMS"/*/meshkeys-[0-9]*.rpm | grep -qx "$1 $2 $3"
}
directories_right() {
	owned /etc/meshkeys drwxr-xr-x root &&
	    owned /var/cache/meshkeys drwxr-xr-x meshkeys &&
	    owned /var/lib/meshkeys drwxr-xr-x meshkeys &&
	    owned /usr/libexec/meshkeys drwxr-xr-x root
}
ok "the directories are of the right owners" directories_right

# in_package NAME PATH...
in_package() {
	rpm_files "$t/rpm/RPMS"/*/"$1"-[0-9]*.rpm >"$t/got"
	shift
	for path; do
		grep -qx "$path" "$t/got" || {
			echo "no $path"
			return 1
		}
	done
}
ok "meshkeys has what a host needs" in_package meshkeys \
    /usr/libexec/meshkeys/mesh-authorized-keys /usr/sbin/meshkeys \
    /usr/lib/systemd/system/mesh-refresh.timer \
    /usr/lib/sysusers.d/meshkeys.conf
ok "meshman has what a user needs" in_package meshman /usr/bin/meshman
ok "meshportal has what a portal needs" in_package meshportal \
    /usr/sbin/meshportal /usr/lib/systemd/system/meshportal.service \
    /usr/lib/sysusers.d/meshportal.conf
if [ -n "$without" ]; then
	skip "the SELinux module" "selinux-policy-dev is missing"
else
	ok "the SELinux module is in a package of its own" in_package \
	    meshkeys-selinux /usr/share/selinux/packages/meshkeys.pp
fi

# Scripts that a shell can read.
scripts() {
	while read -r package; do
		for tag in PREIN POSTIN PREUN POSTUN; do
			rpm --dbpath "$t/db" -qp --qf "%{$tag}\n" \
			    "$package" | grep -v '^(none)$' >"$t/script"
			sh -n "$t/script" || return 1
		done
	done <"$t/rpms"
}
ok "a shell can read the scripts" scripts
finish
