# shellcheck shell=sh
# SPDX-License-Identifier: ISC
# Read by refresh: a watcher of all its profiles at an honest portal.  What
# it costs while nothing happens, and how soon a deletion is in force.
# shellcheck disable=SC2154 # what refresh sets

helper=${MK_BUILDDIR:-$MK_SRCDIR}/mesh-authorized-keys

start_portal() {
	python3 "$MK_SRCDIR/tests/e2e/portal.py" --dir "$sets" \
	    --every 3600 --ready "$t/ready" "$ip:0" 2>"$t/portal.err" &
	started="$started $!"
	tries=0
	until [ -s "$t/ready" ]; do
		tries=$((tries + 1))
		[ $tries -lt 200 ] || die "no portal: $(cat "$t/portal.err")"
		sleep 0.1
	done
	portal=http://$(head -n 1 "$t/ready")
}

# tree PID: it and what it started.
tree() {
	# shellcheck disable=SC2013 # they are words of one line
	for child in $(cat "/proc/$1/task/$1/children"); do
		tree "$child"
	done
	echo "$1"
}

# ticks PID...: of the processor, so far
ticks() {
	# shellcheck disable=SC2046 # no blanks in these names
	sed 's/.*) //' $(printf '/proc/%s/stat ' "$@") |
	    awk '{ n += $12 + $13 } END { print n }'
}

start_watcher() {
	host "$fast/watched" "$portal" "$profiles"
	watched=$fast/watched
	"$refresher" --root "$watched" --watch 2>"$t/watch.err" &
	watcher=$!
	started="$started $watcher"
}

# Once each set is here and the first minute's work is over.
wait_settled() {
	tries=0
	while [ "$(find "$watched/var/lib/meshkeys" -name '*.keys' |
	    wc -l)" -lt "$1" ]; do
		tries=$((tries + 1))
		[ $tries -lt 300 ] ||
		    die "the watcher fetches nothing:" \
		    "$(tail -n 1 "$t/watch.err")"
		sleep 1
	done
	sleep 20
}

# What it costs to wait, in steps of 10 s.
watch_idle() {
	pids=$(tree "$watcher")
	# shellcheck disable=SC2086 # numbers
	for k in $(seq 0 10 "$idle"); do
		ticks $pids
		[ "$k" -eq $((idle / 10 * 10)) ] || sleep 10
	done >"$t/ticks"
	awk -v tick="$(getconf CLK_TCK)" -v profiles="$profiles" '
	{ x[NR] = $1 }
	END {
		for (i = 2; i <= NR; i++) {
			d = x[i] - x[i - 1]
			if (d > most)
				most = d
			if (d > tick / 50)
				busy++
		}
		s = (NR - 1) * 10
		printf "\nan idle watcher of %d profiles: %.2f s of the " \
		    "processor in %d s, %.3f%%;\nover 20 ms in %d of %d " \
		    "spans of 10 s, most in one %.2f s\n", profiles,
		    (x[NR] - x[1]) / tick, s, (x[NR] - x[1]) / tick / s * 100,
		    busy, NR - 1, most / tick
	}' "$t/ticks"
	printf 'peak RSS of its processes:'
	for pid in $pids; do
		awk '/^VmHWM:/ { printf " %d", $2 }' "/proc/$pid/status"
	done
	echo ' KiB'
}

# alice_set K: without her first K devices, which are deleted.
alice_set() {
	set -- "$1" "$(date -u -d "@$((day_ago + $1))" +%FT%TZ)"
	deleted=$(seq -f '--delete device%.0f' 0 $(($1 - 1)))
	# shellcheck disable=SC2086 # options
	"$build/tests/mkset/mkset" --seed alice \
	    --devices $((deletions + 1)) $deleted --updated "$2" \
	    --master-updated "$(date -u -d "@$day_ago" +%FT%TZ)" \
	    --out "$fast/alice/$1.json" --print udf
}

tell_portal() {
	curl -qsS -d '' -o /dev/null "$portal/control/publish"
}

milliseconds() {
	echo $(($(date +%s%N) / 1000000))
}

# How long after the rename the key is no longer hers.
time_deletion() {
	begun=$(milliseconds)
	mv "$fast/alice/$(($1 + 1)).json" "$sets/$alice.json"
	tell_portal
	# shellcheck disable=SC2086 # type and base64
	while [ -n "$("$helper" --root "$watched" alice $2 2>/dev/null)" ]; do
		[ $(($(milliseconds) - begun)) -lt 60000 ] ||
		    die "deletion $1 is not in force after a minute"
		sleep 0.01
	done
	echo $(($(milliseconds) - begun))
}

# At moments that have nothing to do with those of the polls.
pause() {
	# shellcheck disable=SC2046 # a number
	set -- $(od -An -N2 -tu2 /dev/urandom)
	sleep "$(awk -v n="$1" 'BEGIN { print 0.2 + n / 65536 * 1.5 }')"
}

time_deletions() {
	day_ago=$(($(date +%s) - 86400))
	mkdir "$fast/alice"
	for k in $(seq 0 "$deletions"); do
		alice=$(alice_set "$k")
	done
	mv "$fast/alice/0.json" "$sets/$alice.json"
	tell_portal
	echo "alice $alice" >>"$watched/etc/meshkeys/map"
	wait_settled $((profiles + 1))
	for k in $(seq 0 $((deletions - 1))); do
		offered=$("$build/tests/mkset/mkset" --seed alice \
		    --devices $((deletions + 1)) --print "offer:device$k")
		# shellcheck disable=SC2086 # type and base64
		[ -n "$("$helper" --root "$watched" alice $offered)" ] ||
		    die "alice's device $k has no key before its deletion"
		time_deletion "$k" "$offered"
		pause
	done >"$t/deletions"
}

print_deletions() {
	sort -n "$t/deletions" | awk '
	{ x[NR] = $1; n[int($1 / 100)]++ }
	END {
		printf "\n%d deletions at the portal, until the key is " \
		    "refused: median %d ms, max %d ms\n", NR,
		    x[int((NR + 1) / 2)], x[NR]
		for (i = int(x[1] / 100); i <= int(x[NR] / 100); i++) {
			printf "%5d ms %4d ", i * 100, n[i]
			for (k = 0; k < n[i]; k++)
				printf "#"
			print ""
		}
	}'
	slowest=$(sort -n "$t/deletions" | tail -n 1)
	printf '\n%-44s  %-42s  %s\n' "claim" "measured" "holds"
	verdict "a deletion is in force within 2 s" "$slowest ms at most" \
	    "$slowest < 2000"
}

watch_all() {
	[ $((idle + deletions)) -gt 0 ] || return 0
	start_portal
	start_watcher
	wait_settled "$profiles"
	[ "$idle" -lt 10 ] || watch_idle
	[ "$deletions" -eq 0 ] || {
		time_deletions
		print_deletions
	}
}
