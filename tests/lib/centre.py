"""What whole-server tests share: a server on a folder of its own, its API, SIPp, baresip, tones in and out.

Every peer is independent of Huawu. All addresses are in 127.0.0.0/8; a test takes a port range of its own.
"""
import array
import glob
import json
import math
import os
import re
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.error
import urllib.parse
import urllib.request
import wave

from data import Data

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HUAWU = os.environ.get("HUAWU", os.path.join(TOP, "build", "huawu"))


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def need(*programs):
    for p in programs:
        if not shutil.which(p):
            skip(f"{p} is not installed")


def wait_for(what, check, limit=60, every=0.05):
    """the first true answer of check(), or an error after so many seconds, and never before a minute: what is late on a busy machine is not wrong"""
    limit = max(limit, 60)
    end = time.monotonic() + limit
    while True:
        got = check()
        if got:
            return got
        if time.monotonic() > end:
            raise AssertionError(f"waited {limit} s in vain for {what}")
        time.sleep(every)


def run_tests(tests):
    """each test once; the plain closing line"""
    passed = failed = 0
    for test in tests:
        try:
            test()
            passed += 1
            print(f"ok    {test.__name__}", flush=True)
        except Exception:
            failed += 1
            print(f"FAIL  {test.__name__}\n{traceback.format_exc()}", flush=True)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


# ---- the server ----

PASSWORD = "nur-ein-test-7"
BOSS = ("users", "boss", {"name": "管理员(示例)", "login": "boss", "role": "admin", "password": PASSWORD, "must_change_password": False})


class Refused(Exception):
    def __init__(self, status, body):
        self.status, self.body = status, body
        super().__init__(f"{status} {body}")


class Api:
    """one logged-in browser: cookie and CSRF as the page has them"""

    def __init__(self, base):
        self.base, self.cookie, self.csrf = base, None, None
        self.tls = ssl._create_unverified_context() if base.startswith("https") else None

    def call(self, method, path, body=None, headers=None, raw=False):
        data = None if body is None else json.dumps(body).encode()
        req = urllib.request.Request(self.base + "/api/v1" + path, data, headers or {}, method=method)
        if data is not None:
            req.add_header("Content-Type", "application/json")
        if self.cookie:
            req.add_header("Cookie", self.cookie)
        if self.csrf and method != "GET":
            req.add_header("X-Huawu-CSRF", self.csrf)
        try:
            with urllib.request.urlopen(req, timeout=15, context=self.tls) as r:
                text = r.read()
                for c in r.headers.get_all("Set-Cookie") or []:
                    self.cookie = c.split(";")[0]
        except urllib.error.HTTPError as e:
            raise Refused(e.code, e.read().decode(errors="replace")) from None
        if raw:
            return text
        return json.loads(text) if text else None

    def get(self, path, **query):
        return self.call("GET", path + ("?" + urllib.parse.urlencode(query) if query else ""))

    def post(self, path, body=None):
        return self.call("POST", path, {} if body is None else body)

    def log_in(self, login, password):
        self.csrf = self.post("/session", {"login": login, "password": password})["csrf"]
        return self

    def upload(self, resource, name, data):
        """a sheet in pieces as the page sends it; its id"""
        id = self.post("/sheets", {"resource": resource, "name": name})["id"]
        for at in range(0, len(data), 100000):
            req = urllib.request.Request(f"{self.base}/api/v1/sheets/{id}/data?offset={at}", data[at:at + 100000], method="POST",
                                         headers={"Cookie": self.cookie, "X-Huawu-CSRF": self.csrf})
            urllib.request.urlopen(req, timeout=15).read()
        return id

    def settled(self, id, limit=60):
        """what became of the sheet, once it is neither checked nor taken in"""
        def done():
            j = self.get(f"/sheets/{id}")
            return j["state"] not in ("checking", "running") and j
        return wait_for("the sheet", done, limit)


class Centre:
    """huawu serve on an own data folder and ports from @port on; @sip: its listeners, else UDP; @rtp: the address of its sound"""

    def __init__(self, port, options=(), sip=None, rtp="127.0.0.1", database=None):
        if not os.access(HUAWU, os.X_OK):
            skip(f"no program {HUAWU}")
        self.dir = tempfile.mkdtemp(prefix="huawu-test.")
        self.data = os.path.join(self.dir, "data")
        os.mkdir(self.data)
        self.sip, self.http = f"127.0.0.1:{port}", f"127.0.0.1:{port + 1}"
        self.url = f"http://{self.http}"
        self.ring = f"/dev/shm/{os.path.basename(self.dir)}.ring"
        self.command = [HUAWU, "serve", "--data", self.data, "--ring", self.ring, "--sip", ",".join(sip or [self.sip]), "--http", self.http, "--rtp-bind", rtp,
                        "--rtp-min", str(port + 100), "--rtp-max", str(port + 898), "--log", "info", *options]
        self.database = Data(self.data) if database is None else database
        self.command += self.database.options()
        self.process = None

    def __enter__(self):
        return self

    def __exit__(self, kind, value, tb):
        code = self.stop() if self.process else 0
        if os.path.exists(self.ring):
            os.remove(self.ring)
        if kind is None and code == 0:
            shutil.rmtree(self.dir, ignore_errors=True)
            self.database.drop()
        else:
            print(f"server's folder kept: {self.dir} (exit {code})")
            if self.process:
                with open(os.path.join(self.dir, "server.log"), errors="replace") as f:
                    print("".join(f.readlines()[-40:]))
        if kind is None and code != 0:
            raise AssertionError(f"the server ended with {code}")

    def start(self):
        self.log = open(os.path.join(self.dir, "server.log"), "ab")
        before = self.log.tell()
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

        def up():
            with open(self.log.name, errors="replace") as f:
                f.seek(before)
                text = f.read()
            assert self.process.poll() is None, "the server ended at start:\n" + text[-3000:]
            return "\nsip=" in text
        wait_for("the server", up, 20)

    def seed(self, *rows):
        """(resource, name, body) rows, before the start; "$name" in a later body is that row's id. Answers the rows by name."""
        text = json.dumps([{"resource": r, "as": n, "body": b} for r, n, b in rows])
        out = subprocess.run([HUAWU, "seed", "rows", "--db", self.database.url, "--key", os.path.join(self.data, "secrets.key")], input=text, text=True,
                             capture_output=True)
        assert out.returncode == 0, out.stderr
        return dict(zip([n for _, n, _ in rows], map(json.loads, out.stdout.splitlines())))

    def rows(self, sql, *args):
        """from the live database, as dicts"""
        return self.database.rows(sql, *args)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(45)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()
        return self.process.returncode

    def api(self, login, password):
        return Api(self.url).log_in(login, password)

    def boss(self):
        """BOSS, logged in as soon as the API answers"""
        def there():
            try:
                return self.api("boss", PASSWORD)
            except (OSError, Refused):
                return None
        return wait_for("the API", there)

    def killed(self):
        """BOSS after SIGKILL and another start"""
        self.process.kill()
        self.process.wait()
        self.log.close()
        time.sleep(0.2)
        self.start()
        return self.boss()


# ---- sound ----

RATE = 8000


def alaw_encode(v):
    """ITU-T G.711, 13 bits to 8"""
    v = max(-32768, min(32767, int(v))) >> 3
    sign = 0xD5 if v >= 0 else 0x55
    v = v if v >= 0 else ~v
    seg = max(0, v.bit_length() - 5)
    mant = (v >> 1) & 0xF if seg < 2 else (v >> seg) & 0xF
    return ((seg << 4) | mant) ^ sign


def alaw_decode(b):
    b ^= 0x55
    seg, mant = (b >> 4) & 7, b & 0xF
    v = (mant << 4) + 8 if seg == 0 else ((mant << 4) + 0x108) << (seg - 1)
    return v if b & 0x80 else -v


DECODE = [alaw_decode(b) for b in range(256)]


def tone_level(samples, hz, rate=RATE):
    """amplitude of one frequency in 16-bit samples (Goertzel), over the whole stretch"""
    n = len(samples)
    if not n:
        return 0.0
    w = 2 * math.pi * hz / rate
    c, s1, s2 = 2 * math.cos(w), 0.0, 0.0
    for x in samples:
        s1, s2 = x + c * s1 - s2, s1
    return 2 * math.sqrt(max(0.0, s1 * s1 + s2 * s2 - c * s1 * s2)) / n


def write_tone(path, hz, secs, amplitude=9000):
    with wave.open(path, "wb") as w:
        w.setnchannels(1)
        w.setsampwidth(2)
        w.setframerate(RATE)
        w.writeframes(array.array("h", (int(amplitude * math.sin(2 * math.pi * hz * i / RATE)) for i in range(RATE * secs))).tobytes())


def wav_alaw(data):
    """channels of a WAV file in A-law (format tag 6), as lists of samples; the module `wave` does not know it"""
    assert data[:4] == b"RIFF" and data[8:12] == b"WAVE", "not a WAV file"
    at, channels, body = 12, 0, b""
    while at + 8 <= len(data):
        name, size = data[at:at + 4], struct.unpack("<I", data[at + 4:at + 8])[0]
        if name == b"fmt ":
            tag, channels, rate = struct.unpack("<HHI", data[at + 8:at + 16])
            assert (tag, rate) == (6, RATE), f"format {tag}, {rate} Hz"
        elif name == b"data":
            body = data[at + 8:at + 8 + size]
        at += 8 + size + (size & 1)
    return [[DECODE[b] for b in body[c::channels]] for c in range(channels)]


class Rtp(threading.Thread):
    """A party's sound: sends a tone in PCMA to whoever sends to it, or to @to, and keeps what it hears."""

    def __init__(self, host, port, hz, amplitude=9000):
        super().__init__(daemon=True)
        self.sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((host, port))
        self.sock.setblocking(False)
        self.port = self.sock.getsockname()[1]
        self.hz, self.amplitude, self.to = hz, amplitude, None
        self.heard, self.packets, self.halt = bytearray(), 0, threading.Event()
        self.digits, self.event = "", None

    def take(self):
        while True:
            try:
                p, src = self.sock.recvfrom(2000)
            except (BlockingIOError, ConnectionRefusedError):
                return
            self.to = self.to or src
            if len(p) > 12 and p[0] == 0x80 and p[1] & 0x7F == 8:
                self.packets += 1
                self.heard += p[12:]
            if len(p) >= 16 and p[0] == 0x80 and p[1] & 0x7F == 101 and p[4:8] != self.event and p[12] < 16:
                self.event = p[4:8]  # RFC 4733: the timestamp names the event
                self.digits += "0123456789*#ABCD"[p[12]]

    def run(self):
        seq, due, w = 1, time.monotonic(), 2 * math.pi * self.hz / RATE
        while not self.halt.is_set():
            self.take()
            if self.to:
                body = bytes(alaw_encode(self.amplitude * math.sin(w * (seq * 160 + i))) for i in range(160))
                head = struct.pack("!BBHII", 0x80, 8, seq & 0xFFFF, seq * 160 & 0xFFFFFFFF, 0x5EED0000 + self.port)
                try:
                    self.sock.sendto(head + body, self.to)
                except OSError:
                    pass
            seq += 1
            due += 0.02
            time.sleep(max(0, due - time.monotonic()))

    def stop(self):
        self.halt.set()
        self.join()
        self.sock.close()

    def samples(self):
        return [DECODE[b] for b in self.heard]


# ---- peers ----

def bound(port):
    """whether a socket of this network has the local port"""
    for table in glob.glob("/proc/net/udp*") + glob.glob("/proc/net/tcp*"):
        with open(table) as f:
            if any(line.split()[1].endswith(f":{port:04X}") for line in f.readlines()[1:]):
                return True
    return False


class Sipp:
    """One SIPp with a scenario of tests/calls; its own log says when what happened: lines LETTER USER ... TIME."""

    def __init__(self, folder, name, scenario, args, media="127.0.0.9"):
        self.folder, self.name = folder, name
        cmd = ["sipp", "-sf", os.path.join(TOP, "tests", "calls", scenario), "-nostdin", "-timer_resol", "1", "-aa",
               "-trace_logs", "-log_file", f"{name}.log", "-trace_err", "-error_file", f"{name}.err", "-trace_msg",
               "-message_file", f"{name}.msg", "-mi", media, *map(str, args)]
        self.process = subprocess.Popen(cmd, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=open(os.path.join(folder, f"{name}.out"), "wb"))
        if "-p" in args:
            port = int(args[args.index("-p") + 1])
            wait_for(f"{name} at its port", lambda: bound(port) or self.process.poll() is not None)

    def events(self):
        """[(letter, user, seconds since 1970)]"""
        try:
            with open(os.path.join(self.folder, f"{self.name}.log"), errors="replace") as f:
                lines = [re.match(r"^([A-Z]) (\S+) \S+\s\S+\s(\d+\.\d+)$", x.strip()) for x in f]
        except OSError:
            return []
        return [(m[1], m[2], float(m[3])) for m in lines if m]

    def at(self, letter):
        return next((t for l, _, t in self.events() if l == letter), None)

    def wait(self, limit=60):
        return self.process.wait(limit)

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


BARESIP_CONFIG = """sip_listen {at}:{port}
{net}
module_path /usr/lib/baresip/modules
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
snd_path {dir}
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen {at}:{ctrl}
audio_source aufile,{dir}/tone.wav
audio_player aubridge,x
audio_alert aufile,{dir}/none.wav
ausrc_srate 8000
auplay_srate 8000
rtp_ports {rtp}-{rtp_end}
"""


class Baresip:
    """A desk phone: registers, answers by itself (or when told), plays a tone, keeps what it hears in *-dec.wav."""

    def __init__(self, folder, name, secret, server, port, host="127.0.0.5", hz=600, answers=True, transport="udp"):
        self.dir = os.path.join(folder, f"baresip-{name}")
        os.mkdir(self.dir)
        self.ctrl = (host, port + 5) # port + 1 is its TLS
        write_tone(os.path.join(self.dir, "tone.wav"), hz, 120)
        with open(os.path.join(self.dir, "config"), "w") as f:
            v6 = ":" in host
            f.write(BARESIP_CONFIG.format(at=f"[{host}]" if v6 else host, net="net_af ipv6" if v6 else f"net_interface {host}", port=port, ctrl=port + 5, dir=self.dir, rtp=port + 10, rtp_end=port + 60))
        with open(os.path.join(self.dir, "accounts"), "w") as f:
            f.write(f"<sip:{name}@{server};transport={transport}>;auth_user={name};auth_pass={secret};regint=60;"
                    f"answermode={'auto' if answers else 'manual'};audio_codecs=PCMA/8000/1\n")
        self.out = os.path.join(self.dir, "out.txt")
        self.process = subprocess.Popen(["baresip", "-f", self.dir], stdin=subprocess.DEVNULL, stdout=open(self.out, "wb"),
                                        stderr=subprocess.STDOUT)

    def said(self, text):
        with open(self.out, errors="replace") as f:
            return text in f.read()

    def command(self, command, params=""):
        """of its ctrl_tcp module, a netstring of JSON; what it answered"""
        text = json.dumps({"command": command, "params": params, "token": "t"})
        with socket.create_connection(self.ctrl, 5) as s:
            s.sendall(f"{len(text)}:{text},".encode())
            s.settimeout(2)
            try:
                return s.recv(4000)
            except socket.timeout:
                return b""

    def hang_up(self):
        got = self.command("hangup")
        assert b'"ok":true' in got or b"CALL_CLOSED" in got, got

    def heard(self):
        """samples of the last call"""
        files = sorted(glob.glob(os.path.join(self.dir, "dump-*-dec.wav")))
        if not files:
            return []
        with wave.open(files[-1]) as w:
            return array.array("h", w.readframes(w.getnframes())).tolist()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
