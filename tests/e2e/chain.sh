#!/bin/sh
# Another AuthorizedKeysCommand behind ours.

. "$(dirname "$0")/lib.sh"

other=/run/libexec/other
new_key X
new_key O
new_key stranger
publish --seed alice --device "X=$keys/X.pub" --updated now-1h
alice=$udf
mkdir -m 1777 "$t/ran"
cat >"$other" <<END
#!/bin/sh
umask 077
{
	echo \$#
	printf '<%s>\n' "\$@"
} >$t/ran/argv
grep -E '^(NoNewPrivs|Seccomp|SigIgn|SigBlk):' /proc/self/status \
    >$t/ran/status
(ulimit -a; ulimit -H -a) >$t/ran/limits
cat $keys/O.pub
END
chmod 755 "$other"

# Without an offered key, as sshd would start it alone.
as_akc "$other" >/dev/null
cp "$t/ran/limits" "$t/limits"
cp "$t/ran/status" "$t/status"

set_up() {
	rm -f "$t/ran"/*
	echo "alice $alice" >"$config/map"
	printf '%s\n' "chain $other %u %t %k %f \"two words\" 100%%" "$@" \
	    >"$config/meshkeys.conf"
}

ran() {
	[ -e "$t/ran/argv" ]
}

# Its words, against what ssh-keygen says of the key.
got_words() {
	{
		echo 6
		echo '<alice>'
		cut -d' ' -f1,2 "$1.pub" | tr ' ' '\n' | sed 's/.*/<&>/'
		ssh-keygen -lf "$1.pub" | cut -d' ' -f2 | sed 's/.*/<&>/'
		echo '<two words>'
		echo '<100%>'
	} | diff "$t/ran/argv" -
}

set_up
sshd_start
login "$keys/X" alice echo in
ok "our key logs in" entered
ok "and the other command did not run" not ran
login "$keys/O" alice echo in
ok "a key of the other command logs in" entered
ok "its tokens are real words" got_words "$keys/O"
ok "it has the limits that sshd gave" diff "$t/ran/limits" "$t/limits"
ok "no sandbox and no ignored signals" diff "$t/ran/status" "$t/status"
login "$keys/stranger" alice echo in
ok "who is nowhere does not log in" kept_out
ok "though it was asked" got_words "$keys/stranger"

set_up
echo "chain $other %u" >"$config/meshkeys.conf"
helper_run alice
ok "without an offered key: both commands' lines" decided 2
ok "ours first" [ "$(sed 1q "$t/out" | cut -d' ' -f1,2)" = \
    "$(cut -d' ' -f1,2 "$keys/X.pub")" ]

# A refusal is final, unless the administrator says otherwise.
set_up
publish --seed alice --device "X=$keys/X.pub" --updated now-1h \
    --break signature-bit
login "$keys/O" alice echo in
ok "our refusal is final" kept_out 'failed, status 65'
ok "the other command did not run" not ran
set_up "chain-on-refusal yes"
login "$keys/O" alice echo in
ok "chain-on-refusal: the other command lets in" entered
ok "it ran" ran
login "$keys/X" alice echo in
ok "the refused key stays out" kept_out
publish --seed alice --device "X=$keys/X.pub" --updated now-1h

# One of two profiles refused is a refusal, if no key matched.
publish --seed bob --updated now-1h --break signature-bit
set_up
echo "alice $udf" >>"$config/map"
offer alice "$keys/X"
ok "a match in the good one of two profiles" decided 1
ok "does not chain" not ran
offer alice "$keys/O"
ok "no match, and one refused: nothing" decided 0
ok "which does not chain either" not ran

set_up
echo "alice -" >"$config/map"
login "$keys/O" alice echo in
ok "'-' says nothing about the other command" entered
set_up
: >"$config/map"
login "$keys/O" alice echo in
ok "nor does it if nobody names her" entered

# What sshd would not run we do not run.
set_up
chgrp alice "$other"
chmod g+w "$other"
offer alice "$keys/O"
ok "a command that others can write: 78" failed 78 \
    "'$other': writable by group; run: chmod g-w $other"
ok "it did not run" not ran
offer alice "$keys/X"
ok "a matching key needs no other command" decided 1
chmod 644 "$other"
offer alice "$keys/O"
ok "a command that is not executable: 78" failed 78 "chmod a\\+x $other"
chmod 755 "$other"
chown alice "$other"
offer alice "$keys/O"
ok "a command of somebody: 78" failed 78 "'$other': owned by uid 1001"
rm "$other"
offer alice "$keys/O"
ok "a command that is not there: 78" failed 78 "'$other': no such file"
offer alice "$keys/X"
ok "our key is let in all the same" decided 1
echo 'chain other %u' >"$config/meshkeys.conf"
offer alice "$keys/X"
ok "a relative path: 78" failed 78 "meshkeys.conf.*1.*absolute"
echo "chain $other %C" >"$config/meshkeys.conf"
offer alice "$keys/X"
ok "a token that not every sshd has: 78" failed 78 "meshkeys.conf.*%C"

finish
