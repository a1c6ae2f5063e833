#!/usr/bin/env python3
"""A stop: no new calls, those that run may finish until the deadline; a second signal ends at once and loses no record."""
import os
import signal
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import centre as c  # noqa: E402

PORT = 23000


class Stopped:
    """A server with one caller in the queue, where nobody is; it has got its signal"""

    def __init__(self, scenario, hold_ms, stop_s):
        s = self.server = c.Centre(PORT, ["--stop-s", str(stop_s)])
        s.seed(("trunks", "t", {"name": "carrier", "host": "127.0.0.3", "port": 5060}),
               ("queues", "q", {"name": "q", "wrapup_s": 0, "ring_s": 5, "announce_position": False}),
               ("numbers", "n", {"number": "4001", "dest": "queue", "queue_id": "$q"}))
        s.start()
        self.sipp = c.Sipp(s.dir, "caller", scenario, [s.sip, "-i", "127.0.0.3", "-p", PORT + 901, "-s", "4001", "-m", 1, "-d", hold_ms,
                                                       "-key", "user", "13800000001", "-key", "rtp_host", "127.0.0.6",
                                                       "-key", "rtp_port", PORT + 990, "-timeout", "60s"])
        c.wait_for("the answer", lambda: self.sipp.at("A"))
        # the last word about a call that has come is that somebody waits
        c.wait_for("the record", lambda: s.rows("SELECT id FROM call WHERE accept_ms IS NOT NULL"))
        self.at = time.monotonic()
        s.process.send_signal(signal.SIGTERM)

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.sipp.stop()
        self.server.__exit__(*failure)

    def said(self, text):
        with open(self.server.log.name, errors="replace") as f:
            return text in f.read()

    def ended(self, limit):
        """the exit status, and how long it took from the first signal"""
        code = self.server.process.wait(limit)
        return code, time.monotonic() - self.at


def status_of_new_call(server):
    """a caller's INVITE by hand: the first answer above 100"""
    host, port = server.sip.split(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.3", 0))
        s.settimeout(10)
        me = f"127.0.0.3:{s.getsockname()[1]}"
        s.sendto((f"INVITE sip:4001@{server.sip} SIP/2.0\r\nVia: SIP/2.0/UDP {me};branch=z9hG4bKnew\r\nFrom: <sip:138@{me}>;tag=n\r\n"
                  f"To: <sip:4001@{server.sip}>\r\nCall-ID: new@test\r\nCSeq: 1 INVITE\r\nContact: <sip:138@{me}>\r\nMax-Forwards: 70\r\n"
                  "Content-Length: 0\r\n\r\n").encode(), (host, int(port)))
        while True:
            status = int(s.recv(4000).split()[1])
            if status > 100:
                return status


def a_call_finishes_and_no_new_one_comes_in():
    with Stopped("caller_hangs_up.xml", 4000, 60) as t:
        c.wait_for("the stop", lambda: t.said("stopping: no new calls"))
        assert status_of_new_call(t.server) == 503
        code, took = t.ended(40)
        assert code == 0 and t.sipp.wait() == 0, (code, took)
        assert t.sipp.at("H"), "the caller could not hang up himself"
        call, = t.server.rows("SELECT by, end_ms FROM call")
        assert call["by"] == "customer" and call["end_ms"], call


def past_the_deadline_calls_are_ended():
    with Stopped("caller_stays.xml", 0, 1) as t:
        code, took = t.ended(20)
        assert code == 0 and took >= 1, (code, took)
        assert t.sipp.wait() == 0 and t.sipp.at("B"), "the caller got no BYE"
        call, = t.server.rows("SELECT by, end_ms FROM call")
        assert call["by"] == "system" and call["end_ms"], call


def a_second_signal_ends_at_once_and_the_next_start_closes_the_record():
    with Stopped("caller_stays.xml", 0, 60) as t:
        c.wait_for("the stop", lambda: t.said("stopping: no new calls"))
        t.server.process.send_signal(signal.SIGTERM)
        code, took = t.ended(5)
        assert code == -signal.SIGTERM, code
        t.server.log.close()
        t.server.start()
        assert t.sipp.wait(20) == 0 and t.sipp.at("B"), "the caller stayed in a dead call"
        call, = t.server.rows("SELECT by, end_ms FROM call")
        assert call["end_ms"] and call["by"], call


c.need("sipp")
c.run_tests([a_call_finishes_and_no_new_one_comes_in, past_the_deadline_calls_are_ended,
             a_second_signal_ends_at_once_and_the_next_start_closes_the_record])
