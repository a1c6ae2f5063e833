#!/usr/bin/env python3
"""Odd sequences against a whole server, sent by parties that send exactly what they are told (lib/ua.py): transfers at the wrong moment,
answers that cross a CANCEL, offers that glare, connections cut at every step. After each the server is free of calls, agents are where they
would be, and the next call goes through; at the end the records are whole, the log verifies and every decision is derived again.

  hostile.py [SCENARIO ...]
"""
import os
import subprocess
import sys
import time
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import centre as c  # noqa: E402
from ua import UA, Out, unique  # noqa: E402

PORT = 25300
PASSWORD = "nur-ein-test-1"


class World:
    """a centre with three agents at raw telephones and two carriers"""

    def __init__(self, serving=(8001,)):
        s = self.s = c.Centre(PORT, ["--stop-s", "1"], sip=[f"127.0.0.1:{PORT}", f"tcp:127.0.0.1:{PORT}"])
        self.carrier, self.second = UA(s.sip, "carrier", "127.0.0.3"), UA(s.sip, "second", "127.0.0.4")
        rows = [("users", "boss", {"name": "示例 班长", "login": "boss", "password": PASSWORD, "role": "admin", "must_change_password": False}),
                ("trunks", "t1", {"name": "one", "host": "127.0.0.3", "port": self.carrier.port, "turn": 1, "options_s": 0, "answer_s": 2}),
                ("trunks", "t2", {"name": "two", "host": "127.0.0.4", "port": self.second.port, "turn": 2, "options_s": 0, "answer_s": 2}),
                ("queues", "q", {"name": "q", "wrapup_s": 0, "ring_s": 5, "announce_position": False}),
                ("numbers", "n", {"number": "4001", "dest": "queue", "queue_id": "$q"})]
        for n in (8001, 8002, 8003):
            rows += [("users", f"u{n}", {"name": f"示例 {n}", "login": f"agent{n}", "extension": str(n), "password": PASSWORD,
                                        "must_change_password": False}),
                     ("devices", f"d{n}", {"name": str(n), "user_id": f"$u{n}", "secret": f"only-for-tests-{n}"})]
        rows += [("members", f"m{n}", {"queue_id": "$q", "user_id": f"$u{n}", "level": i + 1}) for i, n in enumerate(serving)]
        self.seeded = s.seed(*rows)
        s.start()
        self.desks, self.phones = {}, {}
        self.boss = s.api("boss", PASSWORD)
        for n in (8001, 8002, 8003):
            self.phone(n)

    def phone(self, n, **kw):
        """a new telephone for @n, logged in with it"""
        p = self.phones[n] = UA(self.s.sip, str(n), "127.0.0.5", secret=f"only-for-tests-{n}", **kw)
        p.register()
        d = self.desks[n] = self.s.api(f"agent{n}", PASSWORD)
        d.post("/desk/login", {"device": str(n), "ready": True})
        return p

    def talk(self):
        """a customer talks with 8001: (his leg, the agent's)"""
        cust = self.carrier.call("4001")
        assert cust.answered().code == 200
        ag = self.phones[8001].incoming()
        assert ag, "8001 is not rung"
        ag.ring()
        assert ag.answer(), "no ACK"
        return cust, ag

    def dials(self, n, number):
        """telephone @n dials; its leg"""
        return self.phones[n].call(number).authorise()

    def agent(self, n):
        return self.desks[n].get("/desk")

    def free(self):
        """nothing is left of any call; rows are written within a tenth of a second"""
        time.sleep(0.3)
        def none():
            return not self.s.rows("SELECT id FROM call WHERE end_ms IS NULL UNION ALL SELECT id FROM leg WHERE end_ms IS NULL "
                                   "UNION ALL SELECT id FROM segment WHERE end_ms IS NULL UNION ALL SELECT id FROM offer WHERE end_ms IS NULL")
        try:
            c.wait_for("calls to end", none, 12)
        except AssertionError:
            raise AssertionError(f"left: {self.s.rows('SELECT * FROM call WHERE end_ms IS NULL')} {self.s.rows('SELECT * FROM leg WHERE end_ms IS NULL')}") from None
        for n in (8001, 8002, 8003):
            state = self.s.rows("SELECT state FROM activity WHERE agent_id = ? AND end_ms IS NULL", int(self.seeded[f"u{n}"]["id"]))
            if [x["state"] for x in state] not in (["ready"], ["wrapup"], ["noanswer"], ["offline"], ["break"], []):
                raise AssertionError(f"agent {n} is left {state}")
        board = self.boss.get("/board")
        assert not board.get("calls"), board

    def home(self):
        """all agents ready for the next scenario"""
        for ua in (self.carrier, self.second, *self.phones.values()):
            for d in ua.dialogs:
                try:
                    d.bye()
                except OSError:
                    pass
            ua.dialogs.clear()
        for n in (8001, 8002, 8003):
            try:
                self.desks[n].post("/desk/hangup")
            except c.Refused:
                pass
        time.sleep(0.3)
        for n in (8001, 8002, 8003):
            while not self.phones[n].got.empty():
                self.phones[n].got.get()
            self.phones[n].polite = True
            self.phones[n].register()
            try:
                self.desks[n].post("/desk/login", {"device": str(n), "ready": True})
            except c.Refused:
                pass
            try:
                self.desks[n].post("/desk/ready")
            except c.Refused:
                pass
        for x in (self.carrier, self.second):
            x.polite = True
            while not x.got.empty():
                x.got.get()

    def whole(self):
        """a plain call goes through after all that"""
        cust, ag = self.talk()
        cust.bye()
        assert ag.coming("BYE"), "no BYE"
        self.free()


def wrong_records(s):
    wrong = []
    for table, what in (("call", "end_ms IS NULL OR by IS NULL"), ("leg", "end_ms IS NULL"), ("segment", "end_ms IS NULL"),
                        ("activity", "end_ms IS NULL"), ("offer", "end_ms IS NULL"), ("recording_part", "state = 'open'")):
        n = s.rows(f"SELECT count(*) AS n FROM {table} WHERE {what}")[0]["n"]
        if n:
            wrong.append(f"{n} rows of {table} where {what}")
    for table, by in (("segment", "call_id"), ("activity", "agent_id")):
        n = s.rows(f"SELECT count(*) AS n FROM (SELECT end_ms, lead(start_ms) OVER (PARTITION BY {by} ORDER BY start_ms, id) AS x FROM {table}) AS y"
                   f" WHERE x {'<>' if table == 'segment' else '<'} end_ms")[0]["n"]
        if n:
            wrong.append(f"{n} rows of {table} overlap or leave a gap")
    n = s.rows("SELECT count(*) AS n FROM segment s WHERE type = 'talk' AND agent_id > 0 AND NOT EXISTS (SELECT 1 FROM activity a"
               " WHERE a.agent_id = s.agent_id AND a.state = 'talking' AND a.start_ms <= s.start_ms"
               " AND a.end_ms >= s.start_ms)")[0]["n"]
    if n:
        wrong.append(f"{n} talks of agents who do not talk")
    for tool in (["verify"], ["replay", "--check"]):
        out = subprocess.run([c.HUAWU, *tool, "--db", s.database.url], capture_output=True, text=True)
        print(" ".join(tool) + ":", (out.stdout + out.stderr).strip().splitlines()[0])
        if out.returncode:
            wrong.append(out.stdout + out.stderr)
    return wrong


# ---- transfers at odd moments ----

def refer_while_held(w):
    cust, ag = w.talk()
    assert ag.reinvite("sendonly").code == 200
    assert ag.refer(f"sip:8002@{w.s.sip}").code == 202
    t = w.phones[8002].incoming()
    assert t.answer()
    cust.bye()
    assert t.coming("BYE")


def refer_while_ringing(w):
    cust = w.carrier.call("4001")
    cust.answered()
    ag = w.phones[8001].incoming()
    ag.ring()
    m = ag.refer(f"sip:8002@{w.s.sip}")  # an early dialog has no business with it
    assert m is None or m.code >= 400, m
    assert ag.answer()
    ag.bye()


def refer_twice_at_once(w):
    cust, ag = w.talk()
    ag.refer(f"sip:8002@{w.s.sip}", wait=False)
    assert ag.refer(f"sip:8003@{w.s.sip}").code in (403, 491)
    t = w.phones[8002].incoming()
    assert t and t.answer()
    t.bye()


def refer_and_bye_cross(w):
    cust, ag = w.talk()
    ag.refer(f"sip:8002@{w.s.sip}", wait=False)
    ag.bye()
    t = w.phones[8002].incoming()
    assert t
    t.reply(486)
    again = w.phones[8001].incoming(6)  # back to the queue, in front
    assert again, "the customer was lost"
    assert again.answer()
    cust.bye()


def refer_target_and_customer_vanish(w):
    cust, ag = w.talk()
    assert ag.refer(f"sip:8002@{w.s.sip}").code == 202
    t = w.phones[8002].incoming()
    t.ring()
    cust.bye()
    t.reply(200, t.ua.sdp())  # crosses our CANCEL
    time.sleep(0.5)
    m = t.coming("BYE", 4)
    t.ack()
    assert m or t.coming("BYE", 3), "who answered too late keeps a dead call"


def refer_to_oneself(w):
    cust, ag = w.talk()
    assert ag.refer(f"sip:8001@{w.s.sip}").code >= 400
    assert ag.refer(f"sip:4001@{w.s.sip}").code in (202, 403, 404, 503)
    again = w.phones[8001].incoming(3)
    if again:
        again.answer()
    cust.bye()


def refer_outside_then_hang_up_everywhere(w):
    cust, ag = w.talk()
    assert ag.refer(f"sip:13800138000@{w.s.sip}").code == 202
    out = w.carrier.incoming()
    assert out
    out.ring()
    ag.bye()
    time.sleep(0.2)
    out.reply(486)
    again = w.phones[8001].incoming(6)
    assert again and again.answer()
    again.bye()


def consult(w):
    """8001 holds the customer and talks with 8002"""
    cust, ag = w.talk()
    assert ag.reinvite("sendonly").code == 200
    second = w.dials(8001, "8002")
    t = w.phones[8002].incoming()
    return cust, ag, second, t


def replaces_of(d):
    local, remote = d.local.split("tag=")[1], d.remote.split("tag=")[1]
    return f"{d.id}%3Bto-tag%3D{remote}%3Bfrom-tag%3D{local}"


def attended_transfer_of_a_ringing_one(w):
    cust, ag, second, t = consult(w)
    t.ring()
    m = second.ringing()
    while m.code < 180:
        m = second.ringing()
    second.learn(m)
    m = ag.refer(f"<sip:8002@{w.s.sip}?Replaces={replaces_of(second)}>")
    t.answer()
    second.answered(2)
    time.sleep(0.3)
    cust.bye()
    time.sleep(0.3)
    if m.code >= 300:
        second.bye()
        t.bye()


def attended_transfer_then_target_gone_at_once(w):
    cust, ag, second, t = consult(w)
    assert t.answer()
    assert second.answered().code == 200
    t.bye()
    m = ag.refer(f"<sip:8002@{w.s.sip}?Replaces={replaces_of(second)}>")
    assert m, "no answer to the REFER"
    time.sleep(0.3)
    cust.bye()


def customer_leaves_during_consultation(w):
    cust, ag, second, t = consult(w)
    assert t.answer()
    assert second.answered().code == 200
    cust.bye()
    assert ag.coming("BYE")
    time.sleep(0.3)
    second.bye()
    assert t.coming("BYE")


def agent_unregisters_during_consultation(w):
    cust, ag, second, t = consult(w)
    assert t.answer()
    assert second.answered().code == 200
    w.phones[8001].register(0)
    time.sleep(1)
    cust.bye()
    second.bye()
    t.bye()
    w.phones[8001].register()


def replaces_from_nowhere(w):
    """INVITE with Replaces: of a talk of a colleague, of one's own, of one that ended, of the customer's leg"""
    cust, ag = w.talk()
    for d, ua in ((ag, 8002), (cust, 8002), (cust, 8001)):
        x = Out(w.phones[ua], "8001", lines=f"Replaces: {d.id};to-tag={d.remote.split('tag=')[1]};from-tag={d.local.split('tag=')[1]}\r\n").authorise()
        m = x.answered()
        assert m.code >= 400, m
    own = Out(w.phones[8001], "8001", lines=f"Replaces: {ag.id};to-tag={ag.remote.split('tag=')[1]};from-tag={ag.local.split('tag=')[1]}\r\n").authorise()
    assert own.answered().code == 200
    own.bye()
    m = Out(w.phones[8001], "8001", lines=f"Replaces: {ag.id};to-tag={ag.remote.split('tag=')[1]};from-tag={ag.local.split('tag=')[1]}\r\n").authorise().answered()
    assert m.code in (481, 603), m


def pick_up_of_an_offer(w):
    cust = w.carrier.call("4001")
    cust.answered()
    ag = w.phones[8001].incoming()
    ag.ring()
    x = Out(w.phones[8002], "8001", lines=f"Replaces: {ag.id};to-tag={ag.remote.split('tag=')[1]};from-tag={ag.tag}\r\n").authorise()
    ag.reply(200, ag.ua.sdp())  # both at once
    m = x.answered()
    time.sleep(0.5)
    if m.code == 200:
        x.bye()
    else:
        ag.bye()


# ---- offers, hold ----

def glare(w):
    cust, ag = w.talk()
    ag.ua.polite = cust.ua.polite = False
    cust.request("INVITE", "", cust.ua.sdp("sendonly"))
    cust.request("UPDATE", "", cust.ua.sdp("sendrecv"))  # an offer while one is open
    ag.request("INVITE", "", ag.ua.sdp("sendonly"))
    ag.request("UPDATE", "", ag.ua.sdp("sendonly"))
    time.sleep(1)
    ag.ack(101)
    cust.ack(2)
    ag.ua.polite = cust.ua.polite = True
    cust.bye()
    time.sleep(0.3)
    ag.bye()


def ack_never_comes_to_hold(w):
    cust, ag = w.talk()
    ag.request("INVITE", "", ag.ua.sdp("sendonly"))
    assert ag.final().code == 200
    assert ag.refer(f"sip:8002@{w.s.sip}").code in (202, 491, 500)
    t = w.phones[8002].incoming(2)
    if t:
        t.answer()
    cust.bye()


def prack_never_comes(w):
    cust = Out(w.carrier, "4001", lines="Require: 100rel\r\nSupported: 100rel\r\n")
    m = cust.answered(4)
    if m is None:
        cust.cancel()
        cust.answered(4)
    elif m.code == 200:
        ag = w.phones[8001].incoming(3)
        cust.bye()


def prack_never_comes_on_a_call_out(w):
    d = w.dials(8001, "13800138000")
    out = w.carrier.incoming()
    w.carrier.polite = False
    out.reply(183, out.ua.sdp(), "Require: 100rel\r\nRSeq: 7\r\n")
    prack = w.carrier.wait(lambda m: m.method == "PRACK", 3)
    assert prack, "no PRACK"
    d.cancel()  # its PRACK is never answered
    cancel = w.carrier.wait(lambda m: m.method == "CANCEL", 3)
    assert cancel
    out.reply(200, out.ua.sdp())  # and the answer crosses
    w.carrier.polite = True
    assert out.coming("BYE", 5), "no BYE to who answered a cancelled call"


def cancel_crosses_200_in_fail_over(w):
    d = w.dials(8001, "13800138000")
    one = w.carrier.incoming()
    time.sleep(2.5)  # nothing from the first: the second
    two = w.second.incoming()
    assert two, "no fail-over"
    two.ring()
    one.reply(200, one.ua.sdp())  # the first wakes up
    two.reply(200, two.ua.sdp())
    m = d.answered()
    assert m and m.code == 200
    b1, b2 = one.coming("BYE", 4), two.coming("BYE", 0.5)
    assert bool(b1) != bool(b2), f"both or neither were hung up {b1} {b2}"
    d.bye()


def carrier_forks_and_both_answer(w):
    d = w.dials(8001, "13800138000")
    out = w.carrier.incoming()
    out.reply(180)
    out.ua.reply(out.invite, 200, out.ua.sdp(), tag="fork-a")
    out.ua.reply(out.invite, 200, out.ua.sdp(), tag="fork-b")
    assert d.answered().code == 200
    time.sleep(1)
    byes = [m for m in out.ua.seen if m.method == "BYE" and m.get("call-id") == out.id]
    assert len({m.get("to") for m in byes}) == 1, byes
    d.bye()
    time.sleep(0.5)
    byes = [m for m in out.ua.seen if m.method == "BYE" and m.get("call-id") == out.id]
    assert len({m.get("to") for m in byes}) == 2, byes


def cancel_at_every_moment(w):
    for at in (0, 0.001, 0.01, 0.1, 0.5):
        d = w.dials(8001, "13800138000")
        time.sleep(at)
        d.cancel()
        d.answered(3)
        out = w.carrier.incoming(0.3)
        if out:
            out.reply(487)
    for at in (0, 0.001, 0.01, 0.1):
        cust = w.carrier.call("4001")
        time.sleep(at)
        cust.cancel()
        m = cust.answered(3)
        if m and m.code == 200:
            cust.bye()
        x = w.phones[8001].incoming(0.2)
        if x:
            x.reply(487)


# ---- devices ----

def unregisters_in_mid_call(w):
    cust, ag = w.talk()
    w.phones[8001].register(0)  # a telephone's talk outlives its registration
    time.sleep(0.5)
    assert ag.reinvite("sendonly").code == 200
    assert ag.reinvite("sendrecv").code == 200
    cust.bye()
    assert ag.coming("BYE")
    time.sleep(0.3)
    w.phones[8001].register()


def unregisters_while_it_rings(w):
    cust = w.carrier.call("4001")
    cust.answered()
    ag = w.phones[8001].incoming()
    ag.ring()
    w.phones[8001].register(0)
    time.sleep(0.3)
    ag.reply(200, ag.ua.sdp())
    time.sleep(0.5)
    cust.bye()
    ag.bye()
    w.phones[8001].register()


def changes_device_while_it_rings(w):
    cust = w.carrier.call("4001")
    cust.answered()
    ag = w.phones[8001].incoming()
    ag.ring()
    for body in ({"device": "8001", "ready": True}, {"device": "8002"}, {"device": "nope"}, {"device": ""}):
        try:
            w.desks[8001].post("/desk/login", body)
        except c.Refused:
            pass
    w.desks[8001].post("/desk/logout")
    ag.reply(200, ag.ua.sdp())
    time.sleep(0.5)
    cust.bye()
    ag.bye()


def logs_out_in_every_phase(w):
    d, desk = w.phones[8001], w.desks[8001]
    desk.post("/desk/dial", {"number": "13800138000"})
    own = d.incoming()
    for _ in range(2):
        try:
            desk.post("/desk/logout")
        except c.Refused:
            pass
    own.reply(200, own.ua.sdp())
    time.sleep(0.3)
    own.bye()
    out = w.carrier.incoming(0.5)
    if out:
        out.reply(486)


def tcp_cut_at_each_step(w):
    for step in range(6):
        p = w.phone(8003, tcp=True)
        if step == 0:
            p.close()
            continue
        if step == 1:
            x = p.call("13800138000")
            p.close()
            continue
        x = p.call("13800138000").authorise()
        out = w.carrier.incoming()
        assert out
        if step == 2:
            p.close()
            out.reply(486)
            continue
        out.ring()
        if step == 3:
            p.close()
            time.sleep(0.3)
            out.reply(486)
            continue
        assert out.answer()
        if step == 4:
            p.close()
            out.bye()
            continue
        x.answered()
        p.close()
        time.sleep(0.3)
        out.bye()
    w.phone(8003)


def tcp_phone_is_cut_while_offered(w):
    p = w.phone(8001, tcp=True)
    cust = w.carrier.call("4001")
    cust.answered()
    ag = p.incoming()
    ag.ring()
    p.close()
    time.sleep(0.5)
    p = w.phone(8001)
    ag = p.incoming(8)
    if ag:
        ag.answer()
    cust.bye()


def dead_customer(w):
    """no BYE is answered, no message either"""
    cust, ag = w.talk()
    w.carrier.polite = False
    ag.bye()
    time.sleep(1)
    w.carrier.polite = True


def same_invite_again_after_the_end(w):
    cust, ag = w.talk()
    branch = cust.branch
    cust.bye()
    assert ag.coming("BYE")
    for _ in range(3):
        cust.ua.request("INVITE", cust.uri, 1, cust.id, cust.local, f"<sip:4001@{w.s.sip}>", "", cust.ua.sdp(), branch=branch)
        cust.request("INVITE", "", cust.ua.sdp())
    time.sleep(0.5)
    x = w.phones[8001].incoming(1)
    if x:
        x.reply(486)
    time.sleep(0.5)


def odd_bodies(w):
    cust, ag = w.talk()
    for body in ("v=0\r\n", "garbage", "v=0\r\no=- 1 1 IN IP4 0\r\ns=-\r\nt=0 0\r\nm=audio 0 RTP/AVP 8\r\n", cust.ua.sdp(port=0), cust.ua.sdp(port=70000),
                 cust.ua.sdp(pts=(111,)), cust.ua.sdp(pts=(9,)), cust.ua.sdp() + "m=video 5000 RTP/AVP 96\r\n" * 30, cust.ua.sdp("inactive")):
        cust.request("INVITE", "", body)
        m = cust.final(3)
        assert m, "no answer"
        cust.ack()
        ag.request("UPDATE", "", body)
        assert ag.final(3)
    cust.bye()


SCENARIOS = [refer_while_held, refer_while_ringing, refer_twice_at_once, refer_and_bye_cross, refer_target_and_customer_vanish, refer_to_oneself,
             refer_outside_then_hang_up_everywhere, attended_transfer_of_a_ringing_one, attended_transfer_then_target_gone_at_once,
             customer_leaves_during_consultation, agent_unregisters_during_consultation, replaces_from_nowhere, pick_up_of_an_offer, glare,
             ack_never_comes_to_hold, prack_never_comes, prack_never_comes_on_a_call_out, cancel_crosses_200_in_fail_over,
             carrier_forks_and_both_answer, cancel_at_every_moment, unregisters_in_mid_call, unregisters_while_it_rings,
             changes_device_while_it_rings, logs_out_in_every_phase, tcp_cut_at_each_step, tcp_phone_is_cut_while_offered, dead_customer,
             same_invite_again_after_the_end, odd_bodies]


def main():
    names = sys.argv[1:]
    failed, passed = [], 0
    w = World()
    with w.s:
        for f in SCENARIOS:
            if names and f.__name__ not in names:
                continue
            try:
                f(w)
                w.free()
                w.home()
                w.whole()
                passed += 1
                print(f"ok    {f.__name__}", flush=True)
            except Exception:
                failed.append(f.__name__)
                print(f"FAIL  {f.__name__}\n{traceback.format_exc()}", flush=True)
                if w.s.process.poll() is not None:
                    break
                try:
                    w.home()
                except Exception as e:
                    print("not home:", e)
        code = w.s.stop()
        wrong = wrong_records(w.s)
        for x in wrong:
            print("WRONG:", x)
        print(f"{passed} passed, {len(failed) + bool(wrong) + bool(code)} failed")
        if failed or wrong or code:
            sys.exit(1)


if __name__ == "__main__":
    main()
