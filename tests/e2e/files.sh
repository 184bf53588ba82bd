#!/bin/sh
# Everything that may stand in place of a file that the helper reads: one
# line in the log that names the file and its repair, the right status,
# nothing printed, and no waiting.

. "$(dirname "$0")/lib.sh"

new_key X
publish --seed alice --device "X=$keys/X.pub" --updated now-1h --seen "$t/seen"
alice=$udf
cp "$cache/$alice.json" "$t/set"
echo "alice $alice" >"$t/map"
echo 'fresh-for 15m' >"$t/conf"
echo "$alice" >"$t/user"
echo 'a secret of root' >"$t/secret"
chmod 600 "$t/secret"

# instead KIND FILE GOOD: something else stands in place of FILE.
instead() {
	rm -rf "$2"
	case $1 in
	link) ln -s "$3" "$2" ;;
	secret) ln -s "$t/secret" "$2" ;;
	dangling) ln -s nowhere "$2" ;;
	loop) ln -s "$(basename "$2")" "$2" ;;
	directory) mkdir "$2" ;;
	fifo) mkfifo "$2" ;;
	socket) logger "$2" /dev/null & wait_for test -S "$2" ;;
	device) mknod "$2" c 1 5 ;;
	hardlink)
		cp "$3" "$t/hers"
		chown alice "$t/hers"
		cp "$t/hers" "$2"
		chown alice "$2"
		;;
	*) install -m 0644 "$3" "$2" ;;
	esac
	case $1 in
	owner) chown alice "$2" ;;
	group) chmod g+w "$2" ;;
	others) chmod o+w "$2" ;;
	both) chmod go+w "$2" ;;
	secret-file) chmod 600 "$2" ;;
	huge) truncate -s 1G "$2" ;;
	empty) : >"$2" ;;
	esac
}

# Each file with each of these is 77, and the reason names both.
unsafe() {
	cat <<-'END'
	link		is a symbolic link
	secret		is a symbolic link
	dangling	is a symbolic link
	loop		is a symbolic link
	directory	not a regular file
	fifo		not a regular file
	socket		not a regular file
	device		not a regular file
	hardlink	owned by uid 1001; run: chown
	owner		owned by uid 1001; run: chown
	group		writable by group; run: chmod g-w
	others		writable by others; run: chmod o-w
	both		writable by group and others; run: chmod go-w
	secret-file	permission denied; run: chmod a\+r
	END
}

# spoil FILE GOOD: all of the above in its place, and back.
spoil() {
	unsafe >"$t/unsafe"
	while read -r kind reason <&3; do
		instead "$kind" "$1" "$2"
		offer alice "$keys/X"
		ok "$1: $kind" failed 77 "cannot use '$1': $reason"
		ok "$1: $kind, not a word of what it holds" \
		    not in_log 'secret of'
	done 3<"$t/unsafe"
	instead regular "$1" "$2"
}

# odd FILE GOOD KIND STATUS PATTERN
odd() {
	instead "$3" "$1" "$2"
	offer alice "$keys/X"
	ok "$1: $3: $4" failed "$4" "$5"
	instead regular "$1" "$2"
}

install -m 0644 "$t/map" "$config/map"
offer alice "$keys/X"
ok "all is right at first" decided 1

spoil "$cache/$alice.json" "$t/set"
odd "$cache/$alice.json" "$t/set" huge 65 "'$cache/$alice.json'.*max-set"
odd "$cache/$alice.json" "$t/set" empty 65 'set: '
spoil "$memory/$alice.seen" "$t/seen"
odd "$memory/$alice.seen" "$t/seen" huge 71 "'$memory/$alice.seen'.*damaged"
odd "$memory/$alice.seen" "$t/seen" empty 71 'seen: .*damaged'
# A set that is not even read hides nothing of the memory.
instead huge "$cache/$alice.json" "$t/set"
odd "$memory/$alice.seen" "$t/seen" empty 71 'seen: .*damaged'
odd "$memory/$alice.seen" "$t/seen" group 77 'seen.: writable by group'
instead regular "$cache/$alice.json" "$t/set"
spoil "$config/map" "$t/map"
odd "$config/map" "$t/map" huge 78 "'$config/map': larger"
instead empty "$config/map" "$t/map"
offer alice "$keys/X"
ok "an empty map names nobody" decided 0
instead regular "$config/map" "$t/map"
spoil "$config/meshkeys.conf" "$t/conf"
odd "$config/meshkeys.conf" "$t/conf" huge 78 "meshkeys.conf': larger"
mkdir "$config/users"
spoil "$config/users/alice" "$t/user"
odd "$config/users/alice" "$t/user" huge 78 "users/alice': larger"

# Directories: nobody but root and the stores' owner.
for directory in "$cache" "$memory" "$config" "$config/users"; do
	chmod g+w "$directory"
	offer alice "$keys/X"
	ok "$directory: writable by group" failed 77 \
	    "cannot use '$directory': writable by group; run: chmod g-w"
	chmod g-w "$directory"
done
chown alice "$config"
offer alice "$keys/X"
ok "$config of another user" failed 77 \
    "cannot use '$config': owned by uid 1001; run: chown 0 $config"
chown root "$config"
chmod o+w /var/cache
offer alice "$keys/X"
ok "a parent that others can write" failed 77 \
    "cannot use '/var/cache': writable by others; run: chmod o-w /var/cache"
chmod o-w /var/cache
chmod 700 "$cache"
offer alice "$keys/X"
ok "a cache that only its owner may enter" failed 77 \
    "$cache.*permission denied; run: "
chmod 755 "$cache"
chown alice "$cache/$alice.json"
offer alice "$keys/X"
ok "a cache file of yet another user" failed 77 'owned by uid 1001'
chown meshkeys "$cache/$alice.json"
offer alice "$keys/X"
ok "the owner of the cache owns its files" decided 1

# Hung writers and readers that are not there.
instead fifo "$cache/$alice.json" "$t/set"
sleep 60 >"$cache/$alice.json" &
sshd_start
begun=$(date +%s)
login "$keys/X" alice echo in
ok "a FIFO in place of the cache keeps out" kept_out 'failed, status 77'
ok "at once" [ $(($(date +%s) - begun)) -lt 5 ]
instead regular "$cache/$alice.json" "$t/set"

# A torn set is refused, a whole one takes its place at once.
head -c 2000 "$t/set" >"$cache/$alice.json"
offer alice "$keys/X"
ok "half of a set: 65" failed 65 'set: '
instead regular "$cache/$alice.json" "$t/set"
login "$keys/X" alice echo in
ok "repaired, she is in" entered

finish
