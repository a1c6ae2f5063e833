#!/usr/bin/env python3
"""A carrier (SIPp) sees what the try-it box says: request URI, From and the identity headers of a real call, for every preset; a test call
shows its answers; abroad stays closed until it is opened."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import centre as c  # noqa: E402

PORT = 17000
CARRIER = PORT + 905


def centre():
    s = c.Centre(PORT)
    rows = s.seed(("users", "u", {"name": "示例", "login": "boss", "role": "admin", "password": "nur-ein-test-7", "must_change_password": False}),
                  ("trunks", "t", {"name": "carrier", "host": "127.0.0.3", "port": CARRIER, "options_s": 0, "caller_id": "075523456789"}))
    s.start()
    return s, rows["t"]["id"], s.api("boss", "nur-ein-test-7")


def carrier(s, name, ms=300, calls=1):
    return c.Sipp(s.dir, name, "carrier.xml", ["-i", "127.0.0.3", "-p", CARRIER, "-m", calls, "-d", ms, "-key", "rtp_host", "127.0.0.6",
                                               "-key", "rtp_port", PORT + 990, "-timeout", "60s"])


def invite(s, name):
    """the INVITE that SIPp received: first line and headers"""
    try:
        with open(os.path.join(s.dir, f"{name}.msg"), errors="replace") as f:
            m = re.search(r"received[^\n]*\n\n(INVITE .*?)\r?\n\r?\n", f.read(), re.S)
    except OSError:
        return None
    if not m:
        return None
    lines = [x.rstrip("\r") for x in m[1].split("\n")]
    return {"uri": lines[0].split()[1], **{k.lower(): v.strip() for k, _, v in (x.partition(":") for x in lines[1:])}}


def steps_of(api, call):
    got = c.wait_for("the end of the test call", lambda: (lambda r: r if r["over"] else None)(api.get(f"/test_calls/{call}")), 30)
    return got["steps"]


def every_preset_leaves_as_it_was_tried():
    s, trunk, api = centre()
    with s:
        form = None
        for n, preset in enumerate(x["code"] for x in api.get("/number_presets")["items"]):
            body = {"preset": preset, "area": "0755"}
            if form:
                form = api.call("PATCH", f"/number_forms/{form['id']}", body, {"If-Match": str(form["rev"])})
            else:
                form = api.post("/number_forms", {"trunk_id": trunk, **body})
            name, number = f"carrier{n}", ["13800138000", "010-62345678", "6234 5678", "13510000000", "95588", "4008001234"][n % 6]
            # the switch has the form when the box says so without being given it
            said = api.post(f"/trunks/{trunk}/try", {"number": number, "dir": "out"})
            sipp = carrier(s, name)
            try:
                call = c.wait_for("the test call", lambda: api.post(f"/trunks/{trunk}/test", {"number": number, "seconds": 5}))["call_id"]
                got = c.wait_for("the INVITE", lambda: invite(s, name))
                steps_of(api, call)
            finally:
                sipp.stop()
            sent = said["sent"]
            assert got["uri"] == sent["uri"], (preset, got["uri"], sent)
            assert re.sub(r";tag=.*", "", got["from"]) == sent["from"], (preset, got["from"], sent)
            for key, header in (("pai", "p-asserted-identity"), ("ppi", "p-preferred-identity"), ("rpid", "remote-party-id"), ("privacy", "privacy")):
                assert got.get(header) == sent[key], (preset, header, got.get(header), sent)
        last = s.rows("SELECT dir, answer_ms, end_ms FROM call")
        assert len(last) == 6 and all(x["dir"] == "test" and x["end_ms"] for x in last), last


def test_call_shows_each_answer_and_abroad_is_closed():
    s, trunk, api = centre()
    with s:
        try:
            api.post(f"/trunks/{trunk}/test", {"number": "0085221234567", "seconds": 5})
            raise AssertionError("a call abroad was dialled")
        except c.Refused as e:
            assert e.status == 403 and "abroad_off" in e.body, e
        c.wait_for("the refusal in the journal", lambda: s.rows("SELECT body FROM event WHERE kind = 'dial.refused'"))
        sipp = carrier(s, "carrier")
        try:
            steps = steps_of(api, api.post(f"/trunks/{trunk}/test", {"number": "13800138000", "seconds": 6})["call_id"])
        finally:
            sipp.stop()
        assert [x["code"] for x in steps] == [0, 183, 200, 0], steps
        assert steps[1]["early"] and steps[0]["address"] == f"127.0.0.3:{CARRIER}" and steps[-1]["by"] == "local", steps
        assert steps[2]["t_ms"] >= 200 and steps[-1]["t_ms"] >= 5500, steps
        for scope in ({"scope": "everyone", "name": "everyone"}, {"scope": "trunk", "trunk_id": trunk, "name": "carrier"}):
            api.post("/dial_rights", {**scope, "abroad": "some", "countries": "852"})
        c.wait_for("abroad open", lambda: api.post(f"/trunks/{trunk}/try", {"number": "0085221234567", "dir": "out"})["allowed"])
        assert not api.post(f"/trunks/{trunk}/try", {"number": "0012025550100", "dir": "out"})["allowed"]
        seconds = c.wait_for("the record", lambda: s.rows("SELECT (end_ms - answer_ms) / 1000.0 AS s FROM leg WHERE answer_ms IS NOT NULL"
                                                          " AND end_ms IS NOT NULL"))[0]["s"]
        assert 3 <= seconds, seconds


c.need("sipp")
if len(sys.argv) > 1:
    c.run_tests([globals()[x] for x in sys.argv[1:]])
c.run_tests([every_preset_leaves_as_it_was_tried, test_call_shows_each_answer_and_abroad_is_closed])
