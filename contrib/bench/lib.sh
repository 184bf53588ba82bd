# shellcheck shell=sh
# Read by run and login: what they say about two commands that ran in pairs.

# interval FILE A B: median, low and high of the differences between the
# columns A and B of a file of 'spawn -r', in microseconds.  Low and high
# are the 95% interval of the median by the signs: it supposes nothing
# about how the times are spread.
interval() {
	awk -v a="$2" -v b="$3" '{ print $a - $b }' "$1" | sort -n | awk '
	{ x[NR] = $1 }
	END {
		k = int(NR / 2 - 0.98 * sqrt(NR))
		if (k < 1)
			k = 1
		print x[int((NR + 1) / 2)], x[k], x[NR - k + 1]
	}'
}

# verdict CLAIM MEASURED CONDITION: a line of the table of claims, whether
# the condition, an expression of awk, is true.
verdict() {
	holds=$(awk "BEGIN { print ($3) ? \"yes\" : \"NO\" }")
	printf '%-44s  %-42s  %s\n' "$1" "$2" "$holds"
}

# ms MICROSECONDS
ms() {
	awk -v us="$1" 'BEGIN { printf "%.2f ms", us / 1000 }'
}

warn() {
	echo "warning: $*" >&2
}

die() {
	echo "$(basename "$0"): $*" >&2
	exit 70
}
