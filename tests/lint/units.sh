#!/bin/sh
# What starts mesh-refresh and meshportal: the units are valid and stay
# confined, and agree with the rest of the tree on who runs them and where
# they write.
set -eu

# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"
most=15			# tenths of what systemd-analyze calls exposure
units=contrib/systemd
service=$scratch/mesh-refresh.service
watch=$scratch/mesh-refresh-watch.service
portal=$scratch/meshportal.service
boot=$scratch/meshkeys-unconfirmed.service
timer=$scratch/mesh-refresh.timer
cron=contrib/cron/mesh-refresh.in
cd "$srcdir"

# The program that the unit names has to exist, or it is found invalid.
mkdir -p "$scratch/libexec/meshkeys" "$scratch/sbin"
for program in libexec/meshkeys/mesh-refresh sbin/meshportal sbin/meshkeys
do
	printf '#!/bin/sh\n' >"$scratch/$program"
	chmod 755 "$scratch/$program"
done
for unit in "$service" "$watch" "$portal" "$boot"; do
	sed "s|@libexecdir@|$scratch/libexec|g; s|@localstatedir@|/var|g
	    s|@sbindir@|$scratch/sbin|g; s|@sysconfdir@|/etc|g" \
	    "$units/${unit##*/}.in" >"$unit"
done
cp "$units/mesh-refresh.timer" "$timer"

grep -Hn '@[a-z]*@' "$service" "$watch" "$portal" "$boot" "$timer" \
    >"$complaints" || :
verdict "nothing in the units is left to fill in"

for made in "$units/mesh-refresh.service" \
    "$units/mesh-refresh-watch.service" contrib/cron/mesh-refresh; do
	if [ ! -f "$builddir/$made" ]; then
		skip "$made" "not built"
		continue
	fi
	grep -q "[=	]${MK_LIBEXECDIR:-/.*/meshkeys}/mesh-refresh" \
	    "$builddir/$made" || echo "no path of the program"  >"$complaints"
	grep -n '@[a-z]*@' "$builddir/$made" >>"$complaints" || :
	verdict "$made names the installed program"
done

# wants UNIT LINE...: the unit has these lines, as they stand.
wants() {
	unit=$1
	shift
	for line; do
		grep -Fqx "$line" "$unit" ||
		    echo "${unit##*/}: no line '$line'"
	done
}

# confinement UNIT: from who it runs as to the end of the section.
confinement() {
	sed -n '/^# A user of its own/,/^\[Install]/p' "$1" |
	    grep -v -e '^\[Install]' -e '^$'
}

confinement "$service" >"$scratch/confined"
[ "$(grep -c = "$scratch/confined")" -ge 30 ] ||
    echo "mesh-refresh.service: no part 'A user of its own'" >"$complaints"
confinement "$watch" | diff "$scratch/confined" - >>"$complaints" || :
verdict "both services are confined alike"

{
	wants "$service" User=meshkeys Group=meshkeys \
	    CacheDirectory=meshkeys CacheDirectoryMode=0755 \
	    StateDirectory=meshkeys StateDirectoryMode=0755
	grep -n '^DynamicUser=' "$service" || :
	grep -Eq '^u meshkeys ' contrib/sysusers.d/meshkeys.conf ||
	    echo "sysusers.d makes no user 'meshkeys'"
	for dir in /var/cache/meshkeys /var/lib/meshkeys; do
		grep -Eq "^d $dir +0755 meshkeys meshkeys " \
		    contrib/tmpfiles.d/meshkeys.conf ||
		    echo "tmpfiles.d makes no '$dir' with this owner and mode"
	done
} >"$complaints"
verdict "the service runs as the owner of the cache, who keeps it readable"

wants "$service" "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK" \
    >"$complaints"
verdict "portals, names and the log can be reached, and nothing else"

# What confines the one confines the other, but for who it is and what it
# needs of the network.
limits() {
	sed -n '/^CapabilityBoundingSet=/,/^RestrictSUIDSGID=/p' "$1" |
	    grep -v '^#'
}
{
	wants "$portal" Type=notify User=meshportal Group=meshportal \
	    StateDirectory=meshportal StateDirectoryMode=0700 UMask=0077 \
	    "ExecStart=$scratch/sbin/meshportal --data /var/lib/meshportal" \
	    "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX"
	grep -n '^DynamicUser=' "$portal" || :
	grep -Eq '^u meshportal ' contrib/sysusers.d/meshportal.conf ||
	    echo "sysusers.d makes no user 'meshportal'"
	limits "$service" >"$scratch/limits"
	limits "$portal" | diff "$scratch/limits" - || :
	[ "$(grep -c = "$scratch/limits")" -ge 20 ] ||
	    echo "no part from CapabilityBoundingSet to RestrictSUIDSGID"
} >"$complaints"
verdict "the portal runs as a user of its own, confined like the others"

# It waits for requests under way, and for the limit of its descriptors.
seconds=$(sed -n 's/^#define DRAIN[^0-9]*\([0-9]*\)000.*/\1/p' \
    src/cmd/meshportal.c)
[ "${seconds:-0}" -gt 0 ] && [ "$seconds" -lt 30 ] ||
    echo "DRAIN is '$seconds' seconds" >"$complaints"
files=$(sed -n 's/^#define CONNECTIONS[^0-9]*\([0-9]*\).*/\1/p' \
    src/cmd/meshportal.c)
[ "${files:-9999}" -lt 8000 ] ||
    echo "CONNECTIONS is '$files'" >>"$complaints"
wants "$portal" TimeoutStopSec=30s LimitNOFILE=8192 >>"$complaints"
verdict "the unit gives the portal its time and its connections"

landlock="landlock_create_ruleset landlock_add_rule landlock_restrict_self"
for unit in "$service" "$portal"; do
	wants "$unit" "SystemCallFilter=$landlock"
done >"$complaints"
verdict "the programs can still confine themselves"

# A run of its own length, and none that the unit would cut off.
seconds=$(sed -n 's/^#define REFRESH_SECONDS[^0-9]*\([0-9]*\).*/\1/p' \
    src/cmd/refresh.h)
[ "${seconds:-0}" -gt 0 ] && [ "$seconds" -lt 300 ] ||
    echo "REFRESH_SECONDS is '$seconds'" >"$complaints"
wants "$service" TimeoutStartSec=5min >>"$complaints"
verdict "the unit does not cut off a run"

# The watcher is a child of the process that systemd knows, and its own
# children would die of a signal before it, which looks like a failure.
# shellcheck disable=SC2016 # systemd's variable, not ours
wants "$watch" Type=notify NotifyAccess=all KillMode=mixed \
    "ExecStart=$scratch/libexec/meshkeys/mesh-refresh --watch" \
    'ExecReload=/bin/kill -HUP $MAINPID' \
    Restart=on-failure RestartSec=30s WatchdogSec=10min >"$complaints"
verdict "systemd hears the watcher, reloads it and starts it again"

made=contrib/systemd/meshportal.service
if [ ! -f "$builddir/$made" ]; then
	skip "$made" "not built"
else
	grep -q '^ExecStart=/[^@ ]*/meshportal --data /' "$builddir/$made" ||
	    echo "no path of the program" >"$complaints"
	grep -n '@[a-z]*@' "$builddir/$made" >>"$complaints" || :
	verdict "$made names the installed program"
fi

# It is there before sshd, and never waits for it: a socket comes so early
# that the two would wait for each other.
{
	wants "$boot" Type=oneshot "Before=ssh.service sshd.service" \
	    ConditionPathExists=/etc/meshkeys/setup.undo \
	    "ExecStart=$scratch/sbin/meshkeys unsetup --unconfirmed"
	grep -n '^\(After\|Requires\)=.*ssh' "$boot" || :
} >"$complaints"
verdict "a boot takes back what was not confirmed, before sshd starts"

command='@libexecdir@/meshkeys/mesh-refresh --jitter'
grep -Eq "^\*/5( \*){4}	meshkeys	$command\$" "$cron" ||
    echo "$cron: not the line of crontab(5) expected" >"$complaints"
verdict "the line for cron runs it as the same user"

if ! command -v systemd-analyze >/dev/null 2>&1; then
	skip "valid units" "systemd-analyze is missing"
	skip "exposure" "systemd-analyze is missing"
	finish
	exit
fi

systemd-analyze --man=no verify "$service" "$watch" "$portal" "$boot" \
    "$timer" >"$complaints" 2>&1 ||
    echo "systemd-analyze verify fails" >>"$complaints"
verdict "systemd finds the units valid"

# confined UNIT: how far, as systemd counts.
confined() {
	systemd-analyze security --no-pager --offline=true \
	    --threshold="$most" "$1" >"$scratch/security" 2>&1 || {
		echo "more exposed than $most tenths:"
		grep -e '^✗' -e Overall "$scratch/security" ||
		    cat "$scratch/security"
	} >"$complaints"
	sed -n 's/.*\(Overall exposure.*[0-9]\).*/# \1/p' "$scratch/security"
	verdict "${1##*/} is as confined as it can be"
}

if ! systemd-analyze --help | grep -q -e '--offline'; then
	skip "exposure" "systemd-analyze is older than 250"
else
	confined "$service"
	confined "$watch"
	confined "$portal"
fi
finish
