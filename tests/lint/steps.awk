# Finds the numbered list behind the words "The steps of a decision" and
# writes one item a line: its number and its words, single blanks between.
# Reads a C comment, mdoc (.Bl -enum) and Markdown (1. item).

function flush_item() {
	if (item != "")
		print item
	item = ""
}

function start_item(text) {
	flush_item()
	item = ++n
	add(text)
}

function add(text) {
	gsub(/"/, "", text)	# .Dq has none
	gsub(/[ \t]+/, " ", text)
	sub(/^ /, "", text)
	sub(/ $/, "", text)
	# Punctuation that mdoc sets as an argument of its own.
	if (text ~ /^[.,;:)]( |$)/)
		item = item text
	else if (text != "")
		item = item " " text
}

# A line of mdoc as people read it: no macros and escapes, and what those
# macros set that steps are likely to use.
function mdoc(s,   i, n, words, out, word, before, last) {
	gsub(/\\\(em|\\\[em\]/, "--", s)
	gsub(/\\\(aq/, "'", s)
	gsub(/\\&/, "", s)
	gsub(/\\-/, "-", s)
	gsub(/\\e/, "\\", s)
	if (s !~ /^\./)
		return s
	n = split(substr(s, 2), words, /[ \t]+/)
	for (i = 1; i <= n; i++) {
		word = words[i]
		if (word ~ /^[A-Z][a-z]$/) {
			before = opening(word)
			last = closing(word) last
			continue
		}
		if (word ~ /^[.,;:)]$/) {
			out = out last word
			last = ""
		} else if (word ~ /^[1-9]$/ && words[i - 2] == "Xr")
			out = out "(" word ")"
		else
			out = out (out == "" ? "" : " ") before word
		before = ""
	}
	return out last
}

function opening(macro) {
	return macro == "Fl" ? "-" : macro == "Sq" ? "'" : \
	    macro == "Pq" ? "(" : ""
}

function closing(macro) {
	return macro == "Sq" ? "'" : macro == "Pq" ? ")" : ""
}

FNR == 1 {
	is_mdoc = FILENAME ~ /\.[1-8]$/
	is_c = FILENAME ~ /\.c$/
}

done {
	next
}

!found {
	found = /The steps of a decision/
	next
}

is_mdoc && /^\.\\"/ {
	next
}

is_mdoc && /^\.It/ {
	start_item("")
	next
}

is_mdoc && /^\.El/ {
	done = 1
	next
}

is_mdoc {
	if (n)
		add(mdoc($0))
	next
}

is_c && /\*\// {
	done = 1
	next
}

is_c {
	sub(/^[ \t]*\*[ \t]?/, "")
}

# An item starts with its number, which must be the next one.
/^[ \t]*[0-9]+[.)][ \t]/ {
	number = $1 + 0
	sub(/^[ \t]*[0-9]+[.)][ \t]+/, "")
	gsub(/[`*]/, "")
	start_item($0)
	if (number != n)
		item = item " (numbered " number ")"
	next
}

# A blank line, or one that is not indented, ends the list.
/^[ \t]*$/ {
	done = n > 0
	next
}

n && /^[^ \t]/ {
	done = 1
	next
}

n {
	gsub(/[`*]/, "")
	add($0)
}

END {
	flush_item()
}
