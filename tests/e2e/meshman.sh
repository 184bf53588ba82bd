#!/bin/sh
# meshman alone: its words and options, what it refuses, files, and the
# terminal.  No root needed.
set -eu

# shellcheck source=tests/e2e/man-lib.sh
. "$(dirname "$0")/man-lib.sh"

# Every word tells what it does.
words='personal ssh pin connect pending accept reject complete delete sync
list dump device fingerprint export import'
as nobody
for word in $words; do
	man "/$word" --help
	ok "/$word --help" ends 0 "^usage: meshman /$word" out
	cp "$t/out" "$t/help"
	man help "$word"
	ok "help $word says the same" cmp "$t/out" "$t/help"
done
man --help
ok "--help names them all" eval 'ends 0 && for word in $words; do
    grep -q "^  /$word " "$t/out" || exit 1; done'
man --version
ok "--version" ends 0 '^meshkeys [0-9]' out
ok "nothing of it makes a directory" [ ! -e "$XDG_DATA_HOME" ]

man
ok "no word: the list, and 64" ends 64 '^  /personal'
man nonsense
ok "no such word" ends 64 "there is no word 'nonsense'"
man "$(printf 'a\033[2J\nb')"
ok "and what was typed is shown clean" ends 64 "'a[?]\[2J[?]b'"
man list --key file
ok "an option of another word" ends 64 "/list takes no option '--key'"
man --key file list
ok "and before the word" ends 64 "/list takes no option '--key'"
man list --nonsense
ok "no such option" ends 64 "option '--nonsense' is not known"
man pin --count
ok "an option without its value" ends 64 'lacks its value'
man --portal http://a --portal http://b sync
ok "an option twice" ends 64 twice
man list more
ok "too many arguments" ends 64 'too many arguments'
man export
ok "too few" ends 64 'an argument is missing'
man connect a@example.com --pin 1 --expect 2
ok "options that exclude each other" ends 64 'exclude each other'
ok "and none of it makes a directory" [ ! -e "$XDG_DATA_HOME" ]

# Without a profile.
for word in list dump fingerprint pin pending sync 'export file' \
    'delete it' 'accept it'; do
	# shellcheck disable=SC2086 # words
	man $word
	ok "$word, without a profile: 66" eval \
	    'ends 66 "no profile" && ends 66 "meshman /personal"'
done
man device
ok "device, without anything: 66 as well" ends 66

# A profile.  Nothing is asked without a terminal.
as local
man personal --name laptop
ok "no terminal, no passphrase: 64 and how to say so" \
    ends 64 'add --no-passphrase'
ok "and no key was made" not ls "$dir"/*.key
man personal --name "$(printf 'a\tb')" --no-passphrase
ok "a name that is none: 64" ends 64
man personal alice --no-passphrase
ok "an account that is none: 64" ends 64 'alice@example.com'
man personal --name laptop --no-passphrase
ok "a profile" ends 0 '^your profile: M' out
alice=$(sed -n 's/^your profile: //p' "$t/out")
ok "it tells what the administrator runs" \
    says "    meshkeys map add YOUR-NAME-THERE $alice"
ok "no colours without a terminal" not says "$(printf '\033')"
ok "the directory is closed to others" \
    [ "$(stat -c %a "$dir")" = 700 ]
ok "as are all files" [ -z "$(find "$dir" -type f ! -perm 600)" ]
man personal
ok "a second one: 78, and which there is" ends 78 "$alice"
man fingerprint
ok "fingerprint: just that" eval 'one_line out && says "^$alice\$"'
man list
ok "list" eval 'ends 0 && says "laptop  \(this device\)  \(administrator\)"'
man /device
ok "device, with a slash" eval 'ends 0 && says "administrator"'
man dump
ok "dump" eval 'ends 0 && says "MasterProfile" && says "signed by $alice"'
man sync
ok "sync, without a portal" ends 0 'nothing new' out
for word in list dump device fingerprint sync "export $t/set"; do
	# shellcheck disable=SC2086 # words
	man $word --json
	ok "$word --json" eval 'ends 0 && is_json'
done
man ls
ok "no abbreviations" ends 64
man delete nothing --yes
ok "no such device: 66 and those there are" eval \
    'ends 66 "no device .* .nothing." && ends 66 laptop'
man delete laptop --yes
ok "the only administrator stays" eval 'not ends 0'

# Who else may look.
saved
new_key k1
new_key k2
new_key k3
chmod 640 "$dir/online.key"
man ssh --key "$t/k1.pub"
ok "a key that a group may read: 77 and the command" \
    ends 77 "chmod .*online.key"
restored
chmod 644 "$dir/state.json"
man list
ok "a state that others may read: 77" ends 77 "chmod .*state.json"
restored
chmod 755 "$dir"
man list
ok "a directory that others may look into: 77" ends 77 'chmod'
restored
rm "$dir/online.key"
ln -s "$t/saved/meshkeys/online.key" "$dir/online.key"
man ssh --key "$t/k1.pub"
ok "a link in place of a key: 77" ends 77
restored

# Damage is told, and never taken for nothing.
spoil() {
	printf 'x' | dd of="$dir/$1" conv=notrunc bs=1 seek=20 2>/dev/null
}

spoil state.json
man list
ok "state.json is damaged: 71" ends 71 'state.json'
man personal --no-passphrase
ok "and no other profile is made" ends 71 'state.json'
restored
printf '{"Version":1,"Administrator":true,"More":1}' >"$dir/state.json"
man list
ok "a member that nobody knows: 71" ends 71 'state.json'
restored
spoil profile.seen
man list
ok "profile.seen is damaged: 71" ends 71 'profile.seen'
man sync
ok "for sync too" ends 71 'profile.seen'
restored
spoil profile.json
man list
ok "profile.json is damaged: 65" ends 65 'profile.json'
restored
rm "$dir/profile.json"
man list
ok "profile.json is gone: 66" ends 66 'profile.json'
restored
man ssh --key "$t/k1.pub"
ok "a change, without an account" ends 0
cp "$t/saved/meshkeys/profile.json" "$dir/profile.json"
man list
ok "the earlier one put back by hand: 65" ends 65 older

# Files.
as local
restored
man export "$t/old.json"
man ssh --key "$t/k1.pub"
man export "$t/new.json"
ok "export" ends 0 "$alice" out
ok "what anybody may read" [ "$(stat -c %a "$t/new.json")" = 644 ]
man export -
ok "to standard output" cmp "$t/out" "$t/new.json"
man export "$t/nowhere/set.json"
ok "into no directory: not 0" eval 'not ends 0'
ok "and nothing beside it" [ -z "$(find "$t" -maxdepth 1 -name '.mk*')" ]
man import "$t/old.json"
ok "import of an older one: 65" ends 65 older
man import "$t/new.json"
ok "of the same" ends 0 'is what was there' out
as other
man import "$t/new.json"
ok "on a device without a profile: 64" ends 64 'add --expect'
man import "$t/new.json" --expect "$(echo "$alice" | cut -c 1-17)"
ok "a part of a fingerprint: 64" ends 64 'whole fingerprint'
man import "$t/new.json" --expect MAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA
ok "another fingerprint: 65" ends 65
man list
ok "and nothing is there" ends 66
man import "$t/old.json" --expect "$(echo "$alice" | tr -d - |
    tr '[:upper:]' '[:lower:]')"
ok "as people type it" ends 0 'updated' out
man import - <"$t/new.json"
ok "nothing on standard input: 65" ends 65
rc=0
"$meshman" import - <"$t/new.json" >"$t/out" 2>"$t/err" || rc=$?
ok "a newer one on standard input" ends 0 'updated' out
man list
ok "and it is shown" eval 'ends 0 && says SHA256 && not says this.device'
man ssh --key "$t/k2.pub"
ok "but not administered" eval 'not ends 0'
man sync
ok "which it is told" ends 0 'this device is not in the profile' out
mkfifo "$t/fifo"
man import "$t/fifo"
ok "a FIFO: 77, at once" ends 77 'not a regular file'
man import "$t/nothing"
ok "no file: 66" ends 66
head -c 5000000 /dev/zero >"$t/big"
man import "$t/big"
ok "too large: 65 and the limit" ends 65 'larger than'

# At a terminal: the passphrase of the master key.
as typed
typed first second first second first second -- \
    "$meshman" personal --no-qr
ok "two that differ, three times: 64" ends 64 'differ' out
ok "no key was made" not ls "$dir"/*.key
typed '' -- "$meshman" personal
ok "an empty one: 64" ends 64 'no-passphrase' out
typed 'correct horse' 'correct horse' -- env TERM=xterm LC_ALL=C.UTF-8 \
    "$meshman" personal
ok "the same twice" ends 0 'your profile' out
ok "nothing that was typed is shown" not says 'correct horse'
ok "a QR code" says "$(printf '\342\226\200')"
ok "the key is locked" not cmp -s "$dir/master.key" "$dir/online.key"
man fingerprint
ok "nothing asks for it" ends 0
typed -- env TERM=dumb "$meshman" fingerprint
ok "on a dumb terminal: no QR code, but the line of the map" eval \
    'ends 0 && not says "$(printf "\342\226\200")" &&
    says "YOUR-NAME-THERE M"'

finish
