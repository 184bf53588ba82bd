#!/bin/sh
# Who a user is: users/USER, the map, GECOS, the directory; and names that
# no shell would like.

. "$(dirname "$0")/lib.sh"

new_key X
publish --seed alice --device "X=$keys/X.pub" --updated now-1h
alice=$udf
bare=$(echo "$alice" | tr -d - | tr A-Z a-z)

# The map.
echo "alice $bare" >"$config/map"
offer alice "$keys/X"
ok "the fingerprint as people type it" decided 1
printf '%s\n' '# a comment' '' "	alice	$alice	# hers" >"$config/map"
offer alice "$keys/X"
ok "comments, blanks and tabs" decided 1
printf '%s\n' 'carol MAAAA' 'dave' '"erin' "alice $alice" 'mallory x y=z' \
    >"$config/map"
offer alice "$keys/X"
ok "broken lines of others do not harm her" decided 1
ok "nor fill the log" [ ! -s "$t/log" ]
offer dave "$keys/X"
ok "a broken line of his own does" failed 78 "map:2"
printf 'alice %s\nalice -\n' "$alice" >"$config/map"
offer alice "$keys/X"
ok "'-' beside a fingerprint: 78" failed 78 "map:2.*'-'"
printf '"alice -\nalice %s\n' "$alice" >"$config/map"
offer alice "$keys/X"
ok "a mistyped '-' is not passed over" failed 78 "map:1"
printf 'al%%69ce -\nalice %s\n' "$alice" >"$config/map"
offer alice "$keys/X"
ok "an encoded one neither" failed 78 "map:2"
printf 'alice %s\nalice %s\n' "$alice" "$bare" >"$config/map"
offer alice "$keys/X"
ok "the same fingerprint twice: 78" failed 78 "map:2.*twice"
printf 'alice %s\nalice %s\n' "$alice" \
    MAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA >"$config/map"
offer alice "$keys/X"
ok "a profile that is nowhere does not take her keys away" decided 1
ok "but is told" in_log "event=akc.error .*udf=MAAAA-"
echo 'alice -' >"$config/map"
sed -i "s/^alice:.*/alice:x:1001:1001:A,,,,mesh=$alice:\/run\/home\/alice\
:\/bin\/sh/" /etc/passwd
offer alice "$keys/X"
ok "'-' in the map is final, whatever GECOS says" decided 0

# GECOS, the subfield that chfn cannot set.
: >"$config/map"
offer alice "$keys/X"
ok "the last subfield of GECOS" decided 1
sshd_start
login "$keys/X" alice echo in
ok "logs in" entered
echo 'identity map' >"$config/meshkeys.conf"
offer alice "$keys/X"
ok "unless identity leaves passwd out" decided 0
echo 'identity nss' >"$config/meshkeys.conf"
offer alice "$keys/X"
ok "the same by the directory" decided 1
login "$keys/X" alice echo in
ok "logs in by it" entered
rm "$config/meshkeys.conf"
sed -i "s/A,,,,mesh=/A,mesh=$alice,,,x=/" /etc/passwd
offer alice "$keys/X"
ok "a subfield that chfn can set is nothing" decided 0
sed -i "s/A,mesh=[^:]*/A,,,,mesh=MAAAA/" /etc/passwd
offer alice "$keys/X"
ok "a bad fingerprint in it: 78" failed 78 "/etc/passwd:.*MAAAA"
sed -i "s/A,,,,mesh=MAAAA/A,,,,mesh=$alice,more/" /etc/passwd
offer alice "$keys/X"
ok "it ends at the next comma" decided 1

# users/USER comes before the map.
mkdir "$config/users"
echo "$alice" >"$config/users/alice"
echo 'alice -' >"$config/map"
offer alice "$keys/X"
ok "users/alice decides before the map" decided 1
: >"$config/users/alice"
echo "alice $alice" >"$config/map"
offer alice "$keys/X"
ok "an empty one decides, too" decided 0
echo - >"$config/users/alice"
offer alice "$keys/X"
ok "'-' in users/alice" decided 0
rm "$config/users/alice"
offer alice "$keys/X"
ok "without it the map decides" decided 1

# Names are bytes.  sshd hands them over as the password file has them.
add_user() {
	echo "$1:x:$2:1001:,,,:/run/home/alice:/bin/sh" >>/etc/passwd
	echo "$1:*:20000:0:99999:7:::" >>/etc/shadow
}

number=2000
for pair in a.b=a.b a-b=a-b Alice=Alice user@corp=user%40corp \
    x%u=x%25u a_b=a_b; do
	name=${pair%%=*}
	number=$((number + 1))
	add_user "$name" "$number"
	echo "${pair#*=} $alice" >"$config/map"
	login "$keys/X" "$name" echo in
	ok "'$name' logs in by the map" entered
	rm "$config/map"
	echo "$alice" >"$config/users/${pair#*=}"
	login "$keys/X" "$name" echo in
	ok "'$name' logs in by users/${pair#*=}" entered
	rm "$config/users/${pair#*=}"
done
echo "alice $alice" >"$config/map"
offer Alice "$keys/X"
ok "upper case is another name" decided 0
echo "user@corp $alice" >"$config/map"
offer user@corp "$keys/X"
ok "a name that need not be encoded to be hers" decided 1
echo "user@corp MAAAA" >"$config/map"
offer user@corp "$keys/X"
ok "and whose line is not passed over" failed 78 "map:1"
printf '%%2E%%2E %s\n%%2Da %s\nspace%%20d %s\nb%%C3%%BC %s\n' "$alice" \
    "$alice" "$alice" "$alice" >"$config/map"
offer .. "$keys/X"
ok "'..' is a name like others" decided 1
offer 'space d' "$keys/X"
ok "so is one with a space" decided 1
offer "$(printf 'b\303\274')" "$keys/X"
ok "and one in UTF-8" decided 1
offer '../map' "$keys/X"
ok "a path is no way out of users/" decided 0
offer 'a;id' "$keys/X"
ok "a command is just a name" decided 0
echo 'log-level debug' >"$config/meshkeys.conf"
offer "$(printf 'a\nb event=akc.match')" "$keys/X"
ok "a name with a line feed makes one line" [ "$(wc -l <"$t/log")" -eq 1 ]
ok "and no word of its own in the tail" \
    in_log 'event=akc.unmapped .*user=a%0Ab%20event%3Dakc.match'
rm "$config/meshkeys.conf"

# Many users.
awk -v udf="$alice" 'BEGIN {
	for (i = 0; i < 100000; i++)
		print "user" i, udf
	print "alice", udf
}' >"$config/map"
login "$keys/X" alice echo in
ok "the last of 100,001 lines logs in" entered
echo "$alice" >"$config/users/user7"
offer user7 "$keys/X"
ok "users/ does not look at the map" decided 1

finish
