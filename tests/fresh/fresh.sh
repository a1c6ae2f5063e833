#!/bin/bash
# What a stranger does, on a Debian 12 that has git, make and package sources and nothing else: clone, type the command.
#   sudo tests/fresh/fresh.sh [-k] [command]      the default command is `make test`; -k keeps the clone in there
# Not run by CI: it takes a debootstrap (package debootstrap) of its own, 300 MB, below /tmp/huawu-fresh. The base is kept
# packed, so the second time starts as fresh as the first. Only /proc and /dev are shared with the machine.
set -euo pipefail
repo=$(git -C "$(dirname "$0")" rev-parse --show-toplevel)
place=${FRESH:-/tmp/huawu-fresh} suite=bookworm mirror=${MIRROR:-http://deb.debian.org/debian}
keep=false
if [ "${1:-}" = -k ]; then keep=true; shift; fi
command=${*:-make test}
root=$place/root
mkdir -p "$place"

if [ ! -f "$place/base.tar" ]; then
	debootstrap --variant=minbase --include=git,make,ca-certificates "$suite" "$place/base" "$mirror" >"$place/debootstrap.log"
	tar -C "$place/base" -cf "$place/base.tar" . && rm -rf "$place/base"
fi

unmount() {
	# What a test that was cut short left: network namespaces are mounts.
	for m in "$root"/run/netns/* "$root/run/netns"; do
		if mountpoint -q "$m"; then umount "$m"; fi
	done
	for m in dev proc; do
		if mountpoint -q "$root/$m"; then umount -R "$root/$m"; fi
	done
}
trap unmount EXIT
unmount
if ! $keep || [ ! -d "$root/root/huawu" ]; then
	rm -rf --one-file-system "$root"
	mkdir "$root"
	tar -C "$root" -xf "$place/base.tar"
	cp /etc/resolv.conf "$root/etc/resolv.conf"
	cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt" # a proxy's CA may be in it
	git clone -q --no-hardlinks "$repo" "$root/root/huawu"
fi
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --make-rslave "$root/dev"

env -i HOME=/root TERM="${TERM:-dumb}" PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
	NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt CI="${CI:-}" \
	chroot "$root" /bin/bash -c "cd /root/huawu && time $command"
