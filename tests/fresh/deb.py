#!/usr/bin/env python3
"""The Debian package in a Debian 12 of its own: installs, starts as its unit says, takes calls for help, is upgraded with its data,
goes back, is removed, is purged.

    sudo tests/fresh/deb.py FOLDER        the package lies in FOLDER (make deb-test)

Not run by CI: it makes a second package from these sources with a higher version and one more migration, and a chroot from
fresh.sh's base. Servers run in a network namespace of the test, so that the shipped configuration is used as it is.
"""
import ctypes
import glob
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import centre as c  # noqa: E402

PLACE = os.environ.get("FRESH", "/tmp/huawu-fresh")
ROOT = os.path.join(PLACE, "deb-root")
NEWER = os.path.join(PLACE, "newer")
NEWER_VERSION = "9.9.9"
NS = f"huawu-deb-{os.getpid()}"
URL = "http://127.0.0.1:8443"
CLEAN = {"HOME": "/root", "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
libc = ctypes.CDLL(None, use_errno=True)
ours = os.open("/proc/self/ns/net", os.O_RDONLY)


def net(fd):
    assert libc.setns(fd, 0x40000000) == 0, os.strerror(ctypes.get_errno())


def inside(command, code=0, user=None):
    """one command in the chroot, on the host's network; its output"""
    argv = command if isinstance(command, list) else ["bash", "-c", command]
    if user:
        argv = ["runuser", "-u", user, "--", *argv]
    p = subprocess.run(["chroot", ROOT, *argv], env=CLEAN, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                       errors="replace", timeout=600)
    assert code is None or p.returncode == code, f"{command}: exit {p.returncode}\n{p.stdout[-4000:]}"
    return p.stdout


# ---- the two packages, the chroot ----

def package(folder, version=None):
    found = [f for f in glob.glob(os.path.join(folder, "huawu_*.deb")) if not version or f"_{version}_" in f]
    assert len(found) == 1, f"packages in {folder}: {found}"
    return found[0]


def build_newer():
    """the same sources with another version and one more table"""
    shutil.rmtree(os.path.join(NEWER, "src"), ignore_errors=True)
    os.makedirs(NEWER, exist_ok=True)
    files = subprocess.run(["git", "ls-files", "-z"], cwd=c.TOP, check=True, capture_output=True).stdout.split(b"\0")
    subprocess.run(["cp", "--parents", "-p", "-t", NEWER, *[f for f in files if f and os.path.exists(os.path.join(os.fsencode(c.TOP), f))]], cwd=c.TOP, check=True)
    shutil.copytree(os.path.join(c.TOP, "web/dist"), os.path.join(NEWER, "web/dist"), dirs_exist_ok=True)
    path = os.path.join(NEWER, "src/base/version.h")
    with open(path) as f:
        text = f.read()
    with open(path, "w") as f:
        f.write(re.sub(r'(#define HUAWU_VERSION ").*"', rf'\g<1>{NEWER_VERSION}"', text))
    with open(os.path.join(NEWER, "src/db/migrations/9999_newer.sql"), "w") as f:
        f.write("CREATE TABLE newer (id BIGINT PRIMARY KEY);\nINSERT INTO newer VALUES (1);\n")
    subprocess.run(["tools/deb.sh", "out"], cwd=NEWER, check=True, stdout=subprocess.DEVNULL, env=dict(os.environ, SOURCE_DATE_EPOCH=str(int(time.time()))))
    return package(os.path.join(NEWER, "out"), NEWER_VERSION)


def unmount():
    for m in ("dev", "proc"):
        path = os.path.join(ROOT, m)
        if os.path.ismount(path):
            subprocess.run(["umount", "-R", path], check=True)


def make_root(debs):
    unmount()
    subprocess.run(["rm", "-rf", "--one-file-system", ROOT], check=True)
    os.makedirs(ROOT)
    subprocess.run(["tar", "-C", ROOT, "-xf", os.path.join(PLACE, "base.tar")], check=True)
    shutil.copy("/etc/resolv.conf", ROOT + "/etc/resolv.conf")
    shutil.copy("/etc/ssl/certs/ca-certificates.crt", ROOT + "/etc/ssl/certs/ca-certificates.crt") # a proxy's CA may be in it
    for part in glob.glob("/etc/apt/apt.conf.d/*proxy*"):
        shutil.copy(part, ROOT + part)
    subprocess.run(["mount", "-t", "proc", "proc", ROOT + "/proc"], check=True)
    subprocess.run(["mount", "--rbind", "/dev", ROOT + "/dev"], check=True)
    subprocess.run(["mount", "--make-rslave", ROOT + "/dev"], check=True)
    for deb in debs:
        shutil.copy(deb, ROOT + "/root/")


# ---- the server, as the unit starts it ----

class Service:
    def __init__(self):
        with open(ROOT + "/lib/systemd/system/huawu.service") as f:
            unit = f.read()
        self.user = re.search(r"^User=(.*)$", unit, re.M)[1]
        self.command = shlex.split(re.search(r"^ExecStart=(.*)$", unit, re.M)[1])
        self.log = os.path.join(PLACE, "deb-server.log")

    def run(self):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(["chroot", f"--userspec={self.user}:{self.user}", ROOT, *self.command], env=CLEAN, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        return self

    def said(self):
        with open(self.log, errors="replace") as f:
            return f.read()

    def __enter__(self):
        net(theirs)
        self.run()

        def up():
            assert self.process.poll() is None, self.said()[-3000:]
            return re.search(r"^http=", self.said(), re.M)
        c.wait_for("the server", up, 20)
        return self

    def __exit__(self, kind, value, tb):
        self.process.terminate()
        code = self.process.wait(60)
        net(ours)
        if kind:
            print(self.said()[-3000:])
        else:
            assert code == 0, f"the server ended with {code}\n{self.said()[-3000:]}"


def options():
    """the status line of the answer to a SIP OPTIONS"""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        s.settimeout(3)
        me = "127.0.0.1:%d" % s.getsockname()[1]
        s.sendto((f"OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {me};branch=z9hG4bKdeb{time.time_ns()};rport\r\nMax-Forwards: 70\r\nFrom: <sip:t@{me}>;tag=1\r\n"
                  f"To: <sip:127.0.0.1>\r\nCall-ID: {time.time_ns()}@{me}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n").encode(), ("127.0.0.1", 5060))
        return s.recv(4000).split(b"\r\n")[0].decode()


def log_in(password):
    return c.Api(URL).log_in("admin", password)


PASSWORD = "right-horse-battery"
password = None


# ---- what it must do ----

def it_installs_with_what_it_needs():
    inside("apt-get -qq update")
    said = inside(f"apt-get -qq -y install --no-install-recommends ./root/{os.path.basename(old)}")
    assert "first password" in said and "huawu doctor" in said, said
    assert inside("stat -c '%U:%G %a' /var/lib/huawu /etc/huawu/huawu.ini").split("\n")[:2] == ["huawu:huawu 700", "root:huawu 640"]
    assert "huawu" in inside("getent passwd huawu") and "nologin" in inside("getent passwd huawu")
    assert inside("huawu version").strip() == "huawu " + re.search(r"_(.*)_", os.path.basename(old))[1]
    assert inside("dpkg --verify huawu") == ""


def it_starts_as_its_unit_says_and_answers():
    global password
    with Service() as s:
        password = re.search(r"password / 密码: (\S+)", s.said())[1]
        a = log_in(password)
        try:
            a.get("/users")
            raise AssertionError("the first password need not be changed")
        except c.Refused as e:
            assert "must_change_password" in e.body or e.status == 200, e.body
        a.post("/session/password", {"old": password, "new": PASSWORD})
        a = log_in(PASSWORD)
        a.post("/users", {"login": "zhang", "name": "张三(示例)", "role": "agent"})
        assert options() == "SIP/2.0 200 OK"
        with urllib.request.urlopen(URL + "/") as page:
            assert b"<!doctype html" in page.read().lower()
        # Nothing that it makes may be read by others of this machine.
        open_files = inside("find /var/lib/huawu /dev/shm/huawu-$(id -u huawu)-* -perm /077")
        assert open_files == "", open_files


def the_second_start_shows_no_password():
    with Service() as s:
        assert "password" not in s.said(), s.said()


def doctor_finds_no_error_in_a_fresh_installation():
    for user in (None, "huawu"):
        for running in (False, True):
            s = None
            net(theirs)
            try:
                if running:
                    s = Service().__enter__()
                r = json.loads(inside("huawu doctor --json --lang en", code=1, user=user))
            finally:
                if s:
                    s.__exit__(None, None, None)
                net(ours)
            assert r["errors"] == 0, (user, running, [x for x in r["checks"] if x["level"] == "error"])
            if running and not user:
                by = {x["id"]: x["found"] for x in r["checks"]}
                assert "our running server" in by["port.sip.udp"] and "our running server" in by["port.http"], by
                assert "/etc/huawu/huawu.ini" in by["conf.file"], by
    assert "话务体检" in inside("huawu doctor", code=1)
    before = inside("find /var/lib/huawu -type f | sort; stat -c '%n %Y %s' /var/lib/huawu/huawu.db")
    inside("huawu doctor", code=1)
    assert inside("find /var/lib/huawu -type f | sort; stat -c '%n %Y %s' /var/lib/huawu/huawu.db") == before, "it changed something"


def an_upgrade_keeps_data_configuration_and_a_copy():
    inside("echo '; mine' >>/etc/huawu/huawu.ini")
    inside(f"apt-get -qq -y install --no-install-recommends ./root/{os.path.basename(new)}")
    assert inside("huawu version").strip() == "huawu " + NEWER_VERSION
    assert inside("tail -1 /etc/huawu/huawu.ini; stat -c %a /etc/huawu/huawu.ini") == "; mine\n640\n"
    with Service() as s:
        assert "copy of the database kept" in s.said() and "9999_newer" in s.said(), s.said()
        a = log_in(PASSWORD)
        assert "zhang" in json.dumps(a.get("/users"))
        a.post("/users", {"login": "later", "name": "后来(示例)", "role": "agent"})
    assert "-before-9.9.9.db" in inside("ls /var/lib/huawu/backup")


def an_older_program_says_how_to_go_back_and_does():
    inside(["dpkg", "-i", "/root/" + os.path.basename(old)])
    net(theirs)
    s = Service().run()
    assert s.process.wait(30) != 0
    net(ours)
    assert "9999_newer" in s.said() and "huawu restore-db --data /var/lib/huawu" in s.said(), s.said()
    assert "9999_newer" in inside("huawu doctor --lang en", code=2)
    listed = inside("huawu restore-db --data /var/lib/huawu", user="huawu")
    copy = re.search(r"^  (/\S+)$", listed, re.M)[1]
    said = inside(["huawu", "restore-db", "--data", "/var/lib/huawu", copy], user="huawu")
    assert "in place again" in said
    with Service() as s:
        users = json.dumps(log_in(PASSWORD).get("/users"))
        assert "zhang" in users and "later" not in users, users
        assert options() == "SIP/2.0 200 OK"
    assert "huawu.db.replaced-" in inside("ls /var/lib/huawu")
    # And forward again.
    inside(["dpkg", "-i", "/root/" + os.path.basename(new)])
    with Service() as s:
        assert "zhang" in json.dumps(log_in(PASSWORD).get("/users"))


def a_copy_by_hand_under_a_running_server_may_be_restored_as_root():
    with Service():
        copy = inside("huawu backup-db").strip()
        assert copy.startswith("/var/lib/huawu/backup/") and inside(["stat", "-c", "%U %a", copy]) == "huawu 600\n"
        assert "stop the server" in inside(["huawu", "restore-db", copy], code=1)
    inside(["huawu", "restore-db", copy])
    with Service():
        log_in(PASSWORD)


def removal_keeps_data_and_purge_takes_it():
    assert "stay in /var/lib/huawu" in inside("apt-get -qq -y remove huawu")
    inside("test -f /var/lib/huawu/huawu.db && test -f /etc/huawu/huawu.ini && ! test -e /usr/bin/huawu")
    inside("apt-get -qq -y purge huawu")
    inside("! test -e /var/lib/huawu && ! test -e /etc/huawu && ! ls /dev/shm/huawu-$(id -u huawu)-*.ring 2>/dev/null")
    assert inside("dpkg -l huawu 2>&1", code=None).count("ii ") == 0


if os.getuid() or not os.path.exists(os.path.join(PLACE, "base.tar")):
    c.skip(f"wants root, and {PLACE}/base.tar, which tests/fresh/fresh.sh makes")
old = package(sys.argv[1])
new = build_newer()
subprocess.run(["ip", "netns", "add", NS], check=True)
subprocess.run(["ip", "-n", NS, "link", "set", "lo", "up"], check=True)
theirs = os.open(f"/run/netns/{NS}", os.O_RDONLY)
try:
    make_root([old, new])
    c.run_tests([it_installs_with_what_it_needs, it_starts_as_its_unit_says_and_answers, the_second_start_shows_no_password,
                 doctor_finds_no_error_in_a_fresh_installation, an_upgrade_keeps_data_configuration_and_a_copy,
                 an_older_program_says_how_to_go_back_and_does, a_copy_by_hand_under_a_running_server_may_be_restored_as_root,
                 removal_keeps_data_and_purge_takes_it])
finally:
    net(ours)
    unmount()
    subprocess.run(["ip", "netns", "del", NS])
