#!/bin/bash
# Installs what Huawu needs on Debian 12: `tools/setup.sh build|run|test` (each includes the ones before it).
# Asks the package database each time (a tenth of a second) and is quiet when nothing is missing. Run from anywhere.
set -euo pipefail
cd "$(dirname "$0")/.."

group=${1:-run}
case $group in
build) groups='^build$' ;;
run) groups='^(build|run)$' ;;
test) groups='^(build|run|test)$' ;;
*) echo "usage: tools/setup.sh build|run|test" >&2; exit 2 ;;
esac

NODE_MIN=20.19
LOCAL_NODE=.local/node/node_modules/node/bin/node

log=$(mktemp)
trap 'rm -f "$log"' EXIT

say() { echo "setup: $*" >&2; }

installed() { # names the packages among $@ that are fully installed
	dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^ii  *//p' | sort -u
}

install_packages() {
	local missing sudo=
	missing=$(comm -23 <(printf '%s\n' "$@" | sort -u) <(installed "$@"))
	[ -z "$missing" ] && return
	if [ "$(id -u)" != 0 ]; then
		command -v sudo >/dev/null || { say "packages are missing; as root: apt-get install --no-install-recommends" $missing; exit 1; }
		sudo=sudo
	fi
	say "installing Debian packages:" $missing
	$sudo env DEBIAN_FRONTEND=noninteractive bash -euc '
		apt-get -qq -o DPkg::Lock::Timeout=300 update
		apt-get -qq -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 install --no-install-recommends "$@"
	' apt $missing >"$log" 2>&1 || { cat "$log" >&2; say "apt-get failed"; exit 1; }
}

node_is_new_enough() { # $1: a node program
	local version
	version=$("$1" --version 2>/dev/null) || return 1
	printf '%s\n%s\n' "$NODE_MIN" "${version#v}" | sort -V -C
}

# The page is built with Node.js. Debian 12 has 18: then npm's own `node` package, which carries the binary, goes to .local/.
setup_node() {
	if [ -x "$LOCAL_NODE" ] && node_is_new_enough "./$LOCAL_NODE"; then
		command -v npm >/dev/null && return
	elif command -v npm >/dev/null && node_is_new_enough node; then
		return
	fi
	command -v npm >/dev/null || install_packages nodejs npm
	node_is_new_enough node && return
	say "installing Node.js 22 from npm into .local/ (this machine has $(node --version 2>/dev/null || echo none))"
	mkdir -p .local/node
	npm install --prefix .local/node --no-fund --no-audit --loglevel=error node@22 >/dev/null
	node_is_new_enough "./$LOCAL_NODE" || { say "npm's node package gave no usable Node.js"; exit 1; }
}

[ -f /etc/debian_version ] || say "this is not Debian; package names may differ"
install_packages $(awk -v g="$groups" '!/^#/ && NF >= 2 && $2 ~ g { print $1 }' tools/packages.txt)
setup_node
