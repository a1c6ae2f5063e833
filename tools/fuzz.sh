#!/bin/bash
# Builds every fuzz/<name>_fuzz.c with clang's libFuzzer, ASan and UBSan, and runs it over fuzz/corpus/<name>/:
#   tools/fuzz.sh seconds N    N seconds each; new finds go to build-fuzz/corpus/<name>/
#   tools/fuzz.sh runs N       N runs each: a smoke test, seeded, finds nothing new by luck of the clock
# A crash is kept as build-fuzz/<name>-crash-*: put it into fuzz/corpus/<name>/ with the repair.
set -euo pipefail
cd "$(dirname "$0")/.."

case ${1:-} in
seconds) limit=(-max_total_time="${2:-30}") ;;
runs) limit=(-runs="${2:-5000}" -seed=1 -max_total_time=60) ;;
*) echo "usage: tools/fuzz.sh seconds|runs N" >&2; exit 2 ;;
esac

if ! compgen -G 'fuzz/*_fuzz.c' >/dev/null; then
	echo "no fuzz targets"
	exit 0
fi
CC=clang-14 CXX=clang++-14 cmake -G Ninja -S . -B build-fuzz -DHW_FUZZ=ON -DHW_TESTS=OFF >/dev/null
ninja -C build-fuzz -j "${J:-2}" --quiet fuzz

passed=0 failed=0
for source in fuzz/*_fuzz.c; do
	name=$(basename "$source" _fuzz.c)
	new=build-fuzz/corpus/$name log=build-fuzz/$name.log
	mkdir -p "$new" "fuzz/corpus/$name"
	if "build-fuzz/fuzz_$name" "${limit[@]}" -rss_limit_mb=2048 -timeout=10 -print_final_stats=1 \
		-artifact_prefix="build-fuzz/$name-" "$new" "fuzz/corpus/$name" >"$log" 2>&1; then
		passed=$((passed + 1))
		echo "ok    fuzz $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") runs"
	else
		failed=$((failed + 1))
		echo "FAIL  fuzz $name"
		tail -40 "$log" | sed 's/^/      | /'
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
