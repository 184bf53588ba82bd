#!/bin/sh
# The AppArmor profiles can be parsed, are of the programs that are
# installed, and give the helper of sshd neither network nor rights.
set -eu

# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"
libexec=${MK_LIBEXECDIR:-/usr/libexec/meshkeys}
conf=${MK_CONFDIR:-/etc/meshkeys}
cache=${MK_CACHEDIR:-/var/cache/meshkeys}
state=${MK_STATEDIR:-/var/lib/meshkeys}
cd "$srcdir"

# text FILE: as AppArmor reads it, without comments and empty lines.
text() {
	sed -e 's/^ *//' -e '/^#/d' -e '/^$/d' "$1"
}

for program in mesh-authorized-keys mesh-refresh; do
	name=usr.libexec.meshkeys.$program
	profile=$scratch/$name
	if [ -f "$builddir/contrib/apparmor.d/$name" ]; then
		cp "$builddir/contrib/apparmor.d/$name" "$profile"
	else
		sed "s|@libexecdir@/meshkeys|$libexec|
		    s|@sysconfdir@/meshkeys|$conf|
		    s|@localstatedir@/cache/meshkeys|$cache|
		    s|@localstatedir@/lib/meshkeys|$state|" \
		    "contrib/apparmor.d/$name.in" >"$profile"
	fi
	text "$profile" >"$scratch/$program"
	{
		grep -n '@[a-z]*@' "$profile" || :
		grep -Fqx "profile $program $libexec/$program {" \
		    "$scratch/$program" ||
		    echo "it is not attached to $libexec/$program"
		grep -Fqx "$libexec/$program mr," "$scratch/$program" ||
		    echo "the program cannot be read"
		grep -Fqx "include if exists <local/$name>" \
		    "$scratch/$program" || echo "no <local/$name>"
	} >"$complaints"
	verdict "$name is of the installed program"

	# What the program opens, by its own constants.
	{
		for path in "$conf/" "$conf/**" "$cache/" "$state/" /etc/ \
		    /etc/passwd; do
			grep -Fqx "$path r," "$scratch/$program" ||
			    echo "no rule '$path r,'"
		done
		grep -Eq "^($cache/\*\.json|$cache/\*\.\{json,.*) rw?,$" \
		    "$scratch/$program" || echo "no rule for the cache"
		grep -Eq "^($state/\*\.seen|$state/\*\.\{seen,.*) rw?,$" \
		    "$scratch/$program" || echo "no rule for the memory"
	} >"$complaints"
	verdict "$program reads configuration, map, cache and memory"

	grep -E -e '^[^#]*[^a-z,](u|U|p|P|c|C|i)+x,' \
	    -e '^change_profile|flags=|\*\* [a-z]*w' \
	    "$scratch/$program" >"$complaints" || :
	grep -Fx 'network,' "$scratch/$program" >>"$complaints" || :
	verdict "$program runs nothing and has no blank cheque"

	if ! command -v apparmor_parser >/dev/null 2>&1; then
		skip "$name can be parsed" "apparmor_parser is missing"
		continue
	fi
	# It tells of a kernel without AppArmor, too.
	apparmor_parser --skip-kernel-load --skip-cache --skip-read-cache \
	    "$profile" >"$scratch/parser" 2>&1 ||
	    cat "$scratch/parser" >"$complaints"
	grep -v 'interface file missing' "$scratch/parser" |
	    grep -iE 'warning|error' >>"$complaints" || :
	[ "$(apparmor_parser --names "$profile" 2>/dev/null)" = "$program" ] ||
	    echo "it has another name" >>"$complaints"
	verdict "$name can be parsed"

	apparmor_parser --preprocess "$profile" 2>/dev/null |
	    sed -e 's/^ *//' -e '/^#/d' >"$scratch/whole"
	for path in $(sed -n \
	    's/^#define \(JOURNAL\|SYSLOG\)[^"]*"\(.*\)"/\2/p' \
	    src/edge/log.c); do
		sed 's|^@{run}/|/run/|' "$scratch/whole" |
		    grep -Eq "^$path +w," || echo "'$path' cannot be written"
	done >"$complaints"
	[ -s "$scratch/whole" ] || echo "nothing to read" >>"$complaints"
	verdict "$program reaches the log"
	[ "$program" = mesh-authorized-keys ] || continue

	grep -E '^(network|capability|mount|dbus|userns)' "$scratch/whole" |
	    grep -vE '^network unix (dgram|stream),$' >"$complaints" || :
	grep -Fqx 'network unix dgram,' "$scratch/whole" ||
	    echo "no socket for the log" >>"$complaints"
	verdict "$program: sockets of this host only, no capability"
	grep -E '[^a-z,][rmkl]*w[a-z]*,$' "$scratch/$program" |
	    grep -vE '^(@\{run}|/var/lib/sss/pipes)/' >"$complaints" || :
	verdict "$program writes to sockets only"
done

program=mesh-refresh
{
	for line in "$state/.lock rwk," "$cache/.mk-*.tmp rw," \
	    "$state/.mk-*.tmp rw," "include <abstractions/nameservice>" \
	    "include <abstractions/ssl_certs>" "capability setgid," \
	    "capability setuid," "@{run}/systemd/notify w,"; do
		grep -Fqx "$line" "$scratch/$program" || echo "no '$line'"
	done
	grep -E '[^a-z,][rmkl]*w[a-z]*,$' "$scratch/$program" |
	    grep -Fv -e "$cache/" -e "$state/" -e '@{run}/systemd/notify' || :
} >"$complaints"
verdict "$program writes the two directories and has the network"
finish
