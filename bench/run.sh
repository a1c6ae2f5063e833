#!/bin/bash
# `make bench`: the three scenarios of README.md at a moderate size, the server on core 0, generators on core 1; prints a JSON
# object a run. RATE, CONC and CALLS make it larger; OVERLOAD=2400 offers that many recorded calls besides, twice what a core
# carries. Before recorded and queue calls comes the yardstick: a bare relay of as many calls, no more than recvfrom and sendto.
# Absolute figures move with the machine; the ratio of the two moves little.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d "${TMPDIR:-/tmp}/huawu-bench-run.XXXXXX")
pid=
stop() {
	[ -n "$pid" ] && kill "$pid" 2>/dev/null
	for _ in $(seq 50); do [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null && sleep 0.1; done
	pid=
	return 0
}
trap 'stop; rm -rf "$work"' EXIT

gcc -O2 -Wall -o "$work/rtpload" bench/rtpload.c
cores=$(nproc) pin=() gen=() on_gen=()
if [ "$cores" -ge 2 ]; then
	pin=(taskset -c 0) gen=(--gen-cpu 1) on_gen=(taskset -c 1)
fi

scenario() { # what agents mode options...
	local what=$1 agents=$2 mode=$3
	shift 3
	"${pin[@]}" bench/serve "$what" "$agents" >"$work/serve"
	pid=$(sed -n 's/^pid=//p' "$work/serve")
	python3 bench/sip_bench.py "$mode" --label "$what" --pid "$pid" --target "$(sed -n 's/^sip=//p' "$work/serve")" "${gen[@]}" \
		--workdir "$work" "$@"
	stop
	dir=$(sed -n 's/^dir=//p' "$work/serve")
	rm -rf "$dir" "/dev/shm/$(basename "$dir").ring"
}

yardstick() { # calls
	local load
	: >"$work/a"
	: >"$work/b"
	"${on_gen[@]}" "$work/rtpload" -o "$work/yardstick.json" -t 14 -a "127.0.0.3,30000,$work/a" -a "127.0.0.2,40000,$work/b" >/dev/null 2>&1 &
	load=$!
	"${pin[@]}" "${MEDIA_BENCH:-build/media_bench}" bare "$1" 10 "$work/a" "$work/b"
	kill "$load"
	wait "$load" || true
}

scenario bridge 1 rate --dest 1000 --rate "${RATE:-50}" --secs 10
yardstick "${CONC:-50}"
scenario record 1 hold --dest 2000 --conc "${CONC:-50}" --rate 15 --window 10 --rtpload "$work/rtpload"
yardstick "${QRATE:-20}" # as many talk at once in the queue's run
scenario queue 50 queue --dest q --rate "${QRATE:-20}" --calls "${CALLS:-200}" --talk 1000 --limit 30 --rtpload "$work/rtpload"
[ -z "${OVERLOAD:-}" ] || scenario record 1 hold --dest 2000 --conc "$OVERLOAD" --rate 150 --window 8 --rtpload "$work/rtpload"

# Campaigns: from the customer's 200 to the agent's ear, and days of pacing: talk and abandoned by agents and share of answers.
"${on_gen[@]}" python3 bench/dial_bench.py
build/huawu sim pacing --days "${DAYS:-2}"
build/huawu sim pacing --only ours --agents 84 --city 400 --calls 8000 --days 1 --list

# Search: CUSTOMERS=1000000 is the size that is promised, with twice as many notes.
"${FIND_BENCH:-build/find_bench}" "$work/find.db" "${CUSTOMERS:-100000}" "$((2 * ${CUSTOMERS:-100000}))"

# Customers: in from a sheet and out again, and lists of them by roles with different scopes.
python3 bench/import_bench.py --rows "${ROWS:-10000}"
python3 bench/list_bench.py --rows "${CUSTOMERS:-100000}"
