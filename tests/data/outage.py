#!/usr/bin/env python3
"""PostgreSQL stops for a while under load, is killed and comes back: no call may be harmed, no event lost or doubled. SIPp's own logs are the truth.

    outage.py [--away 20] [--rate 8] [--seconds 3]      seconds without a server; calls a second of each of two kinds; seconds of talk

The server of its own is a private cluster (tests/lib/postgres.py). While it is away agents keep their buttons, readers get 503 with a sentence.
"""
import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(TOP, "tests", "lib"), os.path.join(TOP, "tests", "crash")]
import centre as c  # noqa: E402
import kill9  # noqa: E402
import postgres  # noqa: E402
from data import Data  # noqa: E402


def said(srv, text):
    with open(os.path.join(srv.dir, "server.log"), errors="replace") as f:
        return f.read().count(text)


def administrator(srv, url):
    """logged in, with a password of his own"""
    out = subprocess.run([srv.exe, "user", "admin", "boss", "--db", url], capture_output=True, text=True, check=True).stdout
    first = out.split("password: ")[1].split()[0]
    api = c.Api(f"http://127.0.0.1:{srv.port + 1}").log_in("boss", first)
    api.post("/session/password", {"old": first, "new": "long enough 42"})
    return c.Api(api.base).log_in("boss", "long enough 42")


def refused(call):
    """status and sentence"""
    try:
        call()
    except c.Refused as e:
        return e.status, e.body
    return 200, ""


def wait_caught_up(srv, times, limit):
    c.wait_for("the events of the outage", lambda: said(srv, "spilled events are in the database") >= times, limit, 0.2)


def check_api_while_away(api, wrong):
    for what, status in (("/session", 200), ("/desk", 200), ("/users", 503), ("/calls", 503)):
        got, text = refused(lambda: api.get(what))
        if got != status or (status == 503 and "database_away" not in text):
            wrong.append(f"GET {what} while the database is away: {got} {text[:200]}, not {status}")
    got, text = refused(lambda: api.post("/teams", {"name": "T"}))
    if got != 503 or "database_away" not in text:
        wrong.append(f"POST /teams while the database is away: {got} {text[:200]}")


def counted(folder, srv, wrong):
    """every call of the telephones against its record"""
    seen = {n: kill9.marks(folder, n) for n in ("bridge", "queue", "agents")}
    up, refusals = {}, 0
    for name in ("bridge", "queue"):
        log = seen[name]
        for letter, what in (("X", "got no answer"), ("T", "stayed in a dead call")):
            for user in log.get(letter, []):
                wrong.append(f"caller {user} ({name}) {what}")
        lost = set(log.get("A", [])) - set(log.get("B", []))
        if lost:
            wrong.append(f"{len(lost)} callers ({name}) were answered and did not end their call well")
        up[name] = len(log.get("A", []))
        refusals += len(log.get("F", []))
    if refusals and not said(srv, "what=overload"): # a busy machine sheds calls, which has nothing to do with the database
        wrong.append(f"{refusals} calls were refused")
    k, h = (len(seen["agents"].get(x, [])) for x in "KH")
    if k != h:
        wrong.append(f"{k} calls were confirmed at telephones, {h} ended well there")
    rows = srv.data.rows("SELECT p.from_number AS user, count(*) AS n, sum(CASE WHEN c.answer_ms IS NOT NULL THEN 1 ELSE 0 END) AS answered,"
                         " sum(CASE WHEN c.end_ms IS NULL THEN 1 ELSE 0 END) AS open FROM call c JOIN call_pii p ON p.call_id = c.id GROUP BY 1")
    by_user = {r["user"]: r for r in rows}
    answered = set(seen["bridge"].get("A", [])) | set(seen["agents"].get("K", []))
    for user in answered | set(seen["queue"].get("A", [])):
        r = by_user.pop(user, None)
        if not r or r["n"] != 1 or r["open"] or (user in answered and not r["answered"]):
            wrong.append(f"caller {user}: {r}")
    wrong += [f"a record nobody called for: {r}" for r in list(by_user.values())[:5]]
    return sum(up.values()), len(rows), refusals


def outage(a):
    folder = tempfile.mkdtemp(prefix="huawu-outage.")
    cluster = postgres.Cluster()
    a.build, a.port = os.environ.get("BUILD", os.path.join(TOP, "build")), 15760
    srv = kill9.Server(a, folder, Data(folder, cluster.url))
    srv.cmd[srv.cmd.index("--log") + 1] = "info"
    phones, procs, wrong = kill9.free_port("127.0.0.2"), [], []
    srv.seed(60, phones)
    try:
        srv.start()
        srv.wait_up()
        api = administrator(srv, srv.data.url)
        procs.append(kill9.sipp(folder, "agents", "agent.xml", ["-i", "127.0.0.2", "-p", str(phones), "-d", str(a.seconds * 1000), "-aa"]))
        time.sleep(0.5)
        for name, dest in (("bridge", "1000"), ("queue", "q")):
            procs.append(kill9.sipp(folder, name, "caller.xml",
                                    [srv.sip, "-i", "127.0.0.3", "-p", str(kill9.free_port("127.0.0.3")), "-s", dest, "-r", str(a.rate),
                                     "-l", "200", "-m", "1000000", "-aa", "-key", "run", name[0]]))
        assert api.get("/session")["user"]["login"] == "boss"
        time.sleep(3)
        cluster.stop("fast")
        away = time.time()
        time.sleep(min(5, a.away / 2))
        check_api_while_away(api, wrong)
        time.sleep(max(0, a.away - (time.time() - away)))
        spilled = os.path.getsize(os.path.join(folder, "spill.log"))
        cluster.start()
        back = time.time()
        wait_caught_up(srv, 1, 60)
        print(f"away {back - away:.1f} s, {spilled} bytes spilled, caught up in {time.time() - back:.1f} s")
        if refused(lambda: api.get("/users"))[0] != 200:
            wrong.append("readers do not find the database again")
        time.sleep(1)
        cluster.kill()
        time.sleep(3)
        cluster.start()
        wait_caught_up(srv, 2, 60)
        time.sleep(1)
        for q in procs[1:]:
            q.send_signal(signal.SIGUSR1)  # no new calls, those that are up end
        for q in procs[1:]:
            q.wait(60)
        time.sleep(1)
        code = srv.stop()
        if code:
            wrong.append(f"the server ended with {code}")
        calls, records, refusals = counted(folder, srv, wrong)
        for tool in (["verify"], ["replay", "--check"]):
            out = subprocess.run([srv.exe, *tool, "--db", srv.data.url], capture_output=True, text=True)
            print(" ".join(tool) + ":", (out.stdout + out.stderr).strip().splitlines()[0])
            if out.returncode:
                wrong.append(out.stdout + out.stderr)
        events, = srv.data.row("SELECT count(*) AS n FROM event")
        print(f"calls={calls} records={records} refused={refusals} events={events}")
        if calls < a.rate * a.away:
            wrong.append("too little happened for the test to mean anything")
        assert not wrong, f"{folder}\n" + "\n".join(wrong[:20])
    finally:
        for q in procs:
            if q.poll() is None:
                q.kill()
        if srv.p and srv.p.poll() is None:
            srv.kill()
        if os.path.exists(srv.ring):
            os.remove(srv.ring)
        cluster.close()


p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("--away", type=float, default=20)
p.add_argument("--rate", type=int, default=8)
p.add_argument("--seconds", type=int, default=3)
options = p.parse_args()
c.need("sipp", "psql")
if not postgres.programs():
    c.skip("PostgreSQL is not installed")


def no_call_is_harmed_and_no_event_lost_while_the_database_is_away():
    outage(options)


c.run_tests([no_call_is_harmed_and_no_event_lost_while_the_database_is_away])
