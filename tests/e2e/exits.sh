#!/bin/sh
# What sshd logs when the helper does not decide, and where it refuses to
# run it.  Each time the helper has told the reason, once.

. "$(dirname "$0")/lib.sh"

new_key X
alices() {
	publish --seed alice --device "X=$keys/X.pub" --updated now-1h "$@"
	echo "alice $udf" >"$config/map"
}

# refused STATUS PATTERN: sshd logged the status, the helper the reason.
refused() {
	kept_out "AuthorizedKeysCommand $helper alice .* failed, status $1" &&
	    [ "$(wc -l <"$t/log")" -eq 1 ] && in_log "$2"
}

alices
sshd_start
login "$keys/X" alice echo in
ok "all is right at first" entered

alices --break signature-bit
login "$keys/X" alice echo in
ok "forged: 65" refused 65 "personal: .*event=akc.refused"
alices --expires now-1m
login "$keys/X" alice echo in
ok "expired: 65" refused 65 "expired|Expires"
rm "$cache/$udf.json"
login "$keys/X" alice echo in
ok "no set in the cache: 66" refused 66 "cache: .*'$cache/$udf.json'"
alices
echo "mesh-seen 1" >"$memory/$udf.seen"
login "$keys/X" alice echo in
ok "a damaged memory: 71" \
    wait_for sshd_has "$helper alice .* failed, status 71"
ok "told once" [ "$(grep -c "$udf.*damaged\|damaged.*$udf" "$t/log")" -eq 1 ]
rm "$memory/$udf.seen"
touch -d '8 days ago' "$cache/$udf.json"
login "$keys/X" alice echo in
ok "not confirmed for a week: 75" refused 75 "freshness: .*stale-for"
alices
chmod g+w "$config/map"
login "$keys/X" alice echo in
ok "a map that others can write: 77" refused 77 \
    "'$config/map': writable by group; run: chmod g-w $config/map"
chmod g-w "$config/map"
echo "no-such-keyword 1" >"$config/meshkeys.conf"
login "$keys/X" alice echo in
ok "an unknown keyword: 78" refused 78 \
    "meshkeys.conf.*1.*unknown keyword 'no-such-keyword'"
rm "$config/meshkeys.conf"
echo "alice MAAAA" >"$config/map"
login "$keys/X" alice echo in
ok "a bad line of hers: 78" refused 78 "map:1.*'MAAAA'"

mv "$config" "$config.away"
login "$keys/X" alice echo in
ok "no /etc/meshkeys: nobody is named" kept_out
ok "which is decided" not sshd_has "failed, status"
ok "and no word in the log" [ ! -s "$t/log" ]
mv "$config.away" "$config"

# sshd's own judgement of the program.
alices
chgrp alice /run/libexec/meshkeys
chmod g+w /run/libexec/meshkeys
login "$keys/X" alice echo in
ok "sshd runs no helper that a group could replace" kept_out \
    'Unsafe AuthorizedKeysCommand.*bad ownership or modes'
ok "and did not" [ ! -s "$t/log" ]
chmod g-w /run/libexec/meshkeys
chgrp root /run/libexec/meshkeys
login "$keys/X" alice echo in
ok "repaired, she is in" entered

# The drop-in wins over one that has no Match, whatever its number.
printf 'AuthorizedKeysCommand /bin/false\n%s\n' \
    'AuthorizedKeysCommandUser nobody' \
    >/etc/ssh/sshd_config.d/05-other.conf
sshd_again
login "$keys/X" alice echo in
ok "our drop-in wins over one with a lower number" entered

finish
