# shellcheck shell=sh
# Read by the tests of meshkeys setup: a host with an sshd that runs, a way
# in for root, and alice in the map.

MK_WORLD_SECONDS=${MK_WORLD_SECONDS:-600}
export MK_WORLD_SECONDS

. "$(dirname "$0")/lib.sh"

tap_shows="out err log sshd more"
dropins=/etc/ssh/sshd_config.d
dropin=$dropins/10-meshkeys.conf
undo=$config/setup.undo
installed=${MK_LIBEXECDIR:-/usr/libexec/meshkeys}

# The helper at the path that is compiled in.  What does not exist on this
# machine is made in an empty file system over what does.
install_helper() {
	over=$installed
	while [ ! -d "$over" ]; do
		over=$(dirname "$over")
	done
	case $over in
	/ | /usr | /tmp*) return 1 ;;
	esac
	mount -t tmpfs -o mode=0755 tmpfs "$over" &&
	    mkdir -p "$installed" &&
	    install -m 0755 "$MK_BUILDDIR/mesh-authorized-keys" \
	        "$MK_BUILDDIR/mesh-refresh" "$installed"
}

install_helper 2>/dev/null ||
    skip_all "the helper cannot be put at '$installed' here"
helper=$installed/mesh-authorized-keys
install -m 0755 "$MK_BUILDDIR/meshkeys" /run/bin/meshkeys
# useradd(8) writes there too.
mount -t tmpfs -o mode=0755 tmpfs /var/log

# A command that is somebody else's.
install -d /run/other
printf '#!/bin/sh\necho "# for $1"\n' >/run/other/keys
chmod 0755 /run/other/keys

mkdir -m 0700 /run/home/root/.ssh
chmod 0700 /run/home/root
new_key way
cp "$keys/way.pub" /run/home/root/.ssh/authorized_keys
rm -f "$dropin"
publish --seed setup --device X
echo "alice $udf" >"$config/map"
printf '# ours\nfresh-for 5m\n# the end, without a line feed' \
    >"$config/meshkeys.conf"
touch -d '2020-02-02 02:02:02.123456789' "$config/meshkeys.conf"
chmod 0640 "$config/meshkeys.conf"
chmod 0644 "$config/meshkeys.conf"

# tool ARGUMENT...: status in $rc, output in out and err, the log in log.
tool() {
	log_sync
	rc=0
	: >"$t/sshd"
	timeout 60 meshkeys "$@" >"$t/out" 2>"$t/err" </dev/null || rc=$?
	log_sync
	log_lines >"$t/log"
}

# set_up ARGUMENT...: with a way in that can be proved.
set_up() {
	tool setup --key "$keys/way" "$@"
}

said() {
	[ "$rc" -eq "$1" ] && grep -Eq -e "$2" "$t/out"
}

refused() {
	[ "$rc" -eq "$1" ] && grep -Eq -e "$2" "$t/err"
}

logged() {
	grep -Eq -e "meshkeys\[.*event=meshkeys\.$1\$" "$t/log"
}

# asked ANSWER...: setup on a terminal, the answers typed there.
asked() {
	rc=0
	timeout 60 python3 "$MK_SRCDIR/tests/e2e/typist.py" "$@" -- \
	    meshkeys setup --yes --key "$keys/way" >"$t/out" 2>"$t/err" ||
	    rc=$?
}

# picture: every file of /etc with its bytes, mode, owner and time.
picture() {
	(cd /etc && find . ! -type d -printf '%p %m %u %g %T@ %n %l\n' |
	    sort && find . -type d -printf '%p %m %u %g\n' | sort &&
	    find . -type f -exec sha256sum '{}' + | sort -k 2)
}

picture >"$t/before"

same_as_before() {
	picture | diff "$t/before" -
}

# again: what the next test takes for granted.
again() {
	tool unsetup --yes
	ok "$1: taken back, every byte of /etc" same_as_before
}

# put NAME: a drop-in from standard input.
put() {
	cat >"$dropins/$1"
}

command_of() {
	/usr/sbin/sshd -T -C "user=$1,host=localhost,addr=127.0.0.1" |
	    sed -n 's/^authorizedkeyscommand //Ip'
}

asks_us() {
	[ "$(command_of alice)" = "$helper %u %t %k" ] &&
	    [ "$(command_of root)" = none ]
}

asks_nobody() {
	[ "$(command_of alice)" = none ]
}

cp -p /etc/ssh/sshd_config "$t/sshd_config"
keep_config() {
	cp -p "$t/sshd_config" /etc/ssh/sshd_config
}

# false_sshd IDS COMMAND: Python under the name of sshd, as a user.
false_sshd() {
	mkdir -p "$t/false"
	cp "$(readlink -f "$(command -v python3)")" "$t/false/sshd"
	PYTHONHOME=/usr setpriv --reuid "$1" --regid "$1" --clear-groups \
	    "$t/false/sshd" -c "$2"
}

sshd_start || bail 'no sshd'
