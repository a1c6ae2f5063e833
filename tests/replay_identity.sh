#!/bin/bash
# Decisions are the same bits everywhere: a day simulated by an optimised program, with a restart in the middle, is derived
# to the byte by the same program, by one built with -O0, and without the FMA and AVX2 variants of glibc's functions.
# replay_identity.sh [BUILD]: BUILD is an existing tree, or one to be made (default: build).
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

tree() { # tree DIR TYPE
	cmake -G Ninja -S . -B "$1" -DCMAKE_BUILD_TYPE="$2" -DHW_TESTS="$3" >/dev/null
	ninja -j2 -C "$1" day_tool >"$work/build.log" 2>&1 || { tail -20 "$work/build.log"; exit 1; }
}
tree "$build" RelWithDebInfo ON
tree build-O0 Debug OFF
grep -o '"command": "[^"]*acd/rank.c' build-O0/compile_commands.json | grep -q -- '-O[1-3]' && { echo "build-O0 is optimised"; exit 1; }

fast=$build/day_tool slow=build-O0/day_tool
plain=(env GLIBC_TUNABLES=glibc.cpu.hwcaps=-FMA,-AVX2,-AVX2_Usable,-FMA_Usable)
day=(day --calls 3000 --agents 40 --queues 3 --seed 7 --restart 200)
figures() { "$@" | sed 's/,"run_ms":[0-9]*//'; }

figures "$fast" "${day[@]}" --check --db "$work/fast.db" >"$work/fast" 2>/dev/null
figures "$slow" "${day[@]}" >"$work/slow"
figures "${plain[@]}" "$fast" "${day[@]}" >"$work/plain"
cmp "$work/fast" "$work/slow"
cmp "$work/fast" "$work/plain"
cat "$work/fast"
for how in "$fast" "$slow" "${plain[*]} $fast" "${plain[*]} $slow"; do
	$how replay --db "$work/fast.db" --check | tee "$work/replay"
	grep -q ' of 2 runs' "$work/replay"
done
echo "5 passed, 0 failed"
