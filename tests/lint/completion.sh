#!/bin/sh
# What the completions for bash offer is what the programs take, as --help
# and 'help WORD' tell it, and names of devices are only text.
set -eu

# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"
completions=$srcdir/contrib/completion
meshman=$builddir/meshman
meshkeys=$builddir/meshkeys
meshportal=$builddir/meshportal

if ! command -v bash >/dev/null 2>&1; then
	echo "1..0 # SKIP bash is missing"
	exit 0
fi
for program in "$meshman" "$meshkeys" "$meshportal"; do
	if [ ! -x "$program" ]; then
		echo "1..0 # SKIP ${program##*/} is not built"
		exit 0
	fi
done

# offered WORD...: what is offered in place of the last word, one a line.
offered() {
	# shellcheck disable=SC2016 # for bash
	bash --norc -c '. "$1/${2##*/}"
		shift
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		"_${1##*/}" "$1" "${COMP_WORDS[COMP_CWORD]}" \
		    "${COMP_WORDS[COMP_CWORD - 1]}"
		[[ ${#COMPREPLY[@]} -eq 0 ]] ||
			printf "%s\n" "${COMPREPLY[@]}"' \
	    completion "$completions" "$@" | sort
}

# same NAME: the lines of the file 'want', sorted, against those of 'got'.
same() {
	[ -s "$scratch/want" ] || echo "nothing to compare with" \
	    >"$complaints"
	sort -u "$scratch/want" | diff - "$scratch/got" >>"$complaints" || :
	verdict "$1"
}

# offers NAME WANTED WORD...: exactly these, divided by blanks.
offers() {
	echo "$2" | tr ' ' '\n' | sed '/^$/d' >"$scratch/want"
	what=$1
	shift 2
	offered "$@" >"$scratch/got"
	if [ -s "$scratch/want" ]; then
		same "$what"
	else
		cp "$scratch/got" "$complaints"
		verdict "$what"
	fi
}

options_in() {
	grep -o -e '--[a-z][a-z-]*' | sort -u
}

# What a word takes says the program: given all options at once it refuses
# the first that the word does not take, and does nothing.

# as_given OPTION: it and its value, if it has one.
as_given() {
	if grep -qx -e "$1" "$scratch/with-value"; then
		echo "$1=x"
	else
		echo "$1"
	fi
}

# takes PROGRAM WORD OPTION
takes() {
	all=$(as_given "$3")
	while read -r other; do
		[ "$other" = "$3" ] || all="$all $(as_given "$other")"
	done <"$scratch/options"
	rc=0
	# shellcheck disable=SC2086 # words
	env XDG_DATA_HOME="$scratch/none" "$1" $2 $all \
	    >"$scratch/out" 2>&1 </dev/null || rc=$?
	[ "$rc" -eq 64 ] ||
	    echo "${1##*/} $2 $all: status $rc" >"$complaints"
	! grep -q "takes no option '$3'" "$scratch/out"
}

# told: the options that a help text tells of, in its usage or on lines of
# their own; it may name those of others.
told() {
	sed -n -e '1,/^$/p' -e 's/^  \(--[a-z-]*\).*/\1/p' | options_in
}

# learn PROGRAM OPTION...: the files 'options', those of single words, of
# those in the file 'words', and the ones named, and 'with-value'.
learn() {
	while read -r word; do
		# shellcheck disable=SC2086 # a command may have two
		"$1" help $word
	done <"$scratch/words" >"$scratch/helps"
	{
		options_in <"$scratch/helps"
		grep -o -e '--[a-z][a-z-]* [A-Z][A-Z]*' "$scratch/helps" |
		    sed 's/ .*//' | sort -u >"$scratch/with-value"
		shift
		[ $# -eq 0 ] || printf '%s\n' "$@"
	} | sort -u >"$scratch/options"
}

# each_word PROGRAM PREFIX OPTION...: behind each word are offered what it
# takes, which is what its help tells of, and the options named.
each_word() {
	each=$1
	prefix=$2
	shift 2
	while read -r word; do
		printf '%s\n' "$@" >"$scratch/want"
		while read -r option; do
			! takes "$each" "$word" "$option" || echo "$option"
		done <"$scratch/options" >>"$scratch/want"
		# shellcheck disable=SC2086 # words
		"$each" help $word | told >"$scratch/told"
		sort -u "$scratch/want" | comm -13 - "$scratch/told" |
		    sed "s|^|'help $word' tells of what it does not take: |" \
		    >>"$complaints"
		# shellcheck disable=SC2086 # words
		"$each" help $word | options_in |
		    sort -u - "$scratch/general" >"$scratch/known"
		sort -u "$scratch/want" | comm -23 - "$scratch/known" |
		    sed "s|^|'help $word' does not tell of |" >>"$complaints"
		verdict "${each##*/} help $word: its options"
		# shellcheck disable=SC2086 # words
		offered "$each" $prefix$word -- >"$scratch/got"
		same "${each##*/} $prefix$word: its options"
	done <"$scratch/words"
}

for name in meshkeys meshman meshportal; do
	bash -n "$completions/$name" 2>"$complaints" || :
	verdict "$name: bash can read it"
	# shellcheck disable=SC2016 # for bash
	bash --norc -c '. "$1" && complete -p "$2"' completion \
	    "$completions/$name" "$name" 2>&1 |
	    grep -qx "complete -F _$name $name" ||
	    echo "it completes something else" >"$complaints"
	verdict "$name: it is what completes $name"
done

# meshman: its words, with the slash and without.
words=$("$meshman" --help | sed -n 's|^  /\([a-z]*\) .*|\1|p')
with_slash=$(echo "$words" | sed 's|^|/|')
# shellcheck disable=SC2086 # words
set -- $words
[ $# -ge 16 ] || echo "only $# words in --help" >"$complaints"
verdict "meshman has words"
{ echo "$with_slash"; echo help; } >"$scratch/want"
offered "$meshman" '' >"$scratch/got"
same "meshman: the words"
echo "$with_slash" >"$scratch/want"
offered "$meshman" / >"$scratch/got"
same "meshman: the words behind a slash"
offered "$meshman" help / >"$scratch/got"
same "meshman: the words behind help"
offers "meshman: a word without its slash" complete "$meshman" comp
offers "meshman: a word with its slash" /complete "$meshman" /comp
"$meshman" --help | sed '1,/^words/d' | options_in >"$scratch/general"
cp "$scratch/general" "$scratch/want"
offered "$meshman" -- >"$scratch/got"
same "meshman: the options of all words"

# shellcheck disable=SC2086 # words
printf '%s\n' $words >"$scratch/words"
learn "$meshman" --portal --json
each_word "$meshman" / --debug --help
cp "$scratch/with-value" "$scratch/want"
while read -r option; do
	offered "$meshman" "$option" / >"$scratch/got"
	! grep -qx /list "$scratch/got" || continue
	echo "$option"
done <"$scratch/options" >"$scratch/have-value"
mv "$scratch/have-value" "$scratch/got"
same "meshman: which options have a value"

# Words behind words, as the usage has them.
for word in $words; do
	"$meshman" help "$word" | sed '/^$/,$d' |
	    grep -o '/[a-z]*' | grep -vx "/$word" | sort -u \
	    >"$scratch/want" || :
	{
		offered "$meshman" "/$word" /
		offered "$meshman" "/$word" alice@example.com /
		offered "$meshman" "/$word" alice@example.com --name Y ssh /
	} | grep -v '^/.*/' | sort -u >"$scratch/all"
	comm -12 "$scratch/all" - <<-END >"$scratch/got"
	/all
	/host
	/rekey
	/ssh
	END
	if [ -s "$scratch/want" ]; then
		same "meshman /$word: the words behind it"
	elif [ -s "$scratch/got" ]; then
		cp "$scratch/got" "$complaints"
		verdict "meshman /$word: no words behind it"
	fi
done
offers "meshman /ssh: without the slash" rekey "$meshman" ssh re
offers "meshman /connect: /host only behind /ssh" /ssh \
    "$meshman" /connect alice@example.com ''
offers "meshman /ssh: one word" '' "$meshman" /ssh /host ''
offers "meshman --portal=URL /ssh: the value is no word" /rekey \
    "$meshman" --portal = https : //portal.example : 8443 /ssh /re
offers "meshman --portal URL: nothing within it" '' \
    "$meshman" --portal https : //
offers "meshman /connect: an account that the shell took apart" /ssh \
    "$meshman" --portal https : //x /connect alice @ example.com ''
offers "meshman /connect --pin" - "$meshman" /connect --pin ''

# Devices, from a program that stands for meshman.
mkdir "$scratch/bin" "$scratch/here"
cat >"$scratch/bin/meshman" <<'END'
#!/bin/sh
echo "$*" >>"${0%/*}/asked"
u=MAGE4-TTSKE-GUWIE-VQOOM-COTLF-QOI2
cat <<END_OF_LIST
{"word":"list","devices":[{"device":"${u}A","name":"X","this":true,\
"administrator":true,"ssh":[]},{"device":"${u}B","name":"Yoga",\
"this":false,"administrator":false,"ssh":[{"host":false,"key":"x"}]},\
{"device":"${u}C","name":"\$(touch one)\`touch two\`;touch three",\
"this":false,"administrator":false,"ssh":[]},{"device":"${u}D",\
"name":"a \\"administrator\\":true","this":false,"administrator":false,\
"ssh":[]},{"device":"${u}E","name":"--yes","this":false,\
"administrator":false,"ssh":[]}]}
END_OF_LIST
END
chmod 755 "$scratch/bin/meshman"
cd "$scratch/here"
u=MAGE4-TTSKE-GUWIE-VQOOM-COTLF-QOI2
offers "meshman /delete: a name" Yoga "$scratch/bin/meshman" /delete Y
offers "meshman /delete: fingerprints, none of an administrator" \
    "${u}B ${u}C ${u}D ${u}E" "$scratch/bin/meshman" delete M
offers "meshman /delete: no name that is an option" \
    "--debug --help --json --portal --yes" "$scratch/bin/meshman" /delete --
offers "meshman /delete: one device" '' "$scratch/bin/meshman" /delete Yoga ''
offered "$scratch/bin/meshman" /delete '$' >"$scratch/got"
# shellcheck disable=SC2016 # for bash
bash --norc -c 'eval "set -- $(cat)"; printf "%s\n" "$#" "$1"' \
    <"$scratch/got" >"$scratch/seen"
# shellcheck disable=SC2016 # as it is
printf '%s\n' 1 '$(touch one)`touch two`;touch three' |
    diff - "$scratch/seen" >"$complaints" || :
find . -type f >>"$complaints"
verdict "meshman /delete: a name is quoted and never run"
sort -u "$scratch/bin/asked" >"$scratch/got"
echo "/list --json" >"$scratch/want"
same "meshman: nothing but /list --json is asked"
: >alice.json
offers "meshman /import: files" alice.json "$meshman" /import al
offers "meshman /ssh --key: files" alice.json "$meshman" /ssh --key = al

# meshkeys, whose commands may have two words.
"$meshkeys" --help |
    sed -n '/^commands/,/^$/s/^  \([a-z]*\( [a-z][a-z]*\)*\)  .*/\1/p' |
    tee "$scratch/words" | sed 's/ .*//' | sort -u >"$scratch/heads"
[ "$(wc -l <"$scratch/words")" -ge 13 ] ||
    echo "hardly any commands in --help" >"$complaints"
verdict "meshkeys has commands"
{ cat "$scratch/heads"; echo help; } >"$scratch/want"
offered "$meshkeys" '' >"$scratch/got"
same "meshkeys: the commands"
cp "$scratch/heads" "$scratch/want"
offered "$meshkeys" help '' >"$scratch/got"
same "meshkeys: the commands behind help"
while read -r head; do
	sed -n "s/^$head //p" "$scratch/words" | sort >"$scratch/want"
	[ -s "$scratch/want" ] || continue
	offered "$meshkeys" --json "$head" '' >"$scratch/got"
	same "meshkeys $head: the second words"
	offered "$meshkeys" help "$head" '' >"$scratch/got"
	same "meshkeys help $head: the second words"
done <"$scratch/heads"
offers "meshkeys help: one command" '' "$meshkeys" help keys ''
"$meshkeys" --help | options_in | tee "$scratch/want" >"$scratch/general"
offered "$meshkeys" -- >"$scratch/got"
same "meshkeys: the options"
learn "$meshkeys"
# shellcheck disable=SC2046 # words
each_word "$meshkeys" '' $(grep -vx -e --version "$scratch/general")
"$meshkeys" --help | grep -o -e '^  --[a-z][a-z-]* [A-Z][A-Z]*' |
    sed 's/^  //; s/ .*//' | sort -u - "$scratch/with-value" >"$scratch/want"
cat "$scratch/general" >>"$scratch/options"
while read -r option; do
	offered "$meshkeys" "$option" un >"$scratch/got"
	! grep -qx unsetup "$scratch/got" || continue
	echo "$option"
done <"$scratch/options" | sort >"$scratch/have-value"
mv "$scratch/have-value" "$scratch/got"
same "meshkeys: which options have a value"

# Users are those of the host, fingerprints those of the map, from a program
# that stands for meshkeys.
bash --norc -c 'compgen -u' >"$scratch/users"
while read -r word; do
	# shellcheck disable=SC2086 # words
	case $("$meshkeys" help $word | sed '1s/\[--[^]]*]//g; q') in
	*' USER'* | *'[USER'*) ;;
	*) continue ;;
	esac
	# shellcheck disable=SC2086 # words
	set -- $word
	[ "$word" != import ] || set -- import alice.json
	offers "meshkeys $word: a user" root "$meshkeys" "$@" --debug roo
done <"$scratch/words"
for option in --way-in --login; do
	cp "$scratch/users" "$scratch/want"
	[ "$option" != --way-in ] || echo console >>"$scratch/want"
	offered "$meshkeys" setup $option = >"$scratch/got"
	same "meshkeys setup $option: the users"
done
cat >"$scratch/bin/meshkeys" <<'END'
#!/bin/sh
echo "$*" >>"${0%/*}/asked-keys"
cat <<END_OF_LIST
{"fingerprint":"MAGE4-TTSKE-GUWIE-VQOOM-COTLF-QOI2A","x":"\$(touch one)"}
root  MAGE4-TTSKE-GUWIE-VQOOM-COTLF-QOI2B  \`touch two\`;touch three
END_OF_LIST
END
chmod 755 "$scratch/bin/meshkeys"
offers "meshkeys map remove: a user's fingerprints" "${u}A ${u}B" \
    "$scratch/bin/meshkeys" --root = /x map remove --gecos root M
offers "meshkeys map remove: one of them" '' \
    "$scratch/bin/meshkeys" map remove root "${u}A" ''
offers "meshkeys refresh: fingerprints" "${u}A ${u}B" \
    "$scratch/bin/meshkeys" refresh root MAGE
offers "meshkeys map add: no fingerprint is offered" '' \
    "$scratch/bin/meshkeys" map add root M
sort -u "$scratch/bin/asked-keys" >"$scratch/got"
{ echo "--root /x map list -- root"; echo "map list --"; } >"$scratch/want"
same "meshkeys: nothing but the map is asked"
sed -n '/^} settings\[] = {/,/^};/s/^	{ "\([a-z-]*\)".*/\1=/p' \
    "$srcdir/src/edge/policy.c" | sort >"$scratch/want"
offered "$meshkeys" map add root "${u}A" '' >"$scratch/got"
same "meshkeys map add: the options of a line of the map"
offers "meshkeys map add: no option within a value" '' \
    "$meshkeys" map add root "${u}A" portal = https : //p
offers "meshkeys import: a file" alice.json "$meshkeys" import al
offers "meshkeys import: one file" '' "$meshkeys" import alice.json root al
offers "meshkeys accept: then a file" alice.json "$meshkeys" accept root al
offers "meshkeys explain: then a key" alice.json "$meshkeys" explain root al
for option in --config --textfile --key; do
	offers "meshkeys $option: a file" alice.json "$meshkeys" $option al
done
mkdir data
offers "meshkeys --root: a directory" data "$meshkeys" --root ''
find . -type f ! -name alice.json >"$complaints"
verdict "meshkeys: what the map says is only text"

# meshportal.
"$meshportal" --help | options_in >"$scratch/want"
offered "$meshportal" -- >"$scratch/got"
same "meshportal: the options"
offers "meshportal: export" export "$meshportal" ''
offers "meshportal --data: a directory" data "$meshportal" --data ''
offers "meshportal export: a directory" data "$meshportal" export --data x d
offers "meshportal export: its options" "--data --debug --help" \
    "$meshportal" export --
cd /
finish
