#!/usr/bin/env python3
"""Load with everything that goes wrong in a day: callers who give up, phones that are busy, refuse or ring out, agents who log out, pause
and dial, settings that change, a stop in the middle of it all. Afterwards the log must be whole, every decision derived again from it, the records without gaps, and
nobody left in a call.

    load.py [--calls 300] [--rate 15] [--seed 1]

The telephones are this script's: two UDP sockets on 127.0.0.2 and 127.0.0.3.
"""
import argparse
import heapq
import os
import random
import re
import select
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import centre as c  # noqa: E402

PORT = 25000
AGENTS = 24
WITH_DESK = 4  # of them log in by the API
SDP = ("v=0\r\no=- 1 1 IN IP4 127.0.0.9\r\ns=-\r\nc=IN IP4 127.0.0.9\r\nt=0 0\r\nm=audio 9 RTP/AVP 8 101\r\n"
       "a=rtpmap:101 telephone-event/8000\r\n")


def header(msg, name):
    m = re.search(rf"^{name}: *(.*?)\r$", msg, re.M | re.I)
    return m[1] if m else ""


class Loop:
    """sockets and timers of all telephones"""

    def __init__(self):
        self.timers, self.n, self.peers = [], 0, {}

    def after(self, s, fn):
        self.n += 1
        heapq.heappush(self.timers, (time.monotonic() + s, self.n, fn))

    def run(self, until):
        while not until():
            wait = max(0, min(0.05, self.timers[0][0] - time.monotonic() if self.timers else 0.05))
            for s in select.select(list(self.peers), [], [], wait)[0]:
                data, _ = s.recvfrom(65535)
                self.peers[s].take(data.decode(errors="replace"))
            while self.timers and self.timers[0][0] <= time.monotonic():
                heapq.heappop(self.timers)[2]()


class Peer:
    def __init__(self, loop, rnd, ip, port, server):
        self.loop, self.rnd, self.at, self.calls = loop, rnd, f"{ip}:{port}", {}
        host, sip = server.split(":")
        self.server, self.to = server, (host, int(sip))
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.sock.bind((ip, port))
        loop.peers[self.sock] = self

    def send(self, text):
        self.sock.sendto(text.encode(), self.to)

    def reply(self, req, code, tag="", body=""):
        to = header(req, "To")
        self.send(f"SIP/2.0 {code} X\r\nVia: {header(req, 'Via')}\r\nFrom: {header(req, 'From')}\r\n"
                  f"To: {to}{'' if ';tag=' in to or not tag else ';tag=' + tag}\r\nCall-ID: {header(req, 'Call-ID')}\r\n"
                  f"CSeq: {header(req, 'CSeq')}\r\nContact: <sip:x@{self.at}>\r\n"
                  f"{'Content-Type: application/sdp' + chr(13) + chr(10) if body else ''}Content-Length: {len(body)}\r\n\r\n{body}")

    def request(self, d, method, cseq, branch, body=""):
        self.send(f"{method} {d.target} SIP/2.0\r\nVia: SIP/2.0/UDP {self.at};branch=z9hG4bK{branch};rport\r\nFrom: {d.local}\r\n"
                  f"To: {d.remote}\r\nCall-ID: {d.id}\r\nCSeq: {cseq} {method}\r\nContact: <sip:x@{self.at}>\r\nMax-Forwards: 70\r\n"
                  f"{'Content-Type: application/sdp' + chr(13) + chr(10) if body else ''}Content-Length: {len(body)}\r\n\r\n{body}")

    def hang_up(self, d, tries=0):
        """BYE until it is answered"""
        if d.over:
            return
        d.bye = True
        if tries > 60:
            d.over = d.stuck = True
            return
        self.request(d, "BYE", 90, f"{d.id}bye")
        self.loop.after(0.5, lambda: self.hang_up(d, tries + 1))

    def take(self, msg):
        d = self.calls.get(header(msg, "Call-ID"))
        first = msg.split("\r\n", 1)[0]
        if first.startswith("SIP/2.0"):
            if d:
                self.answered(d, int(first.split()[1]), header(msg, "CSeq").split()[-1], msg)
        elif first.startswith("BYE"):
            self.reply(msg, 200)
            if d:
                d.over = d.by_them = True
        elif first.startswith("OPTIONS"):
            self.reply(msg, 200)
        else:
            self.asked(d, first.split()[0], msg)

    def asked(self, d, method, msg):
        pass


class Dialog:
    def __init__(self, call_id):
        self.id, self.over, self.up, self.bye, self.stuck, self.by_them, self.final = call_id, False, False, False, False, False, 0
        self.began = time.monotonic()


class Callers(Peer):
    """They call, some give up, the others stay until they are hung up on."""

    def dial(self, n, number):
        d = Dialog(f"load{n}")
        d.user = f"1390000{n:04d}"
        d.local, d.remote = f"<sip:{d.user}@{self.at}>;tag=c{n}", f"<sip:{number}@{self.server}>"
        d.target, d.heard, d.cancelled = f"sip:{number}@{self.server}", False, False
        self.calls[d.id] = d
        self.invite(d)
        if self.rnd.random() < 0.3:
            self.loop.after(self.rnd.uniform(0, 4), lambda: self.give_up(d))
        self.loop.after(25, lambda: self.give_up(d))

    def invite(self, d, tries=0):
        if not d.heard and not d.over and tries < 8:
            self.request(d, "INVITE", 1, d.id, SDP)
            self.loop.after(0.5, lambda: self.invite(d, tries + 1))

    def give_up(self, d):
        if d.up:
            self.hang_up(d)
        elif not d.over and d.heard and not d.cancelled:
            d.cancelled = True
            self.request(d, "CANCEL", 1, d.id)

    def answered(self, d, code, method, msg):
        d.heard = True
        if method == "BYE":
            d.over = True
        if method != "INVITE" or code < 200:
            return
        d.remote = header(msg, "To")
        if code >= 300:
            self.request(d, "ACK", 1, d.id)
            d.over, d.final = True, code
            return
        d.target = re.search(r"<(.*?)>", header(msg, "Contact"))[1]
        self.request(d, "ACK", 1, d.id + "ack")
        if not d.up and d.cancelled:
            self.loop.after(0, lambda: self.hang_up(d))  # it crossed
        d.up = True


class Phones(Peer):
    """All agents' desk phones."""

    def asked(self, d, method, msg):
        if method == "INVITE":
            self.ring(d, msg)
        elif method == "CANCEL" and d:
            self.reply(msg, 200)
            if not d.up:
                self.final(d, 487)
        elif method == "ACK" and d:
            d.acked = True
            d.over = d.over or d.final >= 300

    def ring(self, d, msg):
        if d:
            if d.last:
                self.reply(*d.last)
            return
        d = Dialog(header(msg, "Call-ID"))
        d.invite, d.last, d.acked, d.call = msg, None, False, header(msg, "X-Huawu-Call")
        d.local, d.remote = header(msg, "To") + f";tag=p{len(self.calls)}", header(msg, "From")
        d.target = re.search(r"<(.*?)>", header(msg, "Contact"))[1]
        self.calls[d.id] = d
        x, soon = self.rnd.random(), self.rnd.uniform(0.02, 0.5)
        if x < 0.08:
            self.final(d, 486)
        elif x < 0.12:
            self.loop.after(soon, lambda: self.final(d, self.rnd.choice([480, 603, 500])))
        else:
            d.last = (msg, 180, d.local.rsplit("tag=")[-1])
            self.reply(*d.last)
            # ring-outs, and answers at the very end of the ring time
            when = soon if x < 0.86 else self.rnd.uniform(4.97, 5.05) if x < 0.95 else None
            if when:
                self.loop.after(when, lambda: self.final(d, 200))

    def final(self, d, code):
        if d.over or d.up or d.final:
            return
        d.final = code
        d.up = code == 200
        d.last = (d.invite, code, d.local.rsplit("tag=")[-1], SDP if d.up else "")
        self.again(d)
        if d.up and self.rnd.random() < 0.6:
            self.loop.after(self.rnd.uniform(0.1, 2), lambda: self.hang_up(d))

    def again(self, d, tries=0):
        if not d.acked and not d.over and tries < 12:
            self.reply(*d.last)
            self.loop.after(0.5, lambda: self.again(d, tries + 1))

    def answered(self, d, code, method, msg):
        if method == "BYE":
            d.over = True


def people():
    rows = []
    for n in range(1, AGENTS + 1):
        desk = n <= WITH_DESK
        rows += [("users", f"u{n}", {"name": f"示例 {n}", "login": f"agent{n}", "extension": str(8000 + n), "deskless": not desk,
                                     "password": f"nur-ein-test-{n}", "must_change_password": False}),
                 ("devices", f"d{n}", {"name": str(8000 + n), "user_id": f"$u{n}", "kind": "static",
                                       "static_uri": f"sip:{8000 + n}@127.0.0.2:{PORT + 902}"}),
                 ("members", f"m{n}", {"queue_id": "$q" if n % 3 else "$r", "user_id": f"$u{n}", "level": 1 + n % 2})]
    return rows


def seeded(s):
    common = {"wrapup_s": 0, "ring_s": 5, "music": "music/1"}
    return s.seed(("trunks", "t", {"name": "carrier", "host": "127.0.0.3", "port": PORT + 901, "outbound": True, "options_s": 0, "calls_max": 120}),
                  ("queues", "r", {"name": "r", "answer_first": False, "len_max": 12, "overflow": "goodbye", **common}),
                  ("queues", "q", {"name": "q", "greeting": "zh/greeting", "announce_s": 10, "wait_max_s": 6, "overflow": "queue",
                                   "overflow_queue_id": "$r", "record_waiting": True, **common}),
                  ("numbers", "a", {"number": "4001", "dest": "queue", "queue_id": "$q"}),
                  ("numbers", "b", {"number": "4002", "dest": "queue", "queue_id": "$r"}), *people(),
                  ("numbers", "c", {"number": "4003", "dest": "user", "user_id": "$u7"}),
                  ("users", "boss", {"name": "示例", "login": "boss", "password": "nur-ein-test-boss", "role": "admin", "must_change_password": False}))


def tinker(s, seed, ids, halt, seen):
    """desks and settings, one thing after the other"""
    rnd = random.Random(seed)
    boss = s.api("boss", "nur-ein-test-boss")
    desks = [s.api(f"agent{n}", f"nur-ein-test-{n}") for n in range(1, WITH_DESK + 1)]

    def settings():
        q = boss.get(f"/queues/{ids['q']['id']}")
        boss.call("PATCH", f"/queues/{ids['q']['id']}", {"wait_max_s": rnd.choice([4, 6, 8])}, {"If-Match": str(q["rev"])})

    def switch_off():
        u = boss.get(f"/users/{ids['u9']['id']}")
        boss.call("PATCH", f"/users/{ids['u9']['id']}", {"active": not u["active"]}, {"If-Match": str(u["rev"])})

    def desk(path, body=None):
        return lambda: rnd.choice(desks).post(path, body)

    def login():
        n = rnd.randrange(WITH_DESK)
        desks[n].post("/desk/login", {"device": str(8001 + n), "ready": True})

    deeds = [login, login, login, desk("/desk/logout"), desk("/desk/ready"), desk("/desk/break", {"reason": "lunch"}), desk("/desk/hangup"),
             desk("/desk/refuse"), desk("/desk/hold"), desk("/desk/resume"), desk("/desk/dial", {"number": "8005"}),
             desk("/desk/dial", {"number": "05550000"}), settings, switch_off]
    while not halt.wait(0.03):
        deed = rnd.choice(deeds)
        try:
            deed()
            seen["done"] += 1
        except c.Refused as e:
            if e.status not in (409, 412, 422, 503):
                seen["errors"].append(str(e))
        except OSError:
            pass  # it is being started anew


def check(s, callers, phones, seen):
    wrong = []
    for d in list(callers.calls.values()) + list(phones.calls.values()):
        if d.stuck or (d.up and not d.over):
            wrong.append(f"{d.id} is stuck in a call")
    for table, what in (("call", "end_ms IS NULL OR by IS NULL"), ("leg", "end_ms IS NULL"), ("segment", "end_ms IS NULL"),
                        ("activity", "end_ms IS NULL"), ("offer", "end_ms IS NULL"), ("recording_part", "state <> 'closed'")):
        n = s.rows(f"SELECT count(*) AS n FROM {table} WHERE {what}")[0]["n"]
        if n:
            wrong.append(f"{n} rows of {table} where {what}")
    n = s.rows("SELECT count(*) AS n FROM (SELECT end_ms, lead(start_ms) OVER (PARTITION BY call_id ORDER BY id) AS x FROM segment) AS y"
               " WHERE x <> end_ms")[0]["n"]
    if n:
        wrong.append(f"{n} segments overlap or leave a gap")
    n = s.rows("SELECT count(*) AS n FROM segment s WHERE type = 'talk' AND agent_id > 0 AND NOT EXISTS (SELECT 1 FROM activity a"
               " WHERE a.agent_id = s.agent_id AND a.state = 'talking' AND a.call_id = s.call_id AND a.start_ms <= s.start_ms"
               " AND a.end_ms >= s.start_ms)")[0]["n"]
    if n:
        wrong.append(f"{n} talks of agents who do not talk")
    # callers who vanish leave ports that nobody hears at: that is one-way audio, and said; so is a machine that is busy with other things
    for e in s.rows("SELECT body FROM event WHERE kind = 'sys.alarm' AND body NOT LIKE '%\"what\":\"audio\"%' AND body NOT LIKE '%\"what\":\"overload\"%'"):
        wrong.append(f"alarm {e['body']}")
    acked = {d.call for d in phones.calls.values() if d.up and d.acked}
    for r in s.rows("SELECT c.id, p.from_number AS user FROM call c JOIN call_pii p ON p.call_id = c.id WHERE answer_ms > 0 AND dir = 'in'"):
        if str(r["id"]) not in acked:
            wrong.append(f"call {r['id']} of {r['user']} is recorded as answered, no phone was")
    known = {r["from_number"] for r in s.rows("SELECT from_number FROM call_pii")}
    wrong += [f"caller {d.user} was answered and is in no record" for d in callers.calls.values() if d.up and d.user not in known]
    for tool in (["verify"], ["replay", "--check"]):
        out = subprocess.run([c.HUAWU, *tool, "--db", s.database.url], capture_output=True, text=True)
        print(" ".join(tool) + ":", (out.stdout + out.stderr).strip().splitlines()[0])
        if out.returncode:
            wrong.append(out.stdout + out.stderr)
    offers = {r["outcome"]: r["n"] for r in s.rows("SELECT outcome, count(*) AS n FROM offer GROUP BY 1")}
    print(f"calls={len(callers.calls)} answered={len(acked)} refused={sum(d.final >= 400 for d in callers.calls.values())} offers={offers}"
          f" desk_commands={seen['done']} api_errors={len(seen['errors'])}")
    wrong += seen["errors"][:5]
    if len(acked) < len(callers.calls) / 4 or not {"answered", "timeout", "refused", "failed", "abandoned"} <= set(offers):
        wrong.append("too little happened for the test to mean anything")
    return wrong


def stop(s, loop):
    """new calls are refused, those that are up end themselves or are ended after two seconds"""
    s.process.terminate()
    loop.run(lambda: s.process.poll() is not None)
    s.log.close()
    assert s.process.returncode == 0, f"the server ended with {s.process.returncode}"


def load(a):
    rnd = random.Random(a.seed)
    s = c.Centre(PORT, ["--stop-s", "2"])
    with s:
        ids = seeded(s)
        s.start()
        loop, seen, halt = Loop(), {"done": 0, "errors": []}, threading.Event()
        callers = Callers(loop, rnd, "127.0.0.3", PORT + 901, s.sip)
        phones = Phones(loop, rnd, "127.0.0.2", PORT + 902, s.sip)
        callers.asked = lambda d, method, msg: Phones.asked(callers, d, method, msg)  # the trunk is called, too
        callers.ring = lambda d, msg: Phones.ring(callers, d, msg) if d else callers.reply(msg, 486, "busy")
        callers.final = lambda d, code: None
        hand = threading.Thread(target=tinker, args=(s, a.seed, ids, halt, seen), daemon=True)
        hand.start()
        for n in range(a.calls):
            loop.after(n / a.rate, lambda n=n: callers.dial(n, rnd.choice(["4001"] * 6 + ["4002"] * 3 + ["4003"])))
        half = time.monotonic() + a.calls / a.rate / 2
        loop.run(lambda: time.monotonic() > half)
        stop(s, loop)
        s.start()
        end = time.monotonic() + a.calls / a.rate + 40
        loop.run(lambda: time.monotonic() > end or (len(callers.calls) == a.calls and all(d.over for d in callers.calls.values())))
        halt.set()
        hand.join()
        last = time.monotonic() + 3  # BYEs of the last ones
        loop.run(lambda: time.monotonic() > last)
        stop(s, loop)
        wrong = check(s, callers, phones, seen)
        assert not wrong, "\n" + "\n".join(wrong[:20])


p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("--calls", type=int, default=300)
p.add_argument("--rate", type=float, default=15)
p.add_argument("--seed", type=int, default=1)
options = p.parse_args()


def calls_under_load_leave_whole_records():
    load(options)


c.run_tests([calls_under_load_leave_whole_records])
