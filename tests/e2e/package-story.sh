#!/bin/sh
# From the packages to a login and back, as an administrator does it who has
# never heard of the Mesh: install, set up, say who is who, log in; a device
# is deleted and refused, which is explained; and all is taken back.

. "$(dirname "$0")/package-lib.sh"
package_enter "$0" curl

source_copy "$t/tree"
logged dist "$t/tree" || bail "there is no archive"
logged deb_build "$t/build" "$archive" || bail "there are no packages"
system_make || bail "there is no system to install on"
tap_shows="out err"

# do_as_root COMMAND...: status in $rc, what it said in out and err.
do_as_root() {
	rc=0
	in_system timeout 120 "$@" >"$t/out" 2>"$t/err" || rc=$?
}

# on_machine NAME COMMAND...: as Alice, with a home of that machine's.
on_machine() {
	machine=$1
	shift
	rc=0
	in_system timeout 60 setpriv --reuid alice --regid alice \
	    --init-groups env HOME="/home/alice/$machine" USER=alice \
	    LOGNAME=alice "$@" >"$t/out" 2>"$t/err" || rc=$?
}

done_well() {
	[ "$rc" -eq 0 ]
}

# has_said PATTERN: on either.
has_said() {
	cat "$t/out" "$t/err" | grep -Eq -e "$1"
}

# logs_in NAME: from that machine of hers.
logs_in() {
	on_machine "$1" ssh -F none -p "$port" -o BatchMode=yes \
	    -o IdentitiesOnly=yes -o UserKnownHostsFile=/run/known_hosts \
	    -i "/home/alice/$1/.ssh/id_ed25519_mesh" alice@127.0.0.1 echo in
	[ "$rc" -eq 0 ] && grep -qx in "$t/out"
}

refused() {
	! logs_in "$1" && grep -q 'Permission denied' "$t/err"
}

as_root_anew() {
	do_as_root ssh -F none -p "$port" -o BatchMode=yes \
	    -o IdentitiesOnly=yes -o UserKnownHostsFile=/run/known_hosts \
	    -i /root/.ssh/way-in root@127.0.0.1 "$@"
}

# A host with accounts, an sshd, and root's own key for it.

port=$(($(od -An -N2 -tu2 /dev/urandom) % 20000 + 20000))
portal_port=$((port + 1))
prepare() {
	in_system useradd --create-home --shell /bin/sh alice || return 1
	in_system ssh-keygen -A || return 1
	sed -i '/^Port\|^ListenAddress\|^PermitRootLogin/d' \
	    "$sysroot/etc/ssh/sshd_config"
	cat >>"$sysroot/etc/ssh/sshd_config" <<-END
	Port $port
	ListenAddress 127.0.0.1
	PermitRootLogin prohibit-password
	END
	rm -rf "$sysroot/root/.ssh"
	mkdir -m 700 "$sysroot/root/.ssh"
	in_system ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/way-in ||
	    return 1
	cp "$sysroot/root/.ssh/way-in.pub" \
	    "$sysroot/root/.ssh/authorized_keys"
	echo "[127.0.0.1]:$port $(cut -d' ' -f1,2 \
	    "$sysroot/etc/ssh/ssh_host_ed25519_key.pub")" \
	    >"$sysroot/run/known_hosts"
	for machine in X Y; do
		in_system install -d -o alice -g alice -m 700 \
		    "/home/alice/$machine" "/home/alice/$machine/.ssh"
	done
	rm -f "$sysroot/run/sshd.pid"
	in_system /usr/sbin/sshd -E /run/sshd.log && wait_for test -s \
	    "$sysroot/run/sshd.pid"
}
logged prepare || bail "there is no host"
as_root_anew echo in
ok "root has a way in" done_well

# state: all that an administrator of sshd looks at, byte for byte.
state() {
	(cd "$sysroot/etc" && find ssh pam.d default/ssh meshkeys -printf \
	    '%p %y %m %U %G %s %T@\n' 2>/dev/null | grep -v '^meshkeys/' |
	    sed '/^\(ssh\/sshd_config.d\|meshkeys\|ssh\) /s/ [^ ]* [^ ]*$//' |
	    sort
	    find ssh pam.d -type f -exec sha256sum {} + | sort)
}

ok "the packages are installed" logged system_install "$t/build"
state >"$t/before"

# Setting up.  root's key proves that there is another way in.
do_as_root meshkeys setup --key /root/.ssh/way-in --login alice
ok "meshkeys setup" done_well
ok "it has logged in by a profile of its own, and as root" \
    has_said 'alice can log in by a key of a profile'
cp "$t/out" "$t/setup"
do_as_root meshkeys setup --confirm
ok "who has not logged in anew cannot confirm it" [ "$rc" -ne 0 ]
# Times of processes are compared in whole seconds.
sleep 2
as_root_anew meshkeys setup --confirm
ok "a new login confirms it" done_well

# Alice makes her profile on X and connects Y to it.
in_system install -d -o meshportal -g meshportal -m 700 /run/portal
in_system setpriv --reuid meshportal --regid meshportal --clear-groups \
    meshportal --data /run/portal --listen "127.0.0.1:$portal_port" \
    >"$t/portal.log" 2>&1 &
portal=http://127.0.0.1:$portal_port
ok "a portal" wait_for grep -q '^meshportal: serving ' "$t/portal.log"
on_machine X meshman --portal "$portal" /personal alice@example.com \
    --name X --no-passphrase
ok "Alice has a profile" done_well
on_machine X meshman /ssh
ok "and an SSH key on X" done_well
on_machine X meshman /fingerprint
alice=$(cat "$t/out")
on_machine X meshman /pin
pin=$(cat "$t/out")
on_machine Y meshman --portal "$portal" /connect alice@example.com --name Y \
    --pin "$pin" /ssh
ok "Y asks to be connected" done_well
on_machine X meshman /accept /all
ok "X accepts it" done_well
on_machine Y meshman /complete
ok "Y is connected" done_well

# The administrator says who is who, as people type it.
echo "portal $portal" >>"$sysroot/etc/meshkeys/meshkeys.conf"
chmod 644 "$sysroot/etc/meshkeys/meshkeys.conf"
do_as_root meshkeys map add alice \
    "$(echo "$alice" | tr '[:upper:]' '[:lower:]' | tr -d -)"
ok "meshkeys map add" done_well
do_as_root meshkeys refresh alice
ok "meshkeys refresh" done_well
ok "she logs in from X" logs_in X
ok "she logs in from Y" logs_in Y
do_as_root meshkeys check alice
ok "meshkeys check finds no failure" [ "$rc" -le 1 ]
do_as_root meshkeys keys alice
ok "meshkeys keys shows both" [ "$(grep -c ssh-ed25519 "$t/out")" -eq 2 ]
do_as_root meshkeys explain alice /home/alice/Y/.ssh/id_ed25519_mesh.pub
ok "meshkeys explain says that Y may" done_well
do_as_root meshkeys status
ok "meshkeys status knows her" has_said "$alice"

# Y is lost.
on_machine X meshman /delete Y --yes
ok "X deletes Y" done_well
do_as_root meshkeys refresh
ok "the host hears of it" done_well
ok "Y is refused" refused Y
ok "X is not" logs_in X
do_as_root meshkeys explain alice /home/alice/Y/.ssh/id_ed25519_mesh.pub
ok "meshkeys explain says why" has_said 'deleted'
ok "with a status that says no" [ "$rc" -ne 0 ]
in_system install -d -o alice -g alice -m 700 /home/alice/.ssh
cp "$sysroot/home/alice/Y/.ssh/id_ed25519_mesh.pub" \
    "$sysroot/home/alice/.ssh/authorized_keys"
in_system chown alice:alice /home/alice/.ssh/authorized_keys
do_as_root meshkeys check alice
ok "a left-over of it in authorized_keys is a failure" [ "$rc" -eq 2 ]
ok "which is told" has_said '/home/alice/.ssh/authorized_keys'
rm -r "$sysroot/home/alice/.ssh"

# The way back.
do_as_root meshkeys unsetup
ok "meshkeys unsetup" done_well
as_before() {
	state | diff "$t/before" -
}
ok "leaves sshd's configuration as it was, byte for byte" as_before
ok "and the map" grep -q "^alice $alice" "$sysroot/etc/meshkeys/map"
ok "nobody logs in by a profile any more" refused X
as_root_anew echo in
ok "root does as ever" done_well

# A removal of the package goes that way by itself.
set_up_again() {
	logged do_as_root meshkeys setup --key /root/.ssh/way-in \
	    --login alice --yes && done_well && logs_in X
}
ok "it can be set up again" set_up_again
do_as_root dpkg -r meshkeys
ok "the package can be removed" done_well
ok "which leaves sshd's configuration as it was" as_before
helper_gone() {
	[ ! -e "$sysroot/usr/libexec/meshkeys" ] &&
	    [ ! -e "$sysroot/etc/meshkeys/setup.undo" ]
}
ok "the helper is gone, and so is what setup kept" helper_gone
ok "nobody logs in by a profile" refused X
quiet() {
	! grep -i 'AuthorizedKeysCommand' "$t/sshd.log"
}
wc -c <"$sysroot/run/sshd.log" >"$t/size"
as_root_anew echo in
ok "root logs in" done_well
tail -c "+$(($(cat "$t/size") + 1))" "$sysroot/run/sshd.log" >"$t/sshd.log"
ok "and the running sshd asks for no helper that is gone" quiet
ok "the map stays" grep -q "^alice $alice" "$sysroot/etc/meshkeys/map"
kill "$(cat "$sysroot/run/sshd.pid")"
finish
