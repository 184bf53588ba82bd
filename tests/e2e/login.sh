#!/bin/sh
# People log in through a real sshd with the keys of their devices, and stop
# doing so the moment a device is deleted.

. "$(dirname "$0")/lib.sh"

# alices OPTION...: her set with what it has in all of its versions.
alices() {
	publish --seed alice --device "X=$keys/X.pub" \
	    --device "Y=$keys/Y.pub" --device "R=$keys/R.pub" \
	    --device "E=$keys/E.pub" "$@"
}

for name in X Y other1 other2 other3; do
	new_key "$name"
done
new_key R -trsa -b2048
new_key E -tecdsa -b384
alices --updated now-2h
alice=$udf
echo "alice $alice" >"$config/map"
echo "log-level debug" >"$config/meshkeys.conf"
sshd_start

login "$keys/X" alice echo in
ok "a device logs in" entered
ok "sshd asked twice" [ "$(runs akc.match)" -eq 2 ]
ok "one login, one conn" [ "$(grep -o 'conn=[0-9]*' "$t/log" |
    sort -u | wc -l)" -eq 1 ]
login "$keys/Y" alice echo in
ok "so does another device" entered
login "$keys/R" alice echo in
ok "an RSA key logs in" entered
login "$keys/E" alice echo in
ok "an ECDSA key logs in" entered
login "$keys/other1" alice echo in
ok "a stranger does not" kept_out
login "$keys/X" root echo in
ok "the helper is not asked about root" kept_out
ok "nor does it run" [ ! -s "$t/log" ]
login "$keys/X" nobody2 echo in
ok "nor about a user that is not there" [ ! -s "$t/log" ]

# The keys that an agent has are offered one by one.
login "$keys/other1" alice -i "$keys/other2" -i "$keys/other3" \
    -i "$keys/X" echo in
ok "three wrong keys first, and in" entered
ok "five runs for it: three and two" \
    [ "$(runs akc.nomatch) $(runs akc.match)" = "3 2" ]

# An agent keeps more keys than sshd has patience: six runs, and no more.
for name in a b c d e f g; do
	new_key "$name"
	echo "IdentityFile $keys/$name"
done >"$t/ssh_config"
echo "IdentityFile $keys/X" >>"$t/ssh_config"
login "$keys/a" alice -F "$t/ssh_config" echo in
ok "seven wrong keys are too many" [ "$rc" -eq 255 ]
ok "six runs for them" [ "$(runs akc.nomatch)" -eq 6 ]

# Deletion: the new set takes the old one's place, nothing else happens.
alices --updated now-1h --delete X --private "$t" --seen "$memory/"
login "$keys/X" alice echo in
ok "the next login of a deleted device is refused" kept_out
ok "with exit 0: it is decided" not sshd_has "failed, status"
login "$keys/Y" alice echo in
ok "the other device still logs in" entered
alices --updated now-2h
login "$keys/X" alice echo in
ok "the old set, put back, lets nobody in" kept_out \
    "AuthorizedKeysCommand .* failed, status 65"
login "$keys/Y" alice echo in
ok "not even who stands in both" kept_out
alices --updated now-1h --delete X

# A certificate is never ours, and does not spoil the plain key.
new_key ca
ssh-keygen -q -s "$keys/ca" -I somebody -n alice -V +1h "$keys/Y.pub"
offer alice "$keys/Y-cert"
ok "a certificate: nothing printed, exit 0" decided 0
login "$keys/Y" alice -o "CertificateFile=$keys/Y-cert.pub" echo in
ok "the plain key behind a certificate logs in" entered
ok "the certificate was offered" sshd_has "ED25519-CERT"
rm "$keys/Y-cert.pub"

# Two people on one account, each decided by herself.
publish --seed bob --device "B=$keys/other1.pub" --updated now-1h
{
	echo "deploy $alice"
	echo "deploy $udf"
} >>"$config/map"
login "$keys/Y" deploy echo in
ok "the first of two people on one account" entered
login "$keys/other1" deploy echo in
ok "the second" entered
publish --seed bob --device "B=$keys/other1.pub" --updated now-1h \
    --break signature-bit
login "$keys/other1" deploy echo in
ok "a forged set of the second keeps her out" kept_out
ok "exit 0, since the first could be decided" not sshd_has "status"
ok "the log names whose" in_log "event=akc.refused .*udf=$udf"
login "$keys/Y" deploy echo in
ok "and the first still in" entered

# As many devices as a profile can have.
publish --seed crowd --updated now-1h --devices 1023 \
    --device "last=$keys/other2.pub"
echo "alice $udf" >"$config/map"
login "$keys/other2" alice echo in
ok "the last of 1,024 devices logs in" entered
helper_run alice
ok "all 1,024 lines without an offered key" decided 1024
publish --seed crowd --updated now-1h --devices 1024 \
    --device "last=$keys/other2.pub"
offer alice "$keys/other2"
ok "one more device, and the set is refused" failed 65 "max-devices|1024"

finish
