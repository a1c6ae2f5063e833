#!/bin/bash
# Our functions must not have the name of one of libre's: the program's would then be called by the library, silently.
# Only the timers do so on purpose (src/loop/tmr.c); http_reply is of libre's HTTP server, which nobody starts.
set -euo pipefail
HUAWU=${HUAWU:-build/huawu}
ours() { nm --defined-only --extern-only "$1" | awk '$2 == "T" { print $3 }' | sort -u; }
library() { nm -D --defined-only "$(ldd "$1" | awk -v l="$2" '$1 ~ "^" l { print $3 }')" | awk '{ print $3 }' | sed 's/@.*//' | sort -u; }
code=0
for lib in 'libre[.]' 'librem[.]' libmicrohttpd libjansson libsodium libopus libspandsp libspeexdsp; do
	both=$(comm -12 <(ours "$HUAWU") <(library "$HUAWU" "$lib" 2>/dev/null || true) | grep -v -E '^(tmr_|http_reply$|_|data_start$|edata$|end$)' || true)
	if [ -n "$both" ]; then
		echo "defined by us and by $lib:" $both
		code=1
	fi
done
[ $code = 0 ] && echo "no name of a library is taken"
exit $code
