#!/usr/bin/env python3
"""The disk fills under calls: calls go on, people are told why nothing can be saved, and when there is room again no record is missing.
Needs to be root: the disk is a small file system of its own, in a mount namespace of its own."""
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import centre as c  # noqa: E402
from ua import UA  # noqa: E402

PORT = 18000
PASSWORD = "nur-ein-test-1"


def on_a_disk_of_its_own():
    """this program again, with its temporary folder on 40 MB"""
    if "--inside" in sys.argv:
        return
    at = tempfile.mkdtemp(prefix="huawu-disk.")
    try:
        if os.geteuid() or subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode:
            c.skip("no mount namespaces for us")
        me = os.path.abspath(__file__)
        sys.exit(subprocess.run(["unshare", "-m", "sh", "-c", f"mount -t tmpfs -o size=40m tmpfs {at} && TMPDIR={at} exec {sys.executable} {me} --inside"])
                 .returncode)
    finally:
        os.rmdir(at)


def refused(what):
    try:
        what()
    except c.Refused as e:
        return e.status, e.body
    return 200, ""


def calls_go_on_and_nothing_is_lost():
    s = c.Centre(PORT, ["--stop-s", "1"])
    s.ring = f"/dev/shm/huawu-disk-{os.getpid()}.ring"
    s.command[s.command.index("--ring") + 1] = s.ring
    carrier = UA(s.sip, "carrier", "127.0.0.3")
    s.seed(("users", "boss", {"name": "示例 班长", "login": "boss", "password": PASSWORD, "role": "admin", "must_change_password": False}),
           ("users", "u", {"name": "示例", "login": "agent", "extension": "8001", "password": PASSWORD, "must_change_password": False}),
           ("trunks", "t", {"name": "one", "host": "127.0.0.3", "port": carrier.port, "options_s": 0}),
           ("devices", "d", {"name": "8001", "user_id": "$u", "secret": "only-for-tests-8001"}),
           ("queues", "q", {"name": "q", "wrapup_s": 0, "ring_s": 5}), ("numbers", "n", {"number": "4001", "dest": "queue", "queue_id": "$q"}),
           ("members", "m", {"queue_id": "$q", "user_id": "$u", "level": 1}))
    with s:
        s.start()
        phone = UA(s.sip, "8001", "127.0.0.5", secret="only-for-tests-8001")
        phone.register()
        desk, boss = s.api("agent", PASSWORD), s.api("boss", PASSWORD)
        desk.post("/desk/login", {"device": "8001", "ready": True})

        def call():
            cust = carrier.call("4001")
            assert cust.answered().code == 200
            ag = phone.incoming()
            assert ag and ag.answer(), "the agent was not rung"
            return cust

        first = call()
        filler = os.open(os.path.join(os.environ["TMPDIR"], "filler"), os.O_WRONLY | os.O_CREAT)
        try:
            while True:
                os.write(filler, bytes(4096))
        except OSError:
            os.close(filler)
        first.bye()
        for _ in range(10):
            call().bye()
            time.sleep(0.3)
        status, body = refused(lambda: boss.post("/teams", {"name": "x" * 40}))
        assert status == 503 and "disk_full" in body, (status, body)
        c.wait_for("the alarm", lambda: [x for x in boss.get("/alarms")["items"] if x["what"] == "database" and x["on"] and "disk" in x["detail"]], 10)
        os.remove(os.path.join(os.environ["TMPDIR"], "filler"))
        c.wait_for("the records", lambda: s.rows("SELECT count(*) AS n FROM call WHERE end_ms > 0")[0]["n"] == 11, 20)
        c.wait_for("the alarm's end", lambda: not [x for x in boss.get("/alarms")["items"] if x["what"] == "database" and x["on"]], 10)
        boss.post("/teams", {"name": "x" * 40})
        assert s.stop() == 0
        for tool in (["verify"], ["replay", "--check"]):
            out = subprocess.run([c.HUAWU, *tool, "--db", s.database.url], capture_output=True, text=True)
            assert out.returncode == 0, out.stdout + out.stderr


on_a_disk_of_its_own()
c.run_tests([calls_go_on_and_nothing_is_lost])
