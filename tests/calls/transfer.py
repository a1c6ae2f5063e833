#!/usr/bin/env python3
"""A desk phone that we did not write (baresip) transfers its customer: who hears whom afterwards, and what the records say."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import centre as c  # noqa: E402

import queue_to_phone as q  # noqa: E402

q.PORT = PORT = 21200
COLLEAGUE_HZ = 900


def start(s, answers=True):
    """the agent, who is offered the call, and the colleague, who serves no queue"""
    agent = q.phone(s, 8001, PORT + 920, hz=q.AGENT_HZ)
    colleague = q.phone(s, 8002, PORT + 940, host="127.0.0.7", hz=COLLEAGUE_HZ, answers=answers)
    q.at_desk(s, 8001, agent)
    q.at_desk(s, 8002, colleague)
    return agent, colleague


def people():
    return [q.person(8001), q.person(8002)[:2]]


def transfer(phone, to, s):
    got = phone.command("transfer", f"sip:{to}@{s.sip}")
    assert b'"ok":true' in got, got


def blind_transfer_to_a_colleague():
    with q.centre(*people(), wrapup_s=30) as s:
        agent, colleague = start(s)
        try:
            call = q.Call(s, "caller_hangs_up.xml", 8000)
            c.wait_for("the talk", lambda: agent.said("Call established"), 10)
            time.sleep(2)
            transfer(agent, 8002, s)
            c.wait_for("the colleague", lambda: colleague.said("Call established"), 10)
            c.wait_for("the agent's end", lambda: agent.said("terminated") or agent.said("closed"), 5)
            row = call.finish()
            q.check_segments(call)
            ids = [int(s.seeded[f"u{n}"]["id"]) for n in (8001, 8002)]
            assert [row["first_agent_id"], row["agent_id"], row["by"]] == [*ids, "customer"], row
            assert [x["agent_id"] for x in call.segments if x["type"] == "talk"] == ids, call.segments
            states = [x["state"] for x in s.rows("SELECT state FROM activity WHERE agent_id = ? ORDER BY start_ms, id", ids[0])]
            assert states[-2:] == ["talking", "wrapup"], states
            heard = call.rtp.samples()
            assert q.level(heard, q.AGENT_HZ) > 3000 and q.level(heard, COLLEAGUE_HZ) > 3000, "the caller did not hear both, one after the other"
            assert q.level(colleague.heard(), q.CALLER_HZ) > 3000, "the colleague did not hear the caller"
        finally:
            agent.stop()
            colleague.stop()


def blind_transfer_that_is_refused_comes_back():
    with q.centre(*people()) as s:
        agent, colleague = start(s, answers=False)
        try:
            call = q.Call(s, "caller_hangs_up.xml", 9000)
            c.wait_for("the talk", lambda: agent.said("Call established"), 10)
            time.sleep(1)
            transfer(agent, 8002, s)
            c.wait_for("the ringing", lambda: colleague.said("Incoming call"), 10)
            colleague.command("hangup")
            row = call.finish()
            q.check_segments(call)
            assert row["agent_id"] == int(s.seeded["u8001"]["id"]) and row["by"] == "customer", row
            # baresip hangs up when it hears of the failure: the customer waits a moment, in front, and it is rung again
            assert [x["type"] for x in call.segments] == ["queue", "ring", "talk", "hold", "talk", "queue", "ring", "talk"], call.segments
        finally:
            agent.stop()
            colleague.stop()


c.need("sipp", "baresip")
c.run_tests([globals()[x] for x in sys.argv[1:]] or [blind_transfer_to_a_colleague, blind_transfer_that_is_refused_comes_back])
