#!/usr/bin/env python3
"""Strangers flood SIP over UDP and TCP while recorded calls are up: no call is harmed, memory and files do not grow, strangers get few answers.

    flood.py [--calls 50] [--seconds 6] [--rate 3000] [--seed 1]     --seconds 60 --rate 8000 is the long form

The same calls run once without the flood; what that run loses or has late on this machine the other may, too. Everything is on loopback.
"""
import argparse
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))
import centre as c  # noqa: E402

SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.40\r\ns=-\r\nc=IN IP4 127.0.0.40\r\nt=0 0\r\nm=audio 9 RTP/AVP 8\r\n"


def message(rnd, method, at):
    n = rnd.getrandbits(48)
    body = SDP if method == "INVITE" else ""
    auth = ""
    if method == "REGISTER" and rnd.random() < 0.5:
        auth = ('Authorization: Digest username="%d", realm="bench", nonce="%056x", uri="sip:bench", response="%032x", cnonce="a", nc=00000001, '
                'qop=auth, algorithm=MD5\r\n' % (rnd.randrange(10000), rnd.getrandbits(200), rnd.getrandbits(128)))
    return (f"{method} sip:{rnd.randrange(10000)}@bench SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK{n:x};rport\r\n"
            f"From: <sip:{rnd.randrange(10000)}@bench>;tag={n:x}\r\nTo: <sip:{rnd.randrange(10000)}@bench>\r\nCall-ID: {n:x}\r\nCSeq: 1 {method}\r\n"
            f"Contact: <sip:x@{at}>\r\n{auth}Max-Forwards: 70\r\nContent-Length: {len(body)}\r\n"
            + ("Content-Type: application/sdp\r\n" if body else "") + "\r\n" + body).encode()


def garbage(rnd, at):
    b = bytearray(message(rnd, "INVITE", at))
    kind = rnd.randrange(4)
    if kind == 0:
        return rnd.randbytes(rnd.randrange(1, 1400))
    if kind == 1:
        return bytes(b[:rnd.randrange(20, len(b))])
    for _ in range(rnd.randrange(1, 40)):
        b[rnd.randrange(len(b))] = rnd.randrange(256)
    return bytes(b)


class Udp(threading.Thread):
    """@rate messages a second from some source addresses, of which none is anybody's"""

    def __init__(self, to, rate, seconds, seed):
        super().__init__(daemon=True)
        self.to, self.rate, self.seconds, self.rnd = to, rate, seconds, random.Random(seed)
        self.socks = []
        for i in range(20):
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.bind((f"127.0.0.{40 + i}", 0))
            s.setblocking(False)
            self.socks.append(s)
        self.sent = self.sent_bytes = self.back = self.back_bytes = 0
        kinds = ["REGISTER", "INVITE", "OPTIONS", "ACK", "SUBSCRIBE", "garbage"]
        self.pool = []
        for s in self.socks: # made before, so that sending is all it does
            at = "%s:%d" % s.getsockname()
            self.pool.append([garbage(self.rnd, at) if k == "garbage" else message(self.rnd, k, at) for k in kinds for _ in range(25)])

    def take(self, s):
        try:
            while True:
                self.back_bytes += len(s.recv(65535))
                self.back += 1
        except OSError:
            pass

    def run(self):
        began = time.monotonic()
        while (now := time.monotonic() - began) < self.seconds:
            due = int(now * self.rate) - self.sent
            for _ in range(min(due, 500)):
                i = self.rnd.randrange(len(self.socks))
                m = self.rnd.choice(self.pool[i])
                try:
                    self.socks[i].sendto(m, self.to)
                    self.sent_bytes += len(m)
                except OSError:
                    pass
                self.sent += 1
            self.take(self.socks[self.sent % len(self.socks)])
            time.sleep(0.002)
        for s in self.socks:
            self.take(s)
            s.close()


class Tcp(threading.Thread):
    """connections that are opened and say nothing, half a head, a head and no body, or requests on and on"""

    def __init__(self, to, seconds, seed):
        super().__init__(daemon=True)
        self.to, self.seconds, self.rnd, self.opened, self.refused = to, seconds, random.Random(seed), 0, 0

    def run(self):
        began, conns = time.monotonic(), []
        while time.monotonic() - began < self.seconds:
            s = socket.socket()
            s.settimeout(0.2)
            s.bind((f"127.0.0.{60 + self.rnd.randrange(20)}", 0))
            try:
                s.connect(self.to)
                s.setblocking(False)
                m = message(self.rnd, self.rnd.choice(["REGISTER", "INVITE", "OPTIONS"]), "127.0.0.60:5060")
                s.send(self.rnd.choice([b"", m[:50], m[:-20], m * 5, self.rnd.randbytes(500)]) or b"I")
                self.opened += 1
                conns.append(s)
            except OSError:
                self.refused += 1
                s.close()
            if len(conns) > 300:
                conns.pop(self.rnd.randrange(len(conns))).close()
            if conns:
                try:
                    self.rnd.choice(conns).send(b"X: y\r\n") # slowly goes on
                except OSError:
                    pass
            time.sleep(0.005)
        for s in conns:
            s.close()


def of_process(pid):
    with open(f"/proc/{pid}/status") as f:
        rss = next(int(line.split()[1]) for line in f if line.startswith("VmRSS:"))
    return rss, len(os.listdir(f"/proc/{pid}/fd"))


def run(a, work, rtpload, flooded):
    out = subprocess.run([os.path.join(ROOT, "bench/serve"), "record", "1"], capture_output=True, text=True,
                         env={**os.environ, "SIP_PORT": str(a.port), "SIP_MORE": f"tcp:127.0.0.1:{a.port}"})
    assert out.returncode == 0, out.stderr
    said = dict(line.split("=", 1) for line in out.stdout.splitlines() if "=" in line)
    pid, to, floods, seen = int(said["pid"]), ("127.0.0.1", a.port), [], {}
    try:
        bench = subprocess.Popen([sys.executable, os.path.join(ROOT, "bench/sip_bench.py"), "hold", "--dest", "2000", "--conc", str(a.calls), "--rate", "25",
                                  "--window", str(a.seconds + 2), "--pid", str(pid), "--target", f"127.0.0.1:{a.port}", "--rtpload", rtpload,
                                  "--workdir", work, "--idle", "0.5"], stdout=subprocess.PIPE, text=True)
        time.sleep(0.5 + a.calls / 25 + 2.5) # they are up
        seen["before"] = of_process(pid)
        if flooded:
            floods = [Udp(to, a.rate, a.seconds, a.seed), Tcp(to, a.seconds, a.seed)]
            for f in floods:
                f.start()
            for f in floods:
                f.join()
        else:
            time.sleep(a.seconds)
        time.sleep(1)
        seen["after"] = of_process(pid)
        text, _ = bench.communicate(timeout=a.seconds + 120)
        assert bench.returncode == 0, text
        seen["bench"] = json.loads(text.splitlines()[-1])
        if flooded:
            seen["flood"] = {k: getattr(floods[0], k) for k in ("sent", "sent_bytes", "back", "back_bytes")} | {"tcp": floods[1].opened, "tcp_refused": floods[1].refused}
        return seen
    finally:
        os.kill(pid, 15)
        for _ in range(200):
            if not os.path.exists(f"/proc/{pid}"):
                break
            time.sleep(0.05)
        shutil.rmtree(said["dir"], ignore_errors=True)
        ring = f"/dev/shm/{os.path.basename(said['dir'])}.ring"
        if os.path.exists(ring):
            os.remove(ring)


def calls_are_unharmed_by_a_flood_of_strangers():
    c.need("sipp", "gcc")
    with tempfile.TemporaryDirectory() as work:
        rtpload = os.path.join(work, "rtpload")
        subprocess.run(["gcc", "-O2", "-o", rtpload, os.path.join(ROOT, "bench/rtpload.c")], check=True)
        quiet, loud = run(ARGS, work, rtpload, False), run(ARGS, work, rtpload, True)
    q, l, f = quiet["bench"], loud["bench"], loud["flood"]
    if ARGS.verbose:
        print(json.dumps({"quiet": quiet, "loud": loud}, indent=1))

    for key in ("e2e_lost", "late_over_100ms_pct", "delay_ms_p99"):
        print(f"{key}: {q['rtp'][key]} without, {l['rtp'][key]} with the flood, of {l['rtp']['e2e_expected']}")
    print(f"cpu_pct: {q['cpu_pct']} without, {l['cpu_pct']} with the flood")
    assert q["cpu_pct"] < 50, "something spins: the callers have no RTCP port, which must cost nothing"
    assert l["conc_up"] == ARGS.calls and l["calls_failed"] == 0, "a call failed"
    assert l["rtp"]["e2e_lost"] <= q["rtp"]["e2e_lost"] + l["rtp"]["e2e_expected"] // 20000, "sound was lost"
    print(f"memory {loud['before'][0]} -> {loud['after'][0]} kB, files {loud['before'][1]} -> {loud['after'][1]}")
    print(f"sent {f['sent']} messages ({f['sent_bytes']} bytes), {f['back']} answers ({f['back_bytes']} bytes); {f['tcp']} connections, {f['tcp_refused']} refused")
    assert f["sent"] > 0.5 * ARGS.rate * ARGS.seconds, "the flood was no flood"
    assert f["back_bytes"] <= 1.5 * f["sent_bytes"]
    assert loud["after"][1] <= loud["before"][1] + 10, "files grow"
    assert loud["after"][0] - loud["before"][0] <= max(2 * (quiet["after"][0] - quiet["before"][0]), 0) + 40000, "memory grows"


def main():
    global ARGS
    p = argparse.ArgumentParser()
    p.add_argument("--calls", type=int, default=50)
    p.add_argument("--seconds", type=float, default=6)
    p.add_argument("--rate", type=int, default=3000)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--port", type=int, default=25160)
    p.add_argument("--verbose", action="store_true")
    ARGS = p.parse_args()
    c.run_tests([calls_are_unharmed_by_a_flood_of_strangers])


main()
