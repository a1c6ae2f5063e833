#!/usr/bin/env python3
"""A day of the simulated city, in real time and faster, against a real server: 84 agents dial 8,000 customers ahead. Prints a JSON object.

    city_day.py [--agents 84] [--calls 8000] [--faster 10] [--answer 0.4] [--port 19300]      the server: $HUAWU, or build/huawu
"""
import argparse
import json
import os
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "tests", "lib"))
from centre import HUAWU, Centre, wait_for  # noqa: E402

PASSWORD = "nur-ein-test-7"
TALK_S, WRAP_S = 135, 20


def seed(s, a):
    rows = [("trunks", "t", {"name": "carrier", "host": "127.0.0.3", "port": a.port + 60}),
            ("users", "boss", {"name": "班长(示例)", "login": "boss", "password": PASSWORD, "role": "admin", "must_change_password": False}),
            ("campaigns", "c", {"name": "day", "mode": "predictive", "hours": "00:00-24:00", "basis": "consent", "basis_text": "form", "limit_permille": 30,
                                "wrapup_s": max(1, round(WRAP_S / a.faster)), "attempts_max": 1})]
    for n in range(a.agents):
        rows += [("users", f"u{n}", {"name": f"坐席(示例){n}", "login": f"agent{n}", "extension": str(8000 + n), "password": PASSWORD, "must_change_password": False}),
                 ("devices", f"d{n}", {"name": f"d{n}", "user_id": f"$u{n}", "kind": "static", "static_uri": f"sip:d{n}@127.0.0.2:{a.port + 62}"}),
                 ("campaign_agents", f"a{n}", {"campaign_id": "$c", "user_id": f"$u{n}"})]
    for i in range(a.calls):
        rows.append(("customers", f"k{i}", {"name": f"客户(示例){i}", "phones": [{"number": f"+86138{i:08d}"}]}))
    made = s.seed(*rows)
    s.database.execute("UPDATE calling_windows SET hours = NULL, days = NULL")
    return made


def cpu_s(pid):
    with open(f"/proc/{pid}/stat") as f:
        v = f.read().rsplit(")", 1)[1].split()
    return (int(v[11]) + int(v[12])) / os.sysconf("SC_CLK_TCK")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--agents", type=int, default=84)
    p.add_argument("--calls", type=int, default=8000)
    p.add_argument("--faster", type=float, default=10)
    p.add_argument("--answer", type=float, default=0.4)
    p.add_argument("--port", type=int, default=19300)
    p.add_argument("--seconds", type=int, default=3600, help="at most")
    a = p.parse_args()
    s = Centre(a.port, ["--rtp-min", "30000", "--rtp-max", "31998", "--log", "warn"])
    with s:
        made = seed(s, a)
        s.start()
        net = subprocess.Popen([HUAWU, "sim", "net", "--server", s.sip, "--carrier", f"127.0.0.3:{a.port + 60}", "--phones-at", f"127.0.0.2:{a.port + 62}",
                                "--any-phone", "--city", str(a.answer), "--hour", "10", "--faster", str(a.faster), "--talk", str(TALK_S), "--hangs-up", "0", "--with-parent"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        boss = s.api("boss", PASSWORD)
        for n in range(a.agents):
            s.api(f"agent{n}", PASSWORD).post("/desk/login", {"device": f"d{n}", "ready": True})
        path = f"/campaigns/{made['c']['id']}"
        ids = [made[f"k{i}"]["id"] for i in range(a.calls)]
        for i in range(0, len(ids), 500):
            boss.post(path + "/leads", {"ids": ids[i:i + 500], "count": len(ids[i:i + 500])})
            wait_for("the leads", lambda: not boss.get(path + "/job")["running"], 120)
        began, cpu = time.time(), cpu_s(s.process.pid)
        boss.post(path + "/start")
        undialled = "SELECT count(*) AS n FROM campaign_leads WHERE attempts = 0 AND state IN ('open', 'claimed')"
        while s.rows(undialled)[0]["n"] and time.time() < began + a.seconds:
            time.sleep(1)
        took, cpu = time.time() - began, cpu_s(s.process.pid) - cpu
        boss.post(path + "/stop")
        wait_for("the last claim", lambda: not s.rows("SELECT 1 AS n FROM dial_claims WHERE state = 'open' LIMIT 1"), 300, 1)
        net.terminate()
        seen = json.loads(net.communicate(timeout=30)[0].strip().splitlines()[-1])
        got, = s.rows("SELECT count(*) AS attempts, sum(CASE WHEN answer_ms IS NOT NULL THEN 1 ELSE 0 END) AS answered, sum(abandoned) AS abandoned,"
                      " sum(CASE WHEN connect_ms IS NOT NULL THEN end_ms - connect_ms ELSE 0 END) AS talk_ms FROM attempt WHERE begin_ms IS NOT NULL AND result <> 'returned'")
        results = {r["result"]: r["n"] for r in s.rows("SELECT result, count(*) AS n FROM attempt WHERE begin_ms IS NOT NULL GROUP BY result ORDER BY result")}
    print(json.dumps({"bench": "city_day", "agents": a.agents, "faster": a.faster, "took_s": round(took, 1), "invites": seen["carrier"]["calls"], **got,
                      "abandoned_pct": round(100 * got["abandoned"] / max(1, got["answered"]), 2), "talk_pct": round(got["talk_ms"] / 10 / a.agents / took, 1),
                      "server_cpu_ms_per_call": round(1000 * cpu / max(1, got["attempts"]), 2), "results": results}))


main()
