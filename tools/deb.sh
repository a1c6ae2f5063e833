#!/bin/bash
# Builds huawu_VERSION_ARCH.deb into $1 (default: build/deb). The same sources give the same bytes: the version is that of
# src/base/version.h, every time stamp that of the last commit. Needs what `make build` needs, and the page in web/dist.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-build/deb}
command -v dpkg-shlibdeps >/dev/null || { echo "deb: install the package dpkg-dev first" >&2; exit 1; }
work=${BUILD:-build}
version=$(sed -n 's/^#define HUAWU_VERSION "\(.*\)"$/\1/p' src/base/version.h)
arch=$(dpkg --print-architecture)
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y src/base/version.h)}
export LC_ALL=C.UTF-8 TZ=UTC
[ -f web/dist/index.html ] || { echo "deb: the page is not built; 'make deb' does it" >&2; exit 1; }

cmake -G Ninja -S . -B "$work" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DHW_G729=OFF -DHW_SANITIZE= -DHW_FUZZ=OFF >/dev/null
ninja -C "$work" -j "${J:-2}" --quiet huawu >&2

root=$work/package
rm -rf "$root"
install -d "$root/DEBIAN" "$root/usr/bin" "$root/etc/huawu" "$root/lib/systemd/system" "$root/usr/share/man/man1" "$root/usr/share/doc/huawu"
# The symbols go beside the package: a crash's addresses can be read with them, and nobody installs 40 MB.
objcopy --only-keep-debug --compress-debug-sections "$work/huawu" "$work/huawu.debug"
objcopy --strip-all --remove-section=.comment --add-gnu-debuglink="$work/huawu.debug" "$work/huawu" "$root/usr/bin/huawu"
chmod 755 "$root/usr/bin/huawu"
install -m 644 deploy/huawu.ini "$root/etc/huawu/huawu.ini"
sed -e 's|^# /etc/systemd/.*|# Change it with: systemctl edit huawu|' -e 's|/usr/local/bin/huawu|/usr/bin/huawu|' deploy/huawu.service >"$root/lib/systemd/system/huawu.service"
chmod 644 "$root/lib/systemd/system/huawu.service"
install -m 644 deploy/deb/copyright "$root/usr/share/doc/huawu/copyright"
install -m 755 deploy/deb/postinst deploy/deb/prerm deploy/deb/postrm "$root/DEBIAN/"
echo /etc/huawu/huawu.ini >"$root/DEBIAN/conffiles"

commands=$("$work/huawu" help | sed -n 's/^  \([a-z-]*\)  *\(.*\)$/.TP\n.B \1\n\2/p' | sed 's/-/\\-/g')
awk -v c="$commands" -v v="$version" -v d="$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%d)" \
	'/^@COMMANDS@$/ { print c; next } { gsub(/@VERSION@/, v); gsub(/@DATE@/, d); print }' deploy/deb/huawu.1 |
	gzip -9n >"$root/usr/share/man/man1/huawu.1.gz"
printf 'huawu (%s) bookworm; urgency=medium\n\n  * See the log of the source repository.\n\n -- The Huawu developers <developers@huawu.invalid>  %s\n' \
	"$version" "$(date -u -R -d "@$SOURCE_DATE_EPOCH")" | gzip -9n >"$root/usr/share/doc/huawu/changelog.gz"

# dpkg-shlibdeps wants a source package's control file.
mkdir -p "$work/shlibs/debian"
printf 'Source: huawu\n\nPackage: huawu\nArchitecture: any\nDepends: ${shlibs:Depends}\n' >"$work/shlibs/debian/control"
depends=$(cd "$work/shlibs" && dpkg-shlibdeps -O -e"../package/usr/bin/huawu" 2>"../shlibs.log" | sed -n 's/^shlibs:Depends=//p')
[ -n "$depends" ] || { cat "$work/shlibs.log" >&2; exit 1; }
size=$(du -sk --apparent-size --exclude=DEBIAN "$root" | cut -f1)
sed -e "s/@VERSION@/$version/" -e "s/@ARCH@/$arch/" -e "s/@SIZE@/$size/" -e "s/@DEPENDS@/$depends/" deploy/deb/control >"$root/DEBIAN/control"
(cd "$root" && find . -path ./DEBIAN -prune -o -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
chmod -R go-w "$root"
find "$root" -type d -exec chmod 755 {} +
find "$root" -newermt "@$SOURCE_DATE_EPOCH" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +

mkdir -p "$out"
deb=$out/huawu_${version}_$arch.deb
dpkg-deb --root-owner-group -Zxz --build "$root" "$deb" >/dev/null
cp "$work/huawu.debug" "$out/huawu_${version}_$arch.debug"
echo "$deb"
