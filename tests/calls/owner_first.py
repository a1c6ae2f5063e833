#!/usr/bin/env python3
"""Whose customer calls: a known caller rings the owner first and then the queue, a customer without one is given away by the team's turn,
and a server that is killed in between goes on where it was. SIPp calls, baresip answers; at the end of each test the whole log is replayed."""
import os
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import centre as c  # noqa: E402

PORT = 7600
OPTIONS = ("--rtp-max", str(PORT + 199))
PLACED = [0]


def person(n, member=True):
    rows = [("users", f"u{n}", {"name": f"坐席{n}", "login": f"agent{n}", "extension": str(n), "password": f"nur-ein-test-{n}",
                                "must_change_password": False, "team_id": "$team"}),
            ("devices", f"d{n}", {"name": str(n), "user_id": f"$u{n}", "secret": f"only-for-tests-{n}"})]
    return rows + [("members", f"m{n}", {"queue_id": "$q", "user_id": f"$u{n}", "level": 1})] * member


def customer(number, owner=None):
    """张三, who calls from @number"""
    return [("customers", "c", {"name": "张三", **({"owner_id": f"$u{owner}"} if owner else {})}),
            ("customer_phones", "p", {"customer_id": "$c", "number": number})]


def centre(*rows, **queue):
    s = c.Centre(PORT, OPTIONS)
    s.seeded = s.seed(("teams", "team", {"name": "一组"}), ("trunks", "t", {"name": "carrier", "host": "127.0.0.3", "port": 5060}),
                      ("queues", "q", {"name": "q", "wrapup_s": 0, "ring_s": 10, "announce_position": False, **queue}),
                      ("numbers", "n", {"number": "4001", "dest": "queue", "queue_id": "$q"}), *[r for x in rows for r in x])
    s.start()
    return s


class Call:
    def __init__(self, s, user, hold_ms, scenario="caller_hangs_up.xml"):
        PLACED[0] += 1
        self.server, self.user = s, user
        self.rtp = c.Rtp("127.0.0.6", 0, 440)
        self.rtp.start()
        self.sipp = c.Sipp(s.dir, f"caller{PLACED[0]}", scenario, [s.sip, "-i", "127.0.0.3", "-p", PORT + 9 + PLACED[0], "-s", "4001", "-m", 1, "-d",
                           hold_ms, "-key", "user", user, "-key", "rtp_host", "127.0.0.6", "-key", "rtp_port", self.rtp.port, "-timeout", "60s"])

    def row(self):
        rows = self.server.rows("SELECT c.* FROM call c JOIN call_pii p ON p.call_id = c.id WHERE p.from_number = ? ORDER BY c.id DESC", self.user)
        return rows[0] if rows else None

    def finish(self):
        assert self.sipp.wait(60) == 0, "SIPp failed"
        self.rtp.stop()
        return c.wait_for("the record", lambda: self.row() if self.row() and self.row()["end_ms"] else None)


def phone(s, n, answers=True):
    p = c.Baresip(s.dir, str(n), f"only-for-tests-{n}", s.sip, PORT + 20, host=f"127.0.0.{n - 8000 + 10}", answers=answers)
    c.wait_for("the registration", lambda: p.said("200 OK"), 10)
    return p


def kill_and_start(s, *phones):
    """kill -9, and a new process; its telephones register anew"""
    s.process.send_signal(signal.SIGKILL)
    s.process.wait()
    s.log.close()
    for p in phones:
        p.stop()
        shutil.rmtree(p.dir)
    os.truncate(s.log.name, 0)  # what tells that it is up
    s.start()


def ready(s, n):
    api = s.api(f"agent{n}", f"nur-ein-test-{n}")
    api.post("/desk/login", {"device": str(n), "ready": True})
    return api


def replayed(s):
    """to the byte, draws of turns too"""
    s.stop()
    out = subprocess.run([c.HUAWU, "replay", "--db", s.database.url, "--check"], capture_output=True, text=True)
    assert out.returncode == 0, out.stdout + out.stderr


def offers(s, row):
    return s.rows("SELECT * FROM offer WHERE call_id = ? ORDER BY start_ms, id", row["id"])


def uid(s, n):
    return int(s.seeded[f"u{n}"]["id"])


def owner_then_queue():
    with centre(person(8001), person(8002), customer("13800000001", 8002), owner_first_s=3) as s:
        deaf, good = phone(s, 8002, answers=False), phone(s, 8001)
        try:
            api = ready(s, 8001)  # idle longest: without an owner he would have it
            ready(s, 8002)
            row = Call(s, "13800000001", 6000).finish()
            got = offers(s, row)
            assert [(o["agent_id"], o["outcome"]) for o in got] == [(uid(s, 8002), "timeout"), (uid(s, 8001), "answered")], got
            assert got[0]["end_ms"] - got[0]["start_ms"] >= 2950 and got[1]["start_ms"] >= got[0]["end_ms"], got
            assert '"rule":"owner"' in got[0]["why"], got
            assert row["customer_id"] == int(s.seeded["c"]["id"]), row
            seen = api.get(f"/calls/{row['id']}")
            assert seen["customer"] == "张三" and seen["customer_id"] == s.seeded["c"]["id"], seen
            steps = [(x["to"], x["why"], x["owner"], x["first_ms"]) for x in seen["owner_steps"]]
            assert steps == [("queue", "timeout", "坐席8002", 3000)], steps
            assert [x["customer"] for x in api.get("/calls")["items"]] == ["张三"]
        finally:
            deaf.stop()
            good.stop()
        replayed(s)


def owner_who_answers_has_him_on_his_desk():
    with centre(person(8001), person(8002, member=False), customer("13800000001", 8002), owner_first_s=10) as s:
        other, owner = phone(s, 8001), phone(s, 8002)
        try:
            ready(s, 8001)
            api = ready(s, 8002)
            call = Call(s, "13800000001", 4000)
            live = c.wait_for("the desk", lambda: (lambda d: d if d and d["state"] == "talking" else None)(api.get("/desk")["call"]))
            assert live["customer"]["name"] == "张三" and live["customer"]["owner"] == "坐席8002" and live["repeat"] == 1, live
            row = call.finish()
            assert row["agent_id"] == uid(s, 8002), row
            again = Call(s, "13800000001", 2000)
            live = c.wait_for("the desk", lambda: api.get("/desk")["call"])
            assert live["repeat"] == 2, live
            again.finish()
            assert api.get("/numbers/lookup", number="13800000001")["recent"] == 2
        finally:
            other.stop()
            owner.stop()
        replayed(s)


def killed_while_a_caller_waits_for_his_owner():
    with centre(person(8001), person(8002), customer("13800000001", 8002), owner_first_s=5, owner_busy_s=60) as s:
        a, b = phone(s, 8001), phone(s, 8002)
        try:
            ready(s, 8002)
            first = Call(s, "13800000002", 30000)  # the owner talks
            c.wait_for("the talk", lambda: b.said("Call established"), 10)
            ready(s, 8001)
            held = Call(s, "13800000001", 30000)
            c.wait_for("the wait", lambda: s.rows("SELECT * FROM owner_step WHERE step = 'wait' AND why = 'talking'"))
            assert not s.rows("SELECT * FROM offer WHERE agent_id = ?", uid(s, 8001)), "it went past the owner"
            kill_and_start(s, a, b)
            first.sipp.stop()
            held.sipp.stop()
            assert held.row()["end_ms"] and held.row()["customer_id"], held.row()
            b = phone(s, 8002)
            api = ready(s, 8002)
            call = Call(s, "13800000001", 2000)
            live = c.wait_for("the desk", lambda: api.get("/desk")["call"], 15)
            assert live["repeat"] == 2, live  # counted across the end of the process
            assert call.finish()["agent_id"] == uid(s, 8002)
        finally:
            a.stop()
            b.stop()
        replayed(s)


def a_new_customer_goes_to_the_next_in_turn_with_the_call():
    with centre(person(8001), person(8002), customer("13800000001"), [("customers", "c2", {"name": "李四"})], owner_first_s=5) as s:
        a, b = phone(s, 8001), phone(s, 8002)
        try:
            api = ready(s, 8001)
            other = ready(s, 8002)
            call = Call(s, "13800000001", 9000)
            c.wait_for("the talk", lambda: a.said("Call established"), 10)
            live = c.wait_for("the customer", lambda: (lambda d: d if d and d["customer"] else None)(api.get("/desk")["call"]))
            assert live["customer"]["owner_id"] is None, live
            # the first turn is his who has the call, for he comes first; the next is the other's
            got = api.post("/desk/turn", {"call_id": live["id"]})
            assert got["agent"]["id"] == s.seeded["u8001"]["id"] and not got["transferred"], got
            try:
                api.post("/desk/turn", {"call_id": live["id"]})
                raise AssertionError("given away twice")
            except c.Refused as e:
                assert e.status == 409 and "has_owner" in e.body, e
            call.finish()
            again = Call(s, "13800000003", 9000)  # nobody knows him
            c.wait_for("the talk", lambda: b.said("Call established"), 10)
            live = c.wait_for("the call", lambda: other.get("/desk")["call"])
            try:
                other.post(f"/calls/{live['id']}/customer", {"customer_id": s.seeded["c"]["id"]})
                raise AssertionError("an agent named a customer whom he may not see")
            except c.Refused as e:
                assert e.status == 422, e
            other.post(f"/calls/{live['id']}/customer", {"customer_id": s.seeded["c2"]["id"]})
            row = c.wait_for("the link", lambda: (lambda r: r if r and r["customer_id"] else None)(again.row()))
            assert row["customer_id"] == int(s.seeded["c2"]["id"])
            assert other.get("/desk")["call"]["customer"]["name"] == "李四"
            again.finish()
            assert s.rows("SELECT owner_id FROM customers WHERE name = '张三'")[0]["owner_id"] == uid(s, 8001)
        finally:
            a.stop()
            b.stop()
        replayed(s)


def the_turn_takes_the_call_along_and_survives_a_kill():
    with centre(person(8001, member=False), person(8002), person(8003), customer("13800000001")) as s:
        phones = {n: phone(s, n) for n in (8002, 8003)}
        try:
            desk = {8002: ready(s, 8002)}
            call = Call(s, "13800000001", 12000)
            c.wait_for("the talk", lambda: phones[8002].said("Call established"), 10)
            desk[8003] = ready(s, 8003)
            live = c.wait_for("the customer", lambda: (lambda d: d if d and d["customer"] else None)(desk[8002].get("/desk")["call"]))
            # nobody else was there: the first draw is his own, and is lost with the process' memory, but not with its log
            desk[8002].post("/desk/turn", {"call_id": live["id"]})
            c.wait_for("the draw", lambda: s.rows("SELECT * FROM turn_draw"))
            kill_and_start(s, *phones.values())
            call.sipp.stop()
            phones = {n: phone(s, n) for n in (8002, 8003)}
            desk[8002] = ready(s, 8002)
            time.sleep(0.1)
            desk[8003] = ready(s, 8003)
            call = Call(s, "13800000007", 8000)
            c.wait_for("the talk", lambda: desk[8002].get("/desk")["call"] and desk[8002].get("/desk")["call"]["state"] == "talking", 15)
            live = desk[8002].get("/desk")["call"]
            got = desk[8002].post("/desk/turn", {"call_id": live["id"]})
            assert got["agent"]["name"] == "坐席8003" and got["transferred"] and got["customer_id"] is None, got
            row = call.finish()
            assert [row["first_agent_id"], row["agent_id"]] == [uid(s, 8002), uid(s, 8003)], row
        finally:
            for p in phones.values():
                p.stop()
        replayed(s)


c.need("sipp", "baresip")
c.run_tests([globals()[x] for x in sys.argv[1:]] or
            [owner_then_queue, owner_who_answers_has_him_on_his_desk, killed_while_a_caller_waits_for_his_owner,
             a_new_customer_goes_to_the_next_in_turn_with_the_call, the_turn_takes_the_call_along_and_survives_a_kill])
