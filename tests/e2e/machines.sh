# shellcheck shell=sh
# Alice's three machines X, Y and Z for the story of the README, as a test
# and as the demonstration, for use inside of the host of world.sh.
#
# Each machine is a mount namespace with a home of Alice's, /etc/meshkeys,
# /var/cache/meshkeys and /var/lib/meshkeys of its own, its own sshd and its
# own mesh-refresh.  A portal serves all of them.

machines=/run/machines
account=alice@example.com

# machine_make NAME...: its namespace, held by a process that sleeps.
machine_make() {
	for name; do
		dir=$machines/$name
		mkdir -p "$dir/home/.ssh" "$dir/etc" "$dir/cache" "$dir/lib"
		chmod 700 "$dir/home" "$dir/home/.ssh"
		chown -R alice:alice "$dir/home"
		chown meshkeys:meshkeys "$dir/cache" "$dir/lib"
		# shellcheck disable=SC2016 # they are that shell's
		unshare --mount --propagation private sh -c '
			mount --bind "$1/home" /run/home/alice &&
			mount --bind "$1/etc" /etc/meshkeys &&
			mount --bind "$1/cache" /var/cache/meshkeys &&
			mount --bind "$1/lib" /var/lib/meshkeys &&
			echo $$ >"$1/pid.new" && mv "$1/pid.new" "$1/pid" &&
			exec sleep 600' sh "$dir" </dev/null &
		wait_for test -s "$dir/pid" || return 1
	done
}

# inside NAME COMMAND...: as root of that machine.
inside() {
	machine=$machines/$1
	shift
	nsenter --target "$(cat "$machine/pid")" --mount -- "$@"
}

# on NAME COMMAND...: as Alice, in her home there, without a terminal.
on() {
	machine=$1
	shift
	inside "$machine" setsid -w setpriv --reuid alice --regid alice \
	    --init-groups env -i PATH=/run/bin:/usr/bin:/bin \
	    HOME=/run/home/alice LOGNAME=alice USER=alice TERM=dumb \
	    sh -c 'cd && exec "$@"' sh "$@" </dev/null
}

# machine_sshd NAME: on a port of its own, which $machines/NAME/port has.
machine_sshd() {
	dir=$machines/$1
	for try in 1 2 3 4 5 6 7 8 9; do
		port=$(($(od -An -N2 -tu2 /dev/urandom) % 20000 + 20000))
		rm -f "$dir/sshd.pid"
		inside "$1" /usr/sbin/sshd -D -e -p "$port" \
		    -o "PidFile=$dir/sshd.pid" 2>>"$dir/sshd.log" \
		    </dev/null &
		if wait_for test -s "$dir/sshd.pid"; then
			echo "$port" >"$dir/port"
			return
		fi
	done
	return 1
}

# machine_names NAME...: each of Alice's homes knows how to reach them.
machine_names() {
	for name; do
		cat <<-END
		Host $name
			HostName 127.0.0.1
			Port $(cat "$machines/$name/port")
			HostKeyAlias host
			UserKnownHostsFile /run/known_hosts
			LogLevel ERROR
		END
	done >"$t/ssh_config"
	echo "host $(cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub)" \
	    >/run/known_hosts
	for name; do
		install -o alice -g alice -m 0600 "$t/ssh_config" \
		    "$machines/$name/home/.ssh/config"
	done
}

# machine_watch NAME: mesh-refresh as its service runs it.
machine_watch() {
	inside "$1" "$(dirname "$helper")/mesh-refresh" --watch \
	    2>>"$machines/$1/refresh.log" </dev/null &
}

# machine_knows NAME FINGERPRINT: what its administrator says.
machine_knows() {
	printf '%s\n' "portal $portal" "log-level debug" \
	    >"$machines/$1/etc/meshkeys.conf"
	(inside "$1" meshkeys map add alice "$2") >"$t/out" 2>"$t/err"
}

# machine_keys NAME: how many keys a login there would get.
machine_keys() {
	inside "$1" setpriv --reuid meshkeys-akc --regid meshkeys-akc \
	    --clear-groups env -i "$helper" alice 2>/dev/null | wc -l
}

machine_has_keys() {
	[ "$(machine_keys "$1")" -eq "$2" ]
}

# all_have_keys N NAME...
all_have_keys() {
	n=$1
	shift
	for name; do
		machine_has_keys "$name" "$n" || return 1
	done
}

# enters FROM TO: Alice logs in; the word comes from there.
enters() {
	on "$1" timeout 30 ssh -o BatchMode=yes "$2" echo in
}

# portal_start [OPTION...]: meshportal as its own user, at $portal.
portal_start() {
	mkdir -p "$t/portal"
	chown nobody "$t/portal"
	chmod 700 "$t/portal"
	: >"$t/portal.log"
	setpriv --reuid nobody --regid nogroup --clear-groups env -i \
	    /run/bin/meshportal --data "$t/portal" \
	    --listen "127.0.0.1:${portal_port:-0}" "$@" \
	    >"$t/portal.out" 2>>"$t/portal.log" </dev/null &
	portal_pid=$!
	wait_for grep -q '^meshportal: serving ' "$t/portal.out" || return 1
	portal=$(sed -n 's/^meshportal: serving \([^ ]*\).*/\1/p' \
	    "$t/portal.out")
	portal_port=${portal##*:}
}

# machines_install: the programs where a package puts them.
machines_install() {
	install -m 0755 "$MK_BUILDDIR/mesh-refresh" \
	    "$(dirname "$helper")/mesh-refresh"
	install -m 0755 "$MK_BUILDDIR/meshman" "$MK_BUILDDIR/meshportal" \
	    "$MK_BUILDDIR/meshkeys" /run/bin
}
