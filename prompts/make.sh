#!/bin/sh
# Speaks the texts of zh.txt and en.txt: make.sh TUNE OUT writes OUT/<language>/<name>.wav, OUT/music/1.wav and OUT/beep.wav,
# all 8 kHz mono PCM16. TUNE is the compiled tune.c. Needs espeak-ng and sox.
set -eu
cd "$(dirname "$0")"
tune=$1
out=$2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# Telephone band, silence cut at both ends, an even level, 60 ms of pause after it.
finish() {
	sox "$tmp/say.wav" -b 16 -r 8000 -c 1 -D "$tmp/done.wav" gain -6 silence 1 0.01 0.1% reverse silence 1 0.01 0.1% reverse \
		highpass 200 lowpass 3400 norm -6 pad 0.02 0.06
	mv "$tmp/done.wav" "$1"
}

speak() { # language, espeak-ng voice, words a minute, field with what to say
	mkdir -p "$out/$1"
	grep -v '^#' "$1.txt" | while IFS='|' read -r name text said; do
		[ "$4" = 3 ] || said=$text
		espeak-ng -v "$2" -s "$3" -w "$tmp/say.wav" "$said" </dev/null
		finish "$out/$1/$name.wav"
	done
}

speak zh cmn-latn-pinyin 150 3
speak en en 150 2
mkdir -p "$out/music"
"$tune" >"$out/music/1.wav"
sox -n -r 8000 -c 1 -b 16 -D "$out/beep.wav" synth 0.2 sine 1000 gain -10 fade t 0.005 0.2 0.005
