#!/usr/bin/env python3
"""Trunks against whole servers: one huawu registers at another as its carrier and calls pass both ways; a wrong password is shown; a
carrier's name with two SRV targets, the first of them dead; a carrier without free lines. The name server is our own, on the loopback."""
import os
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import centre as c  # noqa: E402

PORT = 10000
PASSWORD = "nur-ein-test-7"


class Names(threading.Thread):
    """A name server: SRV of one.test: a dead host first, then a living one; whatever else does not exist."""

    def __init__(self, srv, a):
        super().__init__(daemon=True)
        self.srv, self.a, self.asked = srv, a, []
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.at = "127.0.0.1:%d" % self.sock.getsockname()[1]

    @staticmethod
    def name(text):
        return b"".join(bytes([len(x)]) + x.encode() for x in text.split(".")) + b"\0"

    def answer(self, q):
        at, labels = 12, []
        while q[at]:
            labels.append(q[at + 1:at + 1 + q[at]].decode())
            at += q[at] + 1
        host, kind = ".".join(labels), struct.unpack("!H", q[at + 1:at + 3])[0]
        self.asked.append((host, kind))
        data = []
        if kind == 33:
            data = [struct.pack("!HHH", p, w, port) + self.name(t) for p, w, port, t in self.srv.get(host, [])]
        elif kind == 1 and host in self.a:
            data = [socket.inet_aton(self.a[host])]
        known = host in self.srv or host in self.a
        head = q[:2] + struct.pack("!HHHHH", 0x8180 if known else 0x8183, 1, len(data), 0, 0)
        return head + q[12:at + 5] + b"".join(b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60, len(d)) + d for d in data)

    def run(self):
        while True:
            try:
                q, src = self.sock.recvfrom(2000)
            except OSError:
                return
            self.sock.sendto(self.answer(q), src)

    def stop(self):
        self.sock.close()


def person(n, **device):
    return [("users", f"u{n}", {"name": f"示例 {n}", "login": f"agent{n}", "extension": str(n), "password": PASSWORD,
                                "must_change_password": False}),
            ("devices", f"d{n}", {"name": str(n), "user_id": f"$u{n}", **({"secret": f"only-for-tests-{n}"} if not device else device)})]


BOSS = ("users", "boss", {"name": "示例 班长", "login": "boss", "password": PASSWORD, "role": "supervisor", "must_change_password": False})


def trunk_of(api, name):
    return next((t for t in api.get("/trunk-status")["items"] if t["name"] == name), {})


def legs(s):
    return s.rows("SELECT * FROM leg WHERE role = 'customer' ORDER BY id")


def one_huawu_is_the_other_ones_carrier():
    """8002 is a telephone at the carrier; the office registers there as 8001, and has telephone 7001"""
    carrier = c.Centre(PORT)
    carrier.seed(BOSS, *person(8001), *person(8002))
    office = c.Centre(PORT + 2000)
    office.seed(BOSS, *person(7001),
                ("trunks", "t", {"name": "line", "kind": "register", "host": "127.0.0.1", "port": PORT, "username": "8001",
                                 "secret": "only-for-tests-8001", "options_s": 1}),
                ("queues", "q", {"name": "q", "wrapup_s": 0, "announce_position": False}),
                ("members", "m", {"queue_id": "$q", "user_id": "$u7001", "level": 1}),
                ("numbers", "n", {"number": "8001", "dest": "queue", "queue_id": "$q"}))
    with carrier, office:
        carrier.start()
        office.start()
        boss = office.api("boss", PASSWORD)
        c.wait_for("the registration", lambda: trunk_of(boss, "line").get("registration") == "registered")
        assert trunk_of(boss, "line")["state"] == "up" and boss.get("/alarms")["items"] == []
        there = c.Baresip(carrier.dir, "8002", "only-for-tests-8002", carrier.sip, PORT + 920, host="127.0.0.5", hz=600)
        here = c.Baresip(office.dir, "7001", "only-for-tests-7001", office.sip, PORT + 2920, host="127.0.0.6", hz=440)
        try:
            for s, n, p in ((carrier, 8002, there), (office, 7001, here)):
                c.wait_for("the phone", lambda p=p: p.said("200 OK"))
                s.api(f"agent{n}", PASSWORD).post("/desk/login", {"device": str(n), "ready": True})
            carrier.api("agent8001", PASSWORD).post("/desk/login", {"device": "8001", "ready": True})
            desk = office.api("agent7001", PASSWORD)
            desk.post("/desk/dial", {"number": "8002"})  # out, over the registration
            c.wait_for("the talk", lambda: there.said("Call established"), 15)
            time.sleep(2)
            assert trunk_of(boss, "line")["calls"] == 1
            desk.post("/desk/hangup")
            row = c.wait_for("the record", lambda: office.rows("SELECT * FROM call WHERE end_ms IS NOT NULL"))[0]
            assert row["dir"] == "out" and row["answer_ms"], row
            heard = there.heard()
            assert max((c.tone_level(heard[i:i + 8000], 440) for i in range(0, len(heard) - 8000, 4000)), default=0) > 2000
            there.command("dial", f"sip:8001@{carrier.sip}")  # in: recognised by the token of our Contact
            row = c.wait_for("the call in", lambda: office.rows("SELECT * FROM call WHERE dir = 'in' AND answer_ms IS NOT NULL"), 15)[0]
            assert row["trunk_id"], row
            there.hang_up()
            c.wait_for("its end", lambda: office.rows("SELECT * FROM call WHERE dir = 'in' AND end_ms IS NOT NULL"))
        finally:
            there.stop()
            here.stop()
        carrier.stop()  # the carrier is gone: OPTIONS tell
        c.wait_for("the alarm", lambda: any(a["on"] and a["what"] == "trunk_down" and a["name"] == "line" for a in boss.get("/alarms")["items"]), 30)
        assert trunk_of(boss, "line")["why"] == "silent"
        carrier.process = None


def wrong_password_is_shown_with_the_carriers_answer():
    carrier = c.Centre(PORT)
    carrier.seed(*person(8001))
    office = c.Centre(PORT + 2000)
    office.seed(BOSS, ("trunks", "t", {"name": "line", "kind": "register", "host": "127.0.0.1", "port": PORT, "username": "8001",
                                       "secret": "not-the-right-one", "options_s": 0}))
    with carrier, office:
        carrier.start()
        office.start()
        boss = office.api("boss", PASSWORD)
        t = c.wait_for("the refusal", lambda: (lambda x: x.get("registration") == "refused" and x)(trunk_of(boss, "line")))
        assert (t["state"], t["why"], t["code"]) == ("down", "register_refused", 401), t
        a = boss.get("/alarms")["items"]
        assert len(a) == 1 and a[0]["on"] and "401" in a[0]["detail"], a
        # a secret is sealed where it lies
        assert "not-the-right-one" not in office.rows("SELECT secret FROM trunks")[0]["secret"]


def office_with(*trunks, names=None):
    s = c.Centre(PORT + 2000, ["--dns", names.at] if names else [])
    s.seed(BOSS, *person(7001, kind="static", static_uri=f"sip:7001@127.0.0.8:{PORT + 2950}"),
           *[("trunks", t["name"], {"options_s": 0, "answer_s": 1, **t}) for t in trunks])
    return s


def dial(s):
    """the agent's telephone and the called one are SIPp; answers the trunk's attempts of this call"""
    before = len(legs(s))
    s.api("agent7001", PASSWORD).post("/desk/dial", {"number": "02155550001"})
    c.wait_for("the end", lambda: len(legs(s)) > before and not s.rows("SELECT id FROM call WHERE end_ms IS NULL"), 20)
    return legs(s)[before:]


def uas(s, name, host, port, scenario="carrier_hangs_up.xml"):
    return c.Sipp(s.dir, name, scenario, ["-i", host, "-p", port, "-key", "rtp_host", host, "-key", "rtp_port", port + 2, "-d", 500])


def dead_srv_target_is_left_for_the_living_one_and_then_avoided():
    names = Names({"_sip._udp.one.test": [(10, 0, PORT + 2960, "dead.one.test"), (20, 0, PORT + 2964, "b.one.test")]},
                  {"dead.one.test": "127.0.0.21", "b.one.test": "127.0.0.22"})
    names.start()
    with office_with({"name": "line", "host": "one.test", "port": 0}, names=names) as s:
        dead = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)  # hears everything and says nothing
        dead.bind(("127.0.0.21", PORT + 2960))
        phone, b = uas(s, "phone", "127.0.0.8", PORT + 2950, "carrier.xml"), uas(s, "b", "127.0.0.22", PORT + 2964)
        try:
            s.start()
            boss = s.api("boss", PASSWORD)
            c.wait_for("the name", lambda: len(trunk_of(boss, "line").get("addresses", [])) == 2)
            s.api("agent7001", PASSWORD).post("/desk/login", {"device": "7001", "ready": True})
            first = dial(s)
            assert [(x["code"] or 0, bool(x["answer_ms"])) for x in first] == [(408, False), (0, True)], first
            assert 900 <= first[0]["end_ms"] - first[0]["start_ms"] < 32000, first  # answer_s is 1
            second = dial(s)
            assert len(second) == 1 and second[0]["answer_ms"], second
            assert ("_sip._udp.one.test", 33) in names.asked
        finally:
            phone.stop()
            b.stop()
            dead.close()
            names.stop()


def name_that_does_not_resolve_is_an_alarm():
    names = Names({}, {})
    names.start()
    with office_with({"name": "line", "host": "nobody.test"}, names=names) as s:
        s.start()
        boss = s.api("boss", PASSWORD)
        a = c.wait_for("the alarm", lambda: boss.get("/alarms")["items"])
        assert a[0]["what"] == "trunk_down" and "no such name" in a[0]["detail"], a
        names.stop()


def carrier_without_lines_rests_as_long_as_it_says():
    with office_with({"name": "first", "host": "127.0.0.23", "port": PORT + 2970, "turn": 1},
                     {"name": "second", "host": "127.0.0.22", "port": PORT + 2964, "turn": 2}) as s:
        phone, full, b = (uas(s, "phone", "127.0.0.8", PORT + 2950, "carrier.xml"),
                          uas(s, "full", "127.0.0.23", PORT + 2970, "carrier_refuses.xml"), uas(s, "b", "127.0.0.22", PORT + 2964))
        try:
            s.start()
            s.api("agent7001", PASSWORD).post("/desk/login", {"device": "7001", "ready": True})
            first, second = dial(s), dial(s)
            assert [(x["code"] or 0, bool(x["answer_ms"])) for x in first] == [(503, False), (0, True)], first
            assert len(second) == 1 and second[0]["answer_ms"] and second[0]["trunk_id"] != first[0]["trunk_id"], second
            assert trunk_of(s.api("boss", PASSWORD), "first")["why"] == "resting"
        finally:
            for p in (phone, full, b):
                p.stop()


c.need("sipp", "baresip")
if len(sys.argv) > 1:
    c.run_tests([globals()[x] for x in sys.argv[1:]])
c.run_tests([one_huawu_is_the_other_ones_carrier, wrong_password_is_shown_with_the_carriers_answer,
             dead_srv_target_is_left_for_the_living_one_and_then_avoided, name_that_does_not_resolve_is_an_alarm,
             carrier_without_lines_rests_as_long_as_it_says])
