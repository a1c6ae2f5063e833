#!/usr/bin/env python3
"""kill -9 in the middle of two campaigns, one progressive and one that dials ahead, against the simulated network, whose log of INVITEs is the truth: no
number is dialled twice at once or again within its pause, no lead is lost or stays claimed, nothing is dialled after the stop, and the
records have exactly the attempts that the network saw.

    dial_kill.py [--seconds 16] [--kills 4] [--leads 500] [--seed 1] [--keep]       --seconds 300 --kills 60 also sees second attempts
"""
import argparse
import json
import math
import os
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from centre import HUAWU, Centre, Refused, wait_for  # noqa: E402

PORT = 19000
CARRIER, PHONES = PORT + 60, PORT + 62
PASSWORD = "nur-ein-test-7"
AGENTS = 8
PAUSE_MIN = 1  # between two attempts, whatever became of the first: the shortest there is
CAMPAIGNS = {"ahead": dict(mode="predictive", wrapup_s=1), "one by one": dict(mode="progressive", wrapup_s=1)}


class Mortal(Centre):
    """a centre that is killed and comes back on the same data; each life has a log of its own"""

    def __init__(self):
        super().__init__(PORT, ["--rtp-min", str(PORT + 100), "--rtp-max", str(PORT + 498)])
        self.lives = 0

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.log.close()
        self.lives += 1
        os.rename(self.log.name, f"{self.log.name}.{self.lives}")

    def come_back(self):
        self.kill()
        self.start()


def person(n):
    return [("users", f"u{n}", {"name": f"坐席(示例){n}", "login": f"agent{n}", "extension": str(8000 + n), "password": PASSWORD, "must_change_password": False}),
            ("devices", f"d{n}", {"name": f"d{n}", "user_id": f"$u{n}", "kind": "static", "static_uri": f"sip:d{n}@127.0.0.2:{PHONES}"})]


def customer(i):
    return [("customers", f"k{i}", {"name": f"客户(示例){i}", "phones": [{"number": f"+86138{i:08d}"}]})]


def seed(s, leads):
    rows = [("trunks", "t", {"name": "carrier", "host": "127.0.0.3", "port": CARRIER}),
            ("users", "boss", {"name": "班长(示例)", "login": "boss", "password": PASSWORD, "role": "admin", "must_change_password": False})]
    for n in range(AGENTS):
        rows += person(n)
    for i in range(leads):
        rows += customer(i)
    for name, body in CAMPAIGNS.items():
        rows.append(("campaigns", name, {"name": name, "hours": "00:00-24:00", "basis": "consent", "basis_text": "form", "day_max": 20, "attempts_max": 50,
                                         "ring_s": 15, **body}))
        # one agent of each works for the other, too
        mine = range(0, 6) if name == "ahead" else range(5, AGENTS)
        rows += [("campaign_agents", f"{name}{n}", {"campaign_id": f"${name}", "user_id": f"$u{n}"}) for n in mine]
    made = s.seed(*rows)
    for sql in ("UPDATE calling_windows SET hours = NULL, days = NULL", f"UPDATE retry_rules SET wait_min = {PAUSE_MIN}, action = 'again'",
                f"UPDATE outbound_settings SET day_max = 0, week_max = 0, gap_min = {PAUSE_MIN}"):
        s.database.execute(sql)
    return made


def network(s, a):
    return subprocess.Popen([HUAWU, "sim", "net", "--server", s.sip, "--carrier", f"127.0.0.3:{CARRIER}", "--phones-at", f"127.0.0.2:{PHONES}",
                             "--any-phone", "--city", "0.5", "--hour", "10", "--faster", "10", "--talk", "10", "--seed", str(a.seed), "--with-parent",
                             "--hangs-up", "0", "--dialled", os.path.join(s.dir, "dialled"), "--trace", os.path.join(s.dir, "trace")],
                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(os.path.join(s.dir, "net.err"), "wb"))


def lines(s, name):
    try:
        with open(os.path.join(s.dir, name)) as f:
            return [json.loads(x) for x in f if x.endswith("\n")]
    except OSError:
        return []


def to_work(s):
    """everybody logs in; a telephone that was left in a dead call is tried again"""
    for n in range(AGENTS):
        wait_for(f"agent {n}", lambda: at_desk(s, n), 60)


def at_desk(s, n):
    try:
        s.api(f"agent{n}", PASSWORD).post("/desk/login", {"device": f"d{n}", "ready": True})
        return True
    except (OSError, Refused):
        return False


def start_twice(s, boss, path):
    """two supervisors at the same moment: one of them has started it"""
    other = s.api("boss", PASSWORD)
    with ThreadPoolExecutor(2) as both:
        said = [r["changed"] for r in both.map(lambda who: who.post(path), (boss, other))]
    assert sorted(said) == [False, True], said


def fill(s, boss, made):
    """each campaign gets every other customer"""
    ids = [made[k]["id"] for k in made if k[0] == "k"]
    for i, name in enumerate(CAMPAIGNS):
        path = f"/campaigns/{made[name]['id']}"
        mine = ids[i::2]
        boss.post(path + "/leads", {"ids": mine, "count": len(mine)})
        wait_for("the leads", lambda: not boss.get(path + "/job")["running"], 60)
        start_twice(s, boss, path + "/start")


def stop(s, boss, made):
    """answers what the log had before, for who looks whether anything was dialled after"""
    for name in CAMPAIGNS:
        boss.post(f"/campaigns/{made[name]['id']}/stop")
    wait_for("the last claim", lambda: not s.rows("SELECT 1 AS n FROM dial_claims WHERE state = 'open' LIMIT 1"), 120, 0.2)
    n = len(lines(s, "dialled"))
    time.sleep(2)
    assert len(lines(s, "dialled")) == n, "somebody was dialled after the stop"


# ---- what is wrong: sentences ----

def no_dial_after_stop(s, made):
    """in the order of the log: who was told that it does not run any more does not dial"""
    for name in CAMPAIGNS:
        state = None
        for e in s.rows("SELECT epoch, n, kind, body FROM event WHERE kind IN ('campaign.state', 'attempt.new') AND campaign_id = ? ORDER BY epoch, n",
                        int(made[name]["id"])):
            if e["kind"] == "campaign.state":
                state = json.loads(e["body"])["running"]
            elif state is False:
                yield f"{name}: dialled when it did not run any more: {e}"
        if state is not False:
            yield f"{name}: the log does not know that it was stopped"


def leads_are_whole(s, leads):
    for r in s.rows("SELECT state, count(*) AS n FROM campaign_leads GROUP BY state"):
        leads -= r["n"]
        if r["state"] not in ("open", "done", "closed"):
            yield f"{r['n']} leads are {r['state']}"
    if leads:
        yield f"{leads} leads are missing"
    for r in s.rows("SELECT l.id, l.attempts, l.state, count(d.id) AS n, coalesce(sum(CASE WHEN d.result = 'answered' THEN 1 ELSE 0 END), 0) AS answered"
                    " FROM campaign_leads l LEFT JOIN dial_claims d ON d.lead_id = l.id AND d.state = 'ended' GROUP BY l.id, l.attempts, l.state"):
        if r["attempts"] != r["n"]:
            yield f"a lead's attempts are not its claims: {r}"
        if (r["answered"] > 0) != (r["state"] == "done"):
            yield f"a lead's state is not what was reached: {r}"
    for r in s.rows("SELECT claim_id, result FROM attempt WHERE end_ms IS NULL OR applied = 0"):
        yield f"an attempt is open or not applied: {r}"


def log_and_records_agree(s):
    """each INVITE is an attempt. An attempt without one: the server was killed before it left, or there was no line"""
    seen, had = {}, {}
    for x in lines(s, "dialled"):
        seen.setdefault(x["number"], []).append(x["at_ms"])
    for r in s.rows("SELECT d.number, a.begin_ms, a.result FROM attempt a JOIN dial_claims d ON d.id = a.claim_id WHERE a.begin_ms IS NOT NULL ORDER BY a.begin_ms"):
        had.setdefault(r["number"], []).append(r)
    for number in set(seen) - set(had):
        yield f"{number} was dialled, no record says so"
    for number, rows in had.items():
        n, sure = len(seen.get(number, [])), sum(r["result"] not in ("unknown", "returned") for r in rows)
        if not sure <= n <= len(rows):
            yield f"{number} was dialled {n} times, the records say {rows}"


def nobody_twice(s):
    """a number is left alone for its pause, unless the carrier had no room for it"""
    rows = s.rows("SELECT d.number, a.begin_ms, a.end_ms, a.result FROM attempt a JOIN dial_claims d ON d.id = a.claim_id"
                  " WHERE a.begin_ms IS NOT NULL ORDER BY d.number, a.begin_ms")
    for a, b in zip(rows, rows[1:]):
        pause = 0 if a["result"] == "returned" else PAUSE_MIN * 60000
        if a["number"] == b["number"] and b["begin_ms"] < a["end_ms"] + pause:
            yield f"dialled again too soon: {a} {b}"
    calls = {}
    for x in lines(s, "trace"):
        if x["kind"] == "carrier":
            calls.setdefault(x["number"], []).append((x["start_ms"], x["start_ms"] + x["end_ms"]))
    for number, times in calls.items():
        times.sort()
        for a, b in zip(times, times[1:]):
            if b[0] < a[1]:
                yield f"{number} was dialled while it was in a call: {a} {b}"


def by_chance(n, k, p=0.03):
    """how likely at least @k of @n are abandoned when each is with @p: binomial"""
    return 1 - sum(math.comb(n, i) * p**i * (1 - p)**(n - i) for i in range(k))


def limit_is_kept(s):
    """3 % of who answered, as far as so few can tell"""
    for r in s.rows("SELECT c.name, sum(CASE WHEN a.answer_ms IS NOT NULL THEN 1 ELSE 0 END) AS answered, sum(a.abandoned) AS abandoned"
                    " FROM attempt a JOIN campaigns c ON c.id = a.campaign_id WHERE a.mode = 'predictive' GROUP BY c.name"):
        print(f"{r['name']}: {r['answered']} answered, {r['abandoned']} abandoned")
        if by_chance(r["answered"], r["abandoned"]) < 1e-4:
            yield f"too many were abandoned: {r}"


def enough_happened(s, a):
    n, = s.database.row("SELECT count(*) FROM attempt WHERE begin_ms IS NOT NULL AND result <> 'returned'")
    results = {r["result"]: r["n"] for r in s.rows("SELECT result, count(*) AS n FROM attempt GROUP BY result ORDER BY result")}
    print(f"{len(lines(s, 'dialled'))} INVITEs, {n} attempts:", *(f"{k}={v}" for k, v in results.items()))
    for mode in ("progressive", "predictive"):
        if not s.rows("SELECT 1 AS n FROM attempt WHERE mode = ? AND result = 'answered' LIMIT 1", mode):
            yield f"nobody was reached by {mode} dialling: the test means nothing"
    if not results.get("unknown"):
        yield "no kill hit a call: the test means nothing"


def tool(s, *args):
    out = subprocess.run([HUAWU, *args, "--db", s.database.url], capture_output=True, text=True)
    if out.returncode:
        yield f"huawu {args}: {out.stdout}{out.stderr}"


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--seconds", type=float, default=16)
    p.add_argument("--kills", type=int, default=4)
    p.add_argument("--leads", type=int, default=500)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--keep", action="store_true")
    a = p.parse_args()
    rnd = random.Random(a.seed)
    s = Mortal()
    net = None
    with s:
        made = seed(s, a.leads)
        s.start()
        net = network(s, a)
        try:
            boss = s.api("boss", PASSWORD)
            to_work(s)
            fill(s, boss, made)
            for k in range(a.kills):
                wait_for("a dial", lambda n=len(lines(s, "dialled")): len(lines(s, "dialled")) > n + 3, 60)
                time.sleep(rnd.uniform(0.2, 2) * a.seconds / max(1, a.kills) / 2)
                s.come_back()
                if k % 3 == 2:  # dies again while it recovers or has just begun
                    time.sleep(rnd.uniform(0, 0.3))
                    s.come_back()
                to_work(s)
            time.sleep(a.seconds / max(1, a.kills))
            stop(s, boss, made)
        finally:
            net.terminate()
            net.wait(20)
        code = s.stop()
        wrong = [f"the server ended with {code}"] if code else []
        for check in (enough_happened(s, a), no_dial_after_stop(s, made), leads_are_whole(s, a.leads), log_and_records_agree(s), nobody_twice(s), limit_is_kept(s),
                      tool(s, "verify"), tool(s, "replay", "--check")):
            wrong += check
        for w in wrong[:20]:
            print("WRONG:", w)
        assert not wrong and not a.keep, f"{len(wrong)} wrong"
    print("1 passed, 0 failed")


if __name__ == "__main__":
    main()
