#!/usr/bin/env python3
"""The Debian package: what is in it, whose, with which rights; it depends on what it links; the same sources give the same bytes.

That it installs, is upgraded and goes back is shown by `make deb-test` in a Debian of its own.
"""
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import centre as c  # noqa: E402

FILES = {
    "etc/huawu/huawu.ini": "-rw-r--r--", "lib/systemd/system/huawu.service": "-rw-r--r--", "usr/bin/huawu": "-rwxr-xr-x",
    "usr/share/doc/huawu/changelog.gz": "-rw-r--r--", "usr/share/doc/huawu/copyright": "-rw-r--r--", "usr/share/man/man1/huawu.1.gz": "-rw-r--r--",
}


def sh(*argv, **more):
    return subprocess.run(argv, check=True, capture_output=True, text=True, cwd=c.TOP, **more).stdout


def field(name):
    return sh("dpkg-deb", "-f", deb, name).strip()


def version():
    with open(os.path.join(c.TOP, "src/base/version.h")) as f:
        return re.search(r'#define HUAWU_VERSION "(.*)"', f.read())[1]


def these_files_are_in_it_and_no_others():
    got = {}
    for line in sh("dpkg-deb", "-c", deb).splitlines():
        mode, owner, _, _, _, name = line.split(None, 5)
        assert owner == "root/root", line
        if not name.endswith("/"):
            got[name.removeprefix("./")] = mode
    assert got == FILES, got
    assert sh("dpkg-deb", "-I", deb, "conffiles") == "/etc/huawu/huawu.ini\n"


def its_version_is_the_programs():
    assert field("Version") == version()
    assert sh(os.path.join(unpacked, "usr/bin/huawu"), "version").split()[1] == version()


def it_depends_on_every_library_that_it_links():
    needed = re.findall(r"NEEDED\s+(\S+)", sh("objdump", "-p", os.path.join(unpacked, "usr/bin/huawu")))
    depends = re.findall(r"([a-z0-9.+-]+)(?: \(.*?\))?", field("Depends"))
    assert {"libc6", "libsqlite3-0", "libmicrohttpd12", "adduser", "tzdata"} <= set(depends), depends
    for lib in needed:
        base = re.match(r"lib([a-z]+)", lib)
        if base and base[1] not in ("m", "c", "resolv", "crypto", "gcc", "stdc", "icuuc", "icui"):
            assert any(base[1] in d for d in depends), (lib, depends)


def its_unit_starts_what_is_installed_as_an_ordinary_user():
    with open(os.path.join(unpacked, "lib/systemd/system/huawu.service")) as f:
        unit = f.read()
    assert "ExecStart=/usr/bin/huawu serve --config /etc/huawu/huawu.ini\n" in unit and "\nUser=huawu\n" in unit and "/usr/local" not in unit
    with open(os.path.join(unpacked, "etc/huawu/huawu.ini")) as f:
        stop_s = int(re.search(r"^stop_s = (\d+)", f.read(), re.M)[1])
    assert int(re.search(r"^TimeoutStopSec=(\d+)", unit, re.M)[1]) > stop_s, "calls would be cut before stop_s"


def its_program_is_hardened():
    said = sh("readelf", "-lhdW", os.path.join(unpacked, "usr/bin/huawu"))
    assert "DYN (Position-Independent" in said and "GNU_RELRO" in said and "BIND_NOW" in said, said[:500]
    assert re.search(r"GNU_STACK.* RW ", said), "the stack may be executed"


def its_scripts_are_shell_without_mistakes():
    for name in ("postinst", "prerm", "postrm"):
        subprocess.run(["sh", "-n", os.path.join(c.TOP, "deploy/deb", name)], check=True)


def the_man_page_names_every_command():
    page = sh("zcat", os.path.join(unpacked, "usr/share/man/man1/huawu.1.gz"))
    for command in re.findall(r"^  ([a-z-]+) ", sh(c.HUAWU, "help"), re.M):
        assert "\n.B " + command.replace("-", "\\-") + "\n" in page, command


def the_same_sources_give_the_same_bytes():
    with open(deb, "rb") as f:
        first = f.read()
    build(os.path.join(where.name, "again"))
    with open(os.path.join(where.name, "again", os.path.basename(deb)), "rb") as f:
        assert f.read() == first


def build(out):
    p = subprocess.run(["tools/deb.sh", out], cwd=c.TOP, capture_output=True, text=True)
    assert p.returncode == 0, p.stdout[-3000:] + p.stderr[-3000:]
    return p.stdout.split()[-1]


c.need("dpkg-shlibdeps", "dpkg-deb", "objcopy", "ninja")
if not os.path.exists(os.path.join(c.TOP, "web/dist/index.html")):
    c.skip("the page is not built")
where = tempfile.TemporaryDirectory(prefix="huawu-deb.")
deb = build(os.path.join(where.name, "out"))
unpacked = os.path.join(where.name, "unpacked")
sh("dpkg-deb", "-x", deb, unpacked)
c.run_tests([these_files_are_in_it_and_no_others, its_version_is_the_programs, it_depends_on_every_library_that_it_links,
             its_unit_starts_what_is_installed_as_an_ordinary_user, its_program_is_hardened, its_scripts_are_shell_without_mistakes,
             the_man_page_names_every_command, the_same_sources_give_the_same_bytes])
