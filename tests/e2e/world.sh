# shellcheck shell=sh
# A host of its own for the tests and the demonstration: namespaces of
# mounts and processes in which /etc, /dev, /run, /var/cache and /var/lib
# are private, with its own accounts, its own log and its own sshd.  The
# machine's files and accounts stay untouched, and with the first process
# of the namespace everything in it ends.
#
# world_enter starts the calling script again inside; what comes behind it
# runs there.  Then world_build, and the functions below it.

MK_SRCDIR=${MK_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
MK_BUILDDIR=${MK_BUILDDIR:-$MK_SRCDIR}

# Paths inside.  The helper's parents are all root's: sshd refuses others.
helper=/run/libexec/meshkeys/mesh-authorized-keys
config=/etc/meshkeys
cache=/var/cache/meshkeys
memory=/var/lib/meshkeys
t=/run/test			# what a test writes; any user may look
keys=$t/keys
sshd_log=/run/log/sshd
syslog=/run/log/syslog

# Prints why there can be no such host here; nothing if there can.
world_missing() {
	if [ "$(id -u)" -ne 0 ]; then
		echo "needs root"
		return
	fi
	for tool in unshare setpriv mount ssh ssh-keygen; do
		if ! command -v "$tool" >/dev/null 2>&1; then
			echo "$tool is missing; run: contrib/install-deps"
			return
		fi
	done
	if [ ! -x /usr/sbin/sshd ]; then
		echo "sshd is missing; run: contrib/install-deps"
	elif ! unshare --mount --pid --fork --mount-proc --kill-child \
	    --propagation private true 2>/dev/null; then
		echo "no namespaces of mounts and processes here"
	fi
}

# world_enter SCRIPT [ARGUMENT...]: outside, runs the script inside and
# exits as it did; inside, returns.  The tests have a deadline.
world_enter() {
	[ -z "${MK_WORLD-}" ] || return 0
	MK_WORLD=$(mktemp -d)
	export MK_WORLD MK_SRCDIR MK_BUILDDIR
	# A script may be killed, its namespace may not outlive it.
	unshare --mount --pid --fork --mount-proc --kill-child \
	    --propagation private timeout --foreground -k 5 \
	    "${MK_WORLD_SECONDS:-240}" sh "$@" <&0 &
	world_pid=$!
	# unshare holds softer signals back; with it the namespace ends.
	trap 'kill -s KILL "$world_pid"' INT TERM HUP
	wait "$world_pid"
	status=$?
	# A signal ends the wait, not yet what was waited for.
	[ "$status" -le 128 ] || wait "$world_pid" 2>/dev/null
	rmdir "$MK_WORLD" 2>/dev/null
	exit "$status"
}

# mount_dev DIRECTORY: devices everybody needs, and no others.
mount_dev() {
	mkdir -p "$1/pts" "$1/shm"
	while read -r node major minor; do
		mknod -m 0666 "$1/$node" c "$major" "$minor"
	done <<-END
	null 1 3
	zero 1 5
	full 1 7
	random 1 8
	urandom 1 9
	tty 5 0
	END
	mount --rbind /dev/pts "$1/pts"
	ln -s pts/ptmx "$1/ptmx"
	ln -s /proc/self/fd "$1/fd"
	mount --rbind "$1" /dev
}

# write_accounts DIRECTORY: instead of the machine's.
write_accounts() {
	cat >"$1/passwd" <<-END
	root:x:0:0:root:/run/home/root:/bin/sh
	nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
	sshd:x:102:65534::/run/sshd:/usr/sbin/nologin
	meshkeys:x:901:901::/var/lib/meshkeys:/usr/sbin/nologin
	meshkeys-akc:x:902:902::/nonexistent:/usr/sbin/nologin
	alice:x:1001:1001:Alice,,,:/run/home/alice:/bin/sh
	deploy:x:1002:1002:,,,:/run/home/deploy:/bin/sh
	END
	cat >"$1/group" <<-END
	root:x:0:
	nogroup:x:65534:
	meshkeys:x:901:
	meshkeys-akc:x:902:
	alice:x:1001:
	deploy:x:1002:
	END
	sed 's/^\([^:]*\):.*/\1:*:20000:0:99999:7:::/' "$1/passwd" \
	    >"$1/shadow"
	chmod 640 "$1/shadow"
	printf '%s: files\n' passwd group shadow hosts >"$1/nsswitch.conf"
	rm -f "$1/nologin"
}

# write_ssh DIRECTORY: a host key and sshd_config, the drop-in as built.
write_ssh() {
	rm -rf "$1"
	mkdir -p "$1/sshd_config.d"
	ssh-keygen -q -t ed25519 -N '' -C host -f "$1/ssh_host_ed25519_key"
	sed "s|/[^ ]*/mesh-authorized-keys |$helper |" \
	    "$MK_BUILDDIR/sshd_config.d/10-meshkeys.conf" \
	    >"$1/sshd_config.d/10-meshkeys.conf"
	cat >"$1/sshd_config" <<-END
	Include /etc/ssh/sshd_config.d/*.conf
	ListenAddress 127.0.0.1
	HostKey /etc/ssh/ssh_host_ed25519_key
	PidFile /run/sshd.pid
	LogLevel VERBOSE
	LoginGraceTime 20
	MaxStartups 100
	PasswordAuthentication no
	KbdInteractiveAuthentication no
	UseDNS no
	UsePAM no
	END
	: >"$1/ssh_config"
}

# world_build: the directories, then all of them at once in their places.
world_build() {
	umask 022
	set -e
	mount -t tmpfs -o mode=0755 tmpfs "$MK_WORLD"
	mkdir -p "$MK_WORLD/cache/meshkeys" "$MK_WORLD/lib/meshkeys"
	chown 901:901 "$MK_WORLD/cache/meshkeys" "$MK_WORLD/lib/meshkeys"
	cp -a /etc "$MK_WORLD/etc"
	rm -rf "$MK_WORLD/etc/meshkeys"
	mkdir -m 0755 "$MK_WORLD/etc/meshkeys"
	write_accounts "$MK_WORLD/etc"
	write_ssh "$MK_WORLD/etc/ssh"
	mkdir -p "$MK_WORLD/run/sshd" "$MK_WORLD/run/log" \
	    "$MK_WORLD/run/bin" "$MK_WORLD/run/home/root" \
	    "$MK_WORLD/run/test/keys" "$MK_WORLD/run/libexec/meshkeys"
	for user in alice deploy; do
		cp -a "$MK_WORLD/run/home/root" "$MK_WORLD/run/home/$user"
	done
	chown 1001:1001 "$MK_WORLD/run/home/alice"
	chown 1002:1002 "$MK_WORLD/run/home/deploy"
	cp "$MK_BUILDDIR/tests/mkset/mkset" \
	    "$MK_BUILDDIR/tests/e2e/logger" "$MK_WORLD/run/bin"
	install -m 0755 "$MK_BUILDDIR/mesh-authorized-keys" \
	    "$MK_WORLD/$helper"
	mount_dev "$MK_WORLD/dev"
	mount --bind "$MK_WORLD/etc" /etc
	mount --bind "$MK_WORLD/cache" /var/cache
	mount --bind "$MK_WORLD/lib" /var/lib
	mount --bind "$MK_WORLD/run" /run
	PATH=/run/bin:/usr/sbin:/usr/bin:/sbin:/bin
	export PATH
	cd /run/test
	log_start
	set +e
}

# wait_for COMMAND...: until it succeeds; at most ten seconds.
wait_for() {
	tries=200
	until "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.05
	done
}

log_start() {
	logger /dev/log "$syslog" &
	logger_pid=$!
	wait_for test -S /dev/log
	marks=0
}

# log_sync: everything that was logged so far stands in the file.
log_sync() {
	marks=$((marks + 1))
	logger -m /dev/log "mark $marks."
	wait_for grep -q "^mark $marks\.\$" "$syslog"
}

# log_lines: what the helper logged since the mark before the last one.
log_lines() {
	awk -v from="mark $((marks - 1))." '
	$0 == from { n = 0; next }
	/^mark [0-9]+\.$/ { next }
	{ line[n++] = $0 }
	END { for (i = 0; i < n; i++) print line[i] }' "$syslog"
}

# sshd_start: on a free port of the loopback, $port.
sshd_start() {
	: >"$sshd_log"
	for try in 1 2 3 4 5 6 7 8 9; do
		port=$(($(od -An -N2 -tu2 /dev/urandom) % 20000 + 20000))
		rm -f /run/sshd.pid
		/usr/sbin/sshd -D -e -p "$port" 2>>"$sshd_log" </dev/null &
		sshd_pid=$!
		wait_for sshd_settled
		[ ! -s /run/sshd.pid ] || break
		[ "$try" -lt 9 ] || return 1
	done
	echo "[127.0.0.1]:$port $(cut -d' ' -f1,2 \
	    /etc/ssh/ssh_host_ed25519_key.pub)" >/run/known_hosts
}

sshd_settled() {
	[ -s /run/sshd.pid ] || ! kill -0 "$sshd_pid" 2>/dev/null
}

# sshd_again: with a new configuration and an empty log.
sshd_again() {
	kill "$sshd_pid"
	wait "$sshd_pid" 2>/dev/null
	sshd_start
}

# client KEY USER [ARGUMENT...]: ssh as somebody who has that key.
client() {
	client_key=$1
	client_user=$2
	shift 2
	timeout 30 ssh -F none -p "$port" -i "$client_key" \
	    -o BatchMode=yes -o IdentitiesOnly=yes -o IdentityAgent=none \
	    -o UserKnownHostsFile=/run/known_hosts \
	    -o GlobalKnownHostsFile=none -o LogLevel=ERROR \
	    -o PreferredAuthentications=publickey \
	    "$client_user@127.0.0.1" "$@" </dev/null
}

# as_akc COMMAND...: as sshd runs its AuthorizedKeysCommand.
as_akc() {
	(cd / && setpriv --reuid meshkeys-akc --regid meshkeys-akc \
	    --clear-groups env -i PATH=/usr/bin:/bin USER=meshkeys-akc \
	    LOGNAME=meshkeys-akc HOME=/nonexistent "$@")
}

# publish OPTION...: mkset's set into the cache, atomically as the refresher
# does it; $udf is its fingerprint.
publish() {
	udf=$(mkset "$@" --out "$cache/.new" --print udf)
	chown meshkeys:meshkeys "$cache/.new"
	mv "$cache/.new" "$cache/$udf.json"
}

# new_key NAME [OPTION...]: a key pair as people make it.
new_key() {
	name=$1
	shift
	rm -f "$keys/$name" "$keys/$name.pub"
	ssh-keygen -q -N '' -C "$name" -f "$keys/$name" "${@:--ted25519}"
}
