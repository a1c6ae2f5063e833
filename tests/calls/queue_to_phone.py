#!/usr/bin/env python3
"""Calls from a SIPp caller through the queue to desk phones (baresip, registered), with sound both ways. SIPp's log is the truth
that the records are compared with; the sound is found in what each side heard and in its own channel of the recording."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import centre as c  # noqa: E402

PORT = 21000
CALLER_HZ, AGENT_HZ = 440, 600
PLACED = [0]


def person(n, level=1):
    return [("users", f"u{n}", {"name": f"示例 {n}", "login": f"agent{n}", "extension": str(n), "password": f"nur-ein-test-{n}",
                               "must_change_password": False}),
            ("devices", f"d{n}", {"name": str(n), "user_id": f"$u{n}", "secret": f"only-for-tests-{n}"}),
            ("members", f"m{n}", {"queue_id": "$q", "user_id": f"$u{n}", "level": level})]


def centre(*people, **queue):
    body = {"name": "q", "wrapup_s": 0, "ring_s": 5, "announce_position": False, **queue}
    s = c.Centre(PORT)
    s.seeded = s.seed(("trunks", "t", {"name": "carrier", "host": "127.0.0.3", "port": 5060}), ("queues", "q", body),
                      ("numbers", "n", {"number": "4001", "dest": "queue", "queue_id": "$q"}), *[r for p in people for r in p])
    s.start()
    return s


class Call:
    """One caller: SIPp for the signalling, his own sound beside it"""

    def __init__(self, s, scenario, hold_ms=0):
        PLACED[0] += 1
        self.server, self.user = s, f"1380000{PLACED[0]:04d}"
        self.rtp = c.Rtp("127.0.0.6", 0, CALLER_HZ)
        self.rtp.start()
        self.sipp = c.Sipp(s.dir, f"caller{PLACED[0]}", scenario,
                           [s.sip, "-i", "127.0.0.3", "-p", PORT + 900 + PLACED[0], "-s", "4001", "-m", 1, "-d", hold_ms, "-key", "user",
                            self.user, "-key", "rtp_host", "127.0.0.6", "-key", "rtp_port", self.rtp.port, "-timeout", "60s"])

    def finish(self):
        """the call's record once it is closed, and its segments"""
        code = self.sipp.wait(60)
        self.rtp.stop()
        assert code == 0, f"SIPp failed with {code}"
        self.row = c.wait_for("the record", lambda: self.server.rows(
            "SELECT c.* FROM call c JOIN call_pii p ON p.call_id = c.id WHERE p.from_number = ? AND c.end_ms IS NOT NULL", self.user))[0]
        self.segments = self.server.rows("SELECT * FROM segment WHERE call_id = ? ORDER BY start_ms, id", self.row["id"])
        return self.row

    def near(self, column, letter, within_ms=2000):
        seen = self.sipp.at(letter)
        assert seen, f"SIPp did not see {letter}"
        off = abs(self.row[column] - seen * 1000)
        assert off <= within_ms, f"{column} is {off:.0f} ms from what SIPp saw ({letter})"


def at_desk(s, n, phone):
    """the phone has registered and its person is ready"""
    c.wait_for("the registration", lambda: phone.said("200 OK"), 10)
    s.api(f"agent{n}", f"nur-ein-test-{n}").post("/desk/login", {"device": str(n), "ready": True})


def phone(s, n, port, **kw):
    return c.Baresip(s.dir, str(n), f"only-for-tests-{n}", s.sip, port, **kw)


def check_segments(call):
    segs, row = call.segments, call.row
    # the call's event is written before its first segment's: a slow machine may see the next millisecond
    assert segs and 0 <= segs[0]["start_ms"] - row["start_ms"] <= 1000 and segs[-1]["end_ms"] == row["end_ms"], (row, segs)
    for a, b in zip(segs, segs[1:]):
        assert a["end_ms"] == b["start_ms"], f"gap or overlap between segments: {a} {b}"


def level(samples, hz):
    """the loudest whole second"""
    return max((c.tone_level(samples[i:i + 8000], hz) for i in range(0, len(samples) - 8000, 4000)), default=0)


def check_recording(s, call):
    parts = c.wait_for("the closed recording", lambda: s.rows(
        "SELECT * FROM recording_part WHERE call_id = ? AND state = 'closed'", call.row["id"]))
    assert len(parts) == 1, parts
    path = parts[0]["path"]
    if not os.path.isabs(path):
        path = os.path.join(s.data, "recordings", path)
    with open(path, "rb") as f:
        left, right = c.wav_alaw(f.read())
    talk = sum(x["end_ms"] - x["start_ms"] for x in call.segments if x["type"] == "talk")
    assert abs(len(left) / 8 - talk) < 300, f"{len(left) / 8} ms recorded of {talk} ms of talk"
    loud = {(ch, hz): level(data, hz) for ch, data in (("left", left), ("right", right)) for hz in (CALLER_HZ, AGENT_HZ)}
    assert loud["left", CALLER_HZ] > 3000 and loud["right", AGENT_HZ] > 3000, loud
    assert loud["left", AGENT_HZ] < 100 and loud["right", CALLER_HZ] < 100, loud


def caller_talks_to_a_desk_phone_and_hangs_up():
    with centre(person(8001)) as s:
        p = phone(s, 8001, PORT + 920, hz=AGENT_HZ)
        try:
            at_desk(s, 8001, p)
            call = Call(s, "caller_hangs_up.xml", 5000)
            row = call.finish()
            c.wait_for("the phone's end", lambda: p.said("terminated"))
            call.near("start_ms", "D")
            call.near("accept_ms", "A")
            call.near("end_ms", "H")
            assert row["by"] == "customer" and row["answer_ms"], row
            assert str(row["agent_id"]) == s.seeded["u8001"]["id"], row
            check_segments(call)
            check_recording(s, call)
            assert level(call.rtp.samples(), AGENT_HZ) > 3000, "the caller did not hear the agent"
            assert level(p.heard(), CALLER_HZ) > 3000, "the phone did not hear the caller"
        finally:
            p.stop()


def agent_hangs_up_first():
    with centre(person(8001)) as s:
        p = phone(s, 8001, PORT + 920, hz=AGENT_HZ)
        try:
            at_desk(s, 8001, p)
            call = Call(s, "caller_stays.xml")
            c.wait_for("the talk", lambda: p.said("Call established"), 10)
            time.sleep(1)  # a talk that leaves a record
            p.hang_up()
            row = call.finish()
            call.near("end_ms", "B")
            assert row["by"] == "agent" and row["answer_ms"], row
            check_segments(call)
        finally:
            p.stop()


def offer_rings_out_and_goes_to_the_next_phone():
    with centre(person(8001, level=1), person(8002, level=2)) as s:
        deaf = phone(s, 8001, PORT + 920, answers=False)
        good = phone(s, 8002, PORT + 940, host="127.0.0.7", hz=AGENT_HZ)
        try:
            at_desk(s, 8001, deaf)
            at_desk(s, 8002, good)
            call = Call(s, "caller_hangs_up.xml", 9000)
            row = call.finish()
            offers = s.rows("SELECT * FROM offer WHERE call_id = ? ORDER BY start_ms", row["id"])
            assert [str(o["agent_id"]) for o in offers] == [s.seeded["u8001"]["id"], s.seeded["u8002"]["id"]], offers
            # ring_s is 5; the phone needs a moment to ring
            assert offers[0]["end_ms"] - offers[0]["start_ms"] >= 4900, offers
            assert offers[1]["start_ms"] >= offers[0]["end_ms"], offers
            assert str(row["agent_id"]) == s.seeded["u8002"]["id"], row
            check_segments(call)
            state = s.rows("SELECT state FROM activity WHERE agent_id = ? ORDER BY start_ms, id", int(s.seeded["u8001"]["id"]))
            assert "noanswer" in [x["state"] for x in state], state
        finally:
            deaf.stop()
            good.stop()


def caller_gives_up_where_nobody_is():
    with centre() as s:
        call = Call(s, "caller_hangs_up.xml", 1500)
        row = call.finish()
        call.near("accept_ms", "A")
        call.near("end_ms", "H")
        assert row["answer_ms"] is None and row["by"] == "customer", row
        assert not s.rows("SELECT * FROM offer"), "somebody was offered the call"
        check_segments(call)
        assert call.rtp.packets > 50, "nothing was heard while waiting"


c.need("sipp", "baresip")
if __name__ == "__main__":
    if len(sys.argv) > 1:
        c.run_tests([globals()[x] for x in sys.argv[1:]])
    c.run_tests([caller_talks_to_a_desk_phone_and_hangs_up, agent_hangs_up_first, offer_rings_out_and_goes_to_the_next_phone,
                 caller_gives_up_where_nobody_is])
