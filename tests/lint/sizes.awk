# Measures C in KNF: a function's body stands between a '{' and a '}' in
# the first column, its length is counted from the line of its type.
# Writes lines of tab-separated fields:
#   file PATH LINES COMMENT-LINES
#   function PATH LINE NAME LINES COMPLEXITY PARAMETERS
#   deep PATH LINE
#   wide PATH LINE COLUMNS

BEGIN {
	OFS = "\t"
	string = "^([^\"\\\\]|\\\\.)*\""
	character = "^([^'\\\\]|\\\\.)*'"
}

FNR == 1 {
	file_end()
	path = FILENAME
	commented = in_comment = in_macro = in_body = parens = 0
	signature = before = ""
}

{
	lines = FNR
	columns($0)
	code = strip($0)
	if (code ~ /^#/ || in_macro) {
		in_macro = code ~ /\\$/
		next
	}
	if (in_body)
		body_line()
	else
		outer_line()
}

END {
	file_end()
}

function file_end() {
	if (path != "")
		print "file", path, lines, commented
}

function columns(s,   i, at) {
	for (at = 0; (i = index(s, "\t")) > 0; s = substr(s, i + 1))
		at = int((at + i - 1) / 8 + 1) * 8
	at += length(s)
	if (at > 80)
		print "wide", path, FNR, at
}

# The line without comments, and with empty strings.
function strip(s,   out, token, i, had) {
	had = in_comment
	while (s != "") {
		if (in_comment) {
			i = index(s, "*/")
			if (i == 0)
				break
			in_comment = 0
			s = substr(s, i + 2)
		}
		if (!match(s, /\/\*|\/\/|"|'/)) {
			out = out s
			break
		}
		token = substr(s, RSTART, RLENGTH)
		out = out substr(s, 1, RSTART - 1)
		s = substr(s, RSTART + RLENGTH)
		if (token == "//") {
			had = 1
			break
		}
		if (token == "/*") {
			had = in_comment = 1
			continue
		}
		out = out token token
		if (!match(s, token == "\"" ? string : character))
			break
		s = substr(s, RLENGTH + 1)
	}
	commented += had
	sub(/[ \t]+$/, "", out)
	return out
}

function outer_line() {
	if (code == "{" && signature ~ /\)$/) {
		in_body = 1
		parens = 0
		before = "{"
		complexity = 1
	} else if (code == "" || code ~ /[;}]$/) {
		signature = ""
	} else {
		if (signature == "")
			start = FNR
		signature = signature (signature == "" ? "" : " ") code
	}
}

function body_line() {
	if (code == "}") {
		in_body = 0
		print "function", path, start, name(signature),
		    FNR - start + 1, complexity, parameters(signature)
		signature = ""
		return
	}
	if (code == "")
		return
	if (code ~ /^\t\t\t\t\t/ && parens == 0 && before ~ /[;{}:)]$/ ||
	    code ~ /^\t\t\t\t\t/ && before ~ /(^|[^a-z_])(else|do)$/)
		print "deep", path, FNR
	complexity += branches(code)
	parens += gsub(/\(/, "(", code) - gsub(/\)/, ")", code)
	before = code
}

# gsub() counts; what it puts in place is what was there.
function branches(s,   n) {
	s = " " s " "
	gsub(/[^A-Za-z0-9_&|?]/, "  ", s)
	n = gsub(/ (if|for|while|case) /, " ", s)
	return n + gsub(/&&/, "", s) + gsub(/\|\|/, "", s) + gsub(/\?/, "", s)
}

function name(s) {
	if (s ~ /^(START_TEST|END_TEST)/) {
		gsub(/^START_TEST\(|\)$/, "", s)
		return s
	}
	return match(s, /[A-Za-z_][A-Za-z0-9_]*\(/) ? \
	    substr(s, RSTART, RLENGTH - 1) : "?"
}

# Commas at the first level of parentheses, and one.
function parameters(s,   i, c, depth, n, last) {
	sub(/^[^(]*/, "", s)
	if (s ~ /^\( *(void)? *\)/)
		return 0
	for (i = 1; i <= length(s); i++) {
		c = substr(s, i, 1)
		if (c == "(")
			depth++
		else if (c == ")" && --depth == 0)
			break
		else if (c == "," && depth == 1)
			n++
	}
	return n + 1
}
