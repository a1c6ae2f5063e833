#!/usr/bin/env python3
"""How long a customer who has answered hears nobody: from his 200 OK to the first packet of his sound at the agent's telephone, which stays
connected between calls. Prints a JSON object a mode.

    dial_bench.py [--agents 10] [--calls 200] [--port 19200]        the server: $HUAWU, or build/huawu

Carrier and telephones are in this process, on one thread: what it adds to a figure is its own waiting for a core (`own_ms_p99`: how late its timer is).
The customer's first packet leaves with his 200 OK, further ones every 20 ms; each holds marks, so that beeps and silence are not taken for him.
`ack_ms` is from the 200 OK to the server's ACK: what lies between that and the ear is the beep (80 ms) and the media. The yardstick (`relay_ms`) is a bare
relay in a process of its own, sent a packet every 10 ms in the same run: what this machine under this load does to a program that only passes on. `no_core_pct`: how
much of the time a thread of the server was ready and had no core.
"""
import argparse
import heapq
import json
import os
import re
import select
import socket
import struct
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "tests", "lib"))
from centre import Centre, wait_for  # noqa: E402

PASSWORD = "nur-ein-test-7"
RING_S, TALK_S, FRAME_S = 0.3, 1.0, 0.02


def header(text, name):
    m = re.search(rf"^{name}[ \t]*:[ \t]*(.*?)\r?$", text, re.M | re.I)
    return m[1] if m else ""


class Loop:
    def __init__(self):
        self.poll, self.read, self.due, self.n, self.late = select.epoll(), {}, [], 0, []

    def listen(self, sock, fn):
        sock.setblocking(False)
        self.read[sock.fileno()] = (sock, fn)
        self.poll.register(sock, select.EPOLLIN)

    def forget(self, sock):
        self.poll.unregister(sock)
        del self.read[sock.fileno()]
        sock.close()

    def at(self, when, fn):
        self.n += 1
        heapq.heappush(self.due, (when, self.n, fn))

    def run(self, until):
        while not until():
            now = time.monotonic()
            while self.due and self.due[0][0] <= now:
                when, _, fn = heapq.heappop(self.due)
                self.late.append(now - when)
                fn(when)
                now = time.monotonic()
            wait = max(0, min(0.05, self.due[0][0] - now)) if self.due else 0.05
            for fd, _ in self.poll.poll(wait):
                if fd in self.read:
                    sock, fn = self.read[fd]
                    try:
                        data, src = sock.recvfrom(4000)
                    except OSError:
                        continue
                    fn(data, src)


RELAY = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], int(sys.argv[2])))
while True:
    data, src = s.recvfrom(2000)
    s.sendto(data, src)
"""


class Yardstick:
    def __init__(self, loop, host, port):
        self.loop, self.to, self.ms, self.sent = loop, (host, port), [], {}
        self.process = subprocess.Popen([sys.executable, "-c", RELAY, host, str(port)])
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((host, 0))
        loop.listen(self.sock, self.back)
        loop.at(time.monotonic() + 1, self.send)

    def send(self, when):
        data = struct.pack("!I", len(self.sent) & 0xFFFFFFFF)
        self.sent[data] = time.monotonic()
        self.sock.sendto(data, self.to)
        self.loop.at(max(when + 0.01, time.monotonic()), self.send)

    def back(self, data, src):
        self.ms.append(1000 * (time.monotonic() - self.sent[data]))

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.loop.forget(self.sock)


class Call:
    """one dialog as the called side has it"""

    def __init__(self, place, invite):
        self.place, self.invite, self.id = place, invite, header(invite, "Call-ID")
        self.local = header(invite, "To") + f";tag=b{place.serial()}"
        self.rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.rtp.bind((place.host, 0))
        self.to = (re.search(r"c=IN IP4 (\S+)", invite)[1], int(re.search(r"m=audio (\d+)", invite)[1]))
        self.up = self.over = False
        self.ack = None
        place.loop.listen(self.rtp, self.heard)

    def sdp(self):
        h, p = self.place.host, self.rtp.getsockname()[1]
        return f"v=0\r\no=- 1 1 IN IP4 {h}\r\ns=-\r\nc=IN IP4 {h}\r\nt=0 0\r\nm=audio {p} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=ptime:20\r\n"

    def respond(self, code, req=None, body=""):
        self.place.respond(req or self.invite, code, self.local, body)

    def answer(self):
        self.up = True
        self.answered = time.monotonic()
        self.respond(200, body=self.sdp())

    def send(self, body, n):
        self.rtp.sendto(struct.pack("!BBHII", 0x80, 8, n & 0xFFFF, 160 * n & 0xFFFFFFFF, 0xABCD) + body, self.to)

    def bye(self):
        p = self.place
        target = re.search(r"<?(sip:[^>;\s]+)", header(self.invite, "Contact"))[1]
        p.send(f"BYE {target} SIP/2.0\r\nVia: SIP/2.0/UDP {p.host}:{p.port};branch=z9hG4bK{p.serial()}\r\nMax-Forwards: 70\r\nFrom: {self.local}\r\n"
               f"To: {header(self.invite, 'From')}\r\nCall-ID: {self.id}\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n")
        self.end()

    def end(self):
        if not self.over:
            self.over = True
            self.place.loop.forget(self.rtp)

    def heard(self, data, src):
        pass


class Place:
    """an address that is called"""

    def __init__(self, loop, host, port, server, kind):
        self.loop, self.host, self.port, self.server, self.kind = loop, host, port, server, kind
        self.calls, self.n = {}, 0
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((host, port))
        loop.listen(self.sock, self.take)

    def serial(self):
        self.n += 1
        return f"{self.port}x{self.n}"

    def send(self, text):
        self.sock.sendto(text.encode(), self.server)

    def respond(self, req, code, local, body=""):
        vias = "".join(f"Via: {v}\r\n" for v in re.findall(r"^Via[ \t]*:[ \t]*(.*?)\r?$", req, re.M | re.I))
        to = header(req, "To")
        self.send(f"SIP/2.0 {code} X\r\n{vias}From: {header(req, 'From')}\r\nTo: {to if 'tag=' in to else local}\r\nCall-ID: {header(req, 'Call-ID')}\r\n"
                  f"CSeq: {header(req, 'CSeq')}\r\nContact: <sip:x@{self.host}:{self.port}>\r\n{'Content-Type: application/sdp' + chr(13) + chr(10) if body else ''}"
                  f"Content-Length: {len(body)}\r\n\r\n{body}")

    def take(self, data, src):
        text = data.decode(errors="replace")
        method, call = text.split(" ", 1)[0], self.calls.get(header(text, "Call-ID"))
        if method == "INVITE" and not call:
            call = self.calls[header(text, "Call-ID")] = self.kind(self, text)
        elif method == "ACK" and call and call.up and call.ack is None:
            call.ack = time.monotonic() - call.answered
        elif method == "INVITE":
            call.respond(200 if call.up else 180, text, call.sdp() if call.up else "")
        elif method in ("BYE", "CANCEL") and call:
            call.respond(200, text)
            if method == "CANCEL":
                call.respond(487)
            call.end()
        elif method in ("OPTIONS", "UPDATE", "INFO", "BYE", "CANCEL"):
            self.respond(text, 200, header(text, "To") + ";tag=o")


class Customer(Call):
    """rings, answers, is heard, hangs up"""
    by_mark, mark_n = {}, 0

    def __init__(self, place, invite):
        super().__init__(place, invite)
        Customer.mark_n += 1
        self.mark = struct.pack("!Q", 0xC0DE000000000000 + Customer.mark_n)
        Customer.by_mark[self.mark] = self
        self.ear = None
        self.respond(180)
        place.loop.at(time.monotonic() + RING_S, self.picks_up)

    def picks_up(self, when):
        if not self.over:
            self.answer()
            self.speak(self.answered, 0)

    def speak(self, when, n=0):
        if self.over:
            return
        if when > self.answered + TALK_S:
            return self.bye()
        self.send(self.mark * 20, n)
        self.place.loop.at(when + FRAME_S, lambda w: self.speak(w, n + 1))


class Telephone(Call):
    """answers at once and stays"""

    def __init__(self, place, invite):
        super().__init__(place, invite)
        self.answer()

    def heard(self, data, src):
        c = Customer.by_mark.get(data[12:20])
        if c and c.ear is None:
            c.ear = time.monotonic() - c.answered


def waited(pid):
    """ns that each kind of thread has stood ready and had no core, by its name (proc(5), schedstat)"""
    out = {}
    for t in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{t}/comm") as c, open(f"/proc/{pid}/task/{t}/schedstat") as f:
            name = c.read().strip()
            out[name] = out.get(name, 0) + int(f.read().split()[1])
    return out


def run(mode, a):
    base = a.port
    s = Centre(base, ["--rtp-min", str(base + 100), "--rtp-max", str(base + 290), "--log", "warn"])
    rows = [("trunks", "t", {"name": "carrier", "host": "127.0.0.3", "port": base + 60}),
            ("users", "boss", {"name": "班长(示例)", "login": "boss", "password": PASSWORD, "role": "admin", "must_change_password": False}),
            ("campaigns", "c", {"name": "bench", "mode": mode, "hours": "00:00-24:00", "basis": "consent", "basis_text": "form", "wrapup_s": 0, "limit_permille": 30, "beep": not a.no_beep})]
    for n in range(a.agents):
        rows += [("users", f"u{n}", {"name": f"坐席(示例){n}", "login": f"agent{n}", "extension": str(8000 + n), "password": PASSWORD, "must_change_password": False}),
                 ("devices", f"d{n}", {"name": f"d{n}", "user_id": f"$u{n}", "kind": "static", "static_uri": f"sip:d{n}@127.0.0.2:{base + 62}"}),
                 ("campaign_agents", f"a{n}", {"campaign_id": "$c", "user_id": f"$u{n}"})]
    for i in range(a.calls):
        rows.append(("customers", f"k{i}", {"name": f"客户(示例){i}", "phones": [{"number": f"+86138{i:08d}"}]}))
    with s:
        made = s.seed(*rows)
        s.database.execute("UPDATE calling_windows SET hours = NULL, days = NULL")
        s.start()
        loop, at = Loop(), ("127.0.0.1", base)
        Customer.by_mark = {}
        places = [Place(loop, "127.0.0.3", base + 60, at, Customer), Place(loop, "127.0.0.2", base + 62, at, Telephone)]
        yardstick = Yardstick(loop, "127.0.0.2", base + 64)
        boss = s.api("boss", PASSWORD)
        for n in range(a.agents):
            s.api(f"agent{n}", PASSWORD).post("/desk/login", {"device": f"d{n}", "ready": True})
        path = f"/campaigns/{made['c']['id']}"
        boss.post(path + "/leads", {"ids": [made[f"k{i}"]["id"] for i in range(a.calls)], "count": a.calls})
        wait_for("the leads", lambda: not boss.get(path + "/job")["running"], 60)
        before, began = waited(s.process.pid), time.monotonic()
        boss.post(path + "/start")
        end = time.monotonic() + a.seconds
        loop.run(lambda: time.monotonic() > end or (len(Customer.by_mark) >= a.calls and all(c.over for c in Customer.by_mark.values())))
        boss.post(path + "/stop")
        more = time.monotonic() + 3
        loop.run(lambda: time.monotonic() > more)
        done = list(Customer.by_mark.values())
        after, took = waited(s.process.pid), time.monotonic() - began
        no_core = {k: round(v / 1e7 / took, 1) for k, v in ((k, v - before.get(k, 0)) for k, v in after.items()) if v / 1e7 / took >= 0.5}
        s.process.terminate()
        loop.run(lambda: s.process.poll() is not None)
        for p in places:
            loop.forget(p.sock)
        yardstick.stop()
    up = [c for c in done if c.up]
    ear = sorted(1000 * c.ear for c in up if c.ear is not None)
    ack, late, relay = sorted(1000 * c.ack for c in up if c.ack is not None), sorted(1000 * x for x in loop.late), sorted(yardstick.ms)
    pick = lambda v, q: round(v[min(len(v) - 1, int(q * len(v)))], 1) if v else None  # noqa: E731
    print(json.dumps({"bench": "to_ear", "mode": mode, "beep": not a.no_beep, "agents": a.agents, "answered": len(up), "heard": len(ear), "ear_ms_p50": pick(ear, 0.5), "ear_ms_p95": pick(ear, 0.95),
                      "ear_ms_p99": pick(ear, 0.99), "ear_ms_max": pick(ear, 1), "ack_ms_p50": pick(ack, 0.5), "ack_ms_p99": pick(ack, 0.99),
                      "relay_ms_p50": pick(relay, 0.5), "relay_ms_p99": pick(relay, 0.99), "relay_ms_max": pick(relay, 1), "own_ms_p99": pick(late, 0.99), "no_core_pct": no_core,
                      "load": round(os.getloadavg()[0], 1)}), flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--agents", type=int, default=10)
    p.add_argument("--calls", type=int, default=200)
    p.add_argument("--port", type=int, default=19200)
    p.add_argument("--no-beep", action="store_true", help="the agent hears no tone first")
    p.add_argument("--seconds", type=int, default=120, help="at most, a mode")
    a = p.parse_args()
    for mode in ("progressive", "predictive"):
        run(mode, a)


if __name__ == "__main__":
    main()
