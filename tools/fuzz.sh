#!/bin/bash
# Builds every fuzz/<name>_fuzz.c with ASan and UBSan and runs it over fuzz/corpus/<name>/:
#   tools/fuzz.sh seconds N    led by coverage (clang's libFuzzer), N seconds each; new finds go to build-fuzz/corpus/<name>/
#   tools/fuzz.sh runs N       without clang, in build-asan: the corpus and N changed inputs, the same each time
# An input that ends the target is kept as <build>/<name>-crash-*: put it into fuzz/corpus/<name>/ with the repair.
set -euo pipefail
cd "$(dirname "$0")/.."

n=${2:-30}
case ${1:-} in
seconds)
	build=build-fuzz
	CC=clang-14 CXX=clang++-14 cmake -G Ninja -S . -B $build -DHW_FUZZ=ON -DHW_TESTS=OFF >/dev/null ;;
runs)
	build=build-asan
	cmake -G Ninja -S . -B $build -DHW_SANITIZE=address,undefined >/dev/null ;;
*) echo "usage: tools/fuzz.sh seconds|runs N" >&2; exit 2 ;;
esac
ninja -C $build -j "${J:-2}" --quiet fuzz

run() { # a target's name
	local new=$build/corpus/$1
	mkdir -p "$new" "fuzz/corpus/$1"
	if [ $build = build-fuzz ]; then
		$build/fuzz_"$1" -max_total_time="$n" -rss_limit_mb=2048 -timeout=10 -print_final_stats=1 -artifact_prefix="$build/$1-" "$new" "fuzz/corpus/$1"
	else
		$build/fuzz_"$1" "$n" "$build/$1-crash-with-length" "fuzz/corpus/$1"
	fi
}

passed=0 failed=0
for source in fuzz/*_fuzz.c; do
	name=$(basename "$source" _fuzz.c)
	log=$build/fuzz_$name.log
	if run "$name" >"$log" 2>&1; then
		passed=$((passed + 1))
		echo "ok    fuzz $name: $(grep -E 'changed ones|number_of_executed_units' "$log" | tail -1)"
	else
		failed=$((failed + 1))
		echo "FAIL  fuzz $name"
		tail -40 "$log" | sed 's/^/      | /'
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
