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

# What a word takes says the program: given all options at once it refuses
# the first that the word does not take, and does nothing.
for word in $words; do
	"$meshman" help "$word"
done >"$scratch/helps"
options_in <"$scratch/helps" >"$scratch/options"
grep -o -e '--[a-z][a-z-]* [A-Z][A-Z]*' "$scratch/helps" |
    sed 's/ .*//' | sort -u >"$scratch/with-value"
{ echo --portal; echo --json; } >>"$scratch/options"
sort -u -o "$scratch/options" "$scratch/options"

# as_given OPTION: it and its value, if it has one.
as_given() {
	if grep -qx -e "$1" "$scratch/with-value"; then
		echo "$1=x"
	else
		echo "$1"
	fi
}

# takes WORD OPTION
takes() {
	all=$(as_given "$2")
	while read -r other; do
		[ "$other" = "$2" ] || all="$all $(as_given "$other")"
	done <"$scratch/options"
	rc=0
	# shellcheck disable=SC2086 # words
	env XDG_DATA_HOME="$scratch/none" "$meshman" "$1" $all \
	    >"$scratch/out" 2>&1 </dev/null || rc=$?
	[ "$rc" -eq 64 ] || echo "meshman $1 $all: status $rc" >"$complaints"
	! grep -q "takes no option '$2'" "$scratch/out"
}

for word in $words; do
	{ echo --debug; echo --help; } >"$scratch/want"
	while read -r option; do
		! takes "$word" "$option" || echo "$option"
	done <"$scratch/options" >>"$scratch/want"
	"$meshman" help "$word" | options_in >"$scratch/told"
	sort -u "$scratch/want" | comm -13 - "$scratch/told" |
	    sed "s|^|'help $word' tells of what it does not take: |" \
	    >>"$complaints"
	sort -u "$scratch/told" "$scratch/general" >"$scratch/known"
	sort -u "$scratch/want" | comm -23 - "$scratch/known" |
	    sed "s|^|'help $word' does not tell of |" >>"$complaints"
	verdict "meshman help $word: its options"
	offered "$meshman" "/$word" -- >"$scratch/got"
	same "meshman /$word: its options"
done
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

# meshkeys.
commands=$("$meshkeys" --help |
    sed -n '/^commands/,/^$/s/^  \([a-z]*\) .*/\1/p')
{ echo "$commands"; echo help; } >"$scratch/want"
offered "$meshkeys" '' >"$scratch/got"
same "meshkeys: the commands"
echo "$commands" >"$scratch/want"
offered "$meshkeys" help '' >"$scratch/got"
same "meshkeys: the commands behind help"
"$meshkeys" --help | options_in >"$scratch/want"
offered "$meshkeys" -- >"$scratch/got"
same "meshkeys: the options"
for command in $commands; do
	{
		"$meshkeys" --help
		"$meshkeys" help "$command"
	} | options_in | grep -vx -e --version >"$scratch/want"
	offered "$meshkeys" --root / "$command" -- >"$scratch/got"
	same "meshkeys $command: the options"
done
offers "meshkeys import: a file" alice.json "$meshkeys" import al
offers "meshkeys accept: then a file" alice.json "$meshkeys" accept root al
offers "meshkeys --config: a file" alice.json "$meshkeys" --config al

# meshportal.
"$meshportal" --help | options_in >"$scratch/want"
offered "$meshportal" -- >"$scratch/got"
same "meshportal: the options"
offers "meshportal: export" export "$meshportal" ''
mkdir data
offers "meshportal --data: a directory" data "$meshportal" --data ''
offers "meshportal export: a directory" data "$meshportal" export --data x d
offers "meshportal export: its options" "--data --debug --help" \
    "$meshportal" export --
cd /
finish
