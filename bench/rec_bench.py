#!/usr/bin/env python3
"""How fast recordings are found, through the server. One JSON object a question.

    bench/rec_bench.py [--rows N] [--rounds N]      HUAWU names another program than build/huawu

N recorded calls (a million unless told) of 200 agents in 20 teams, 10,000 a day, with numbers, talks and a note each fifth, are put into the
database directly; only SQLite. About a gigabyte a million, removed at the end.
"""
import argparse
import json
import os
import sqlite3
import sys
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "lib"))
from centre import Centre, Refused, wait_for  # noqa: E402

PASSWORD = "nur-ein-test-7"
PEOPLE = {"boss": "admin", "lead": "lead", "agent": "agent"}
EPOCH_MS = 1735689600000  # ID_EPOCH_MS
A_DAY = 10_000


def user(login, role):
    return ("users", login, {"name": f"{login} 示例", "login": login, "role": role, "password": PASSWORD, "must_change_password": False, "team_id": "$t0"})


def fill(path, rows):
    """the newest call is of now; agent 0 and team 0 are those who ask"""
    db = sqlite3.connect(path)
    centre, = db.execute("SELECT id FROM centre").fetchone()
    agent, team = db.execute("SELECT id, team_id FROM users WHERE login = 'agent'").fetchone()
    now = int(time.time() * 1000)
    step = 86_400_000 // A_DAY
    queue, = db.execute("SELECT COALESCE(MIN(id), 1) FROM queues").fetchone()
    db.execute("PRAGMA synchronous = OFF")
    db.execute("PRAGMA cache_size = -400000")
    cols = "id, centre_id, login, name, must_change_password, role, team_id, lang, auto_answer, deskless, active, browser_codec, rev, created_ms, updated_ms"
    for i in range(1, 20):
        db.execute("INSERT INTO teams (id, centre_id, rev, created_ms, updated_ms, name) VALUES (?, ?, 1, 0, 0, ?)", (1000 + i, centre, f"组{i}"))
    db.executemany(f"INSERT INTO users ({cols}) VALUES (?, {centre}, ?, ?, 0, 'agent', ?, 'zh', 0, 0, 1, 'auto', 1, 0, 0)",
                   [(2000 + i, f"a{i}", f"坐席{i}", team if i % 20 == 0 else 1000 + i % 20) for i in range(1, 200)])

    def each():
        for i in range(rows):
            at = max(EPOCH_MS + i, now - (rows - i) * step)
            who = agent if i % 200 == 0 else 2000 + i % 200
            yield i, ((at - EPOCH_MS) << 22) + i % 4096, at, who, team if i % 20 == 0 else 1000 + i % 20

    def many(sql, make):
        db.executemany(sql, (make(*x) for x in each()))
    many("INSERT INTO call (id, centre_id, dir, queue_id, campaign_id, agent_id, first_agent_id, start_ms, answer_ms, end_ms, talk_ms, by, rec_n, rec_ms, rec_silence_ms)"
         f" VALUES (?1, {centre}, ?2, ?3, ?4, ?5, ?5, ?6, ?6 + 5000, ?6 + 5000 + ?7, ?7, ?8, 1, ?7, ?9)",
         lambda i, c, at, u, t: (c, "out" if i % 3 else "in", queue + i % 8, 50 + i % 12 if i % 3 else None, u, at, 5000 + i * 7919 % 600_000,
                                 ("customer", "agent", "customer", "customer", "line")[i % 5], i * 31 % 40_000))
    many(f"INSERT INTO call_pii (call_id, centre_id, from_number, to_number, tail) VALUES (?, {centre}, ?, ?, ?)",
         lambda i, c, at, u, t: (c, f"+86138{i * 7 % 100_000_000:08d}", "4001", f"{i * 7 % 10_000:04d}"))
    many(f"INSERT INTO segment (id, centre_id, call_id, type, start_ms, end_ms, agent_id, team_id) VALUES (?, {centre}, ?, 'talk', ?, ?, ?, ?)",
         lambda i, c, at, u, t: (10_000_000 + i, c, at, at + 1000, u, t))
    many("INSERT INTO recording_part (id, centre_id, call_id, path, start_ms, end_ms, state, dur_ms, bytes, left_ms, right_ms, over_ms, silence_ms)"
         f" VALUES (?, {centre}, ?, 'x', ?, ?, 'closed', 60000, 960058, 20000, 30000, 1000, ?)",
         lambda i, c, at, u, t: (20_000_000 + i, c, at, at + 60_000, i * 31 % 40_000))
    text = ["要求补发", "约回访", "地址有误", "已报价", "退款申请"]
    db.executemany("INSERT INTO notes (id, centre_id, rev, created_ms, updated_ms, call_id, user_id, at_ms, result_id, reason_id, text, done)"
                   f" VALUES (?1, {centre}, 1, ?2, ?2, ?3, ?4, ?2, ?5, ?6, ?7, 1)",
                   ((30_000_000 + i, at, c, u, 1 + i // 5 % 9, 1 + i // 5 % 14, text[i // 5 % 5]) for i, c, at, u, t in each() if i % 5 == 0))
    db.executemany("INSERT INTO call_mark (call_id, centre_id, at_ms, tags, excellent) VALUES (?, ?, ?, ?, ?)",
                   ((c, centre, at, ",投诉," if i % 1000 == 0 else ",交接,", int(i % 4000 == 0)) for i, c, at, u, t in each() if i % 500 == 0))
    db.commit()
    db.close()
    return now, agent, team, queue


def ask(api, query, rounds):
    times = []
    for _ in range(rounds):
        begun = time.monotonic()
        r = api.get("/recordings?" + urllib.parse.urlencode(query))
        times.append((time.monotonic() - begun) * 1000)
    times.sort()
    return {"p50_ms": round(times[rounds // 2], 1), "worst_ms": round(times[-1], 1), "rows": len(r["items"])}


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--rows", type=int, default=1_000_000)
    args.add_argument("--rounds", type=int, default=10)
    args.add_argument("--port", type=int, default=7_300)
    a = args.parse_args()
    with Centre(a.port) as centre:
        centre.seed(("teams", "t0", {"name": "一组"}), *(user(*p) for p in PEOPLE.items()))
        begun = time.monotonic()
        now, agent, team, queue = fill(os.path.join(centre.data, "huawu.db"), a.rows)
        print(json.dumps({"rows": a.rows, "filled_s": round(time.monotonic() - begun), "mb": os.path.getsize(os.path.join(centre.data, "huawu.db")) >> 20}), flush=True)
        centre.start()
        week, month = {"from_ms": now - 7 * 86_400_000}, {"from_ms": now - 30 * 86_400_000}
        questions = {
            "newest": {}, "a week": week, "an old week": {"from_ms": now - 60 * 86_400_000, "to_ms": now - 53 * 86_400_000},
            "agent, month": {**month, "agent_id": agent}, "agent, all": {"agent_id": agent}, "team, month": {**month, "team_id": team}, "team, all": {"team_id": team},
            "queue, week": {**week, "queue_id": queue}, "project, month": {**month, "campaign_id": 55}, "last four": {"q": "3571"}, "number": {"q": "13800003571"},
            "result, month": {**month, "result_id": 3}, "result and reason, all": {"result_id": 3, "reason_id": 8}, "longer than 9:50, week": {**week, "min_s": 590},
            "silence over 39 s, month": {**month, "silence_s": 39}, "nothing is so long, all": {"silence_s": 400}, "in, by line, month": {**month, "dir": "in", "by": "line"},
            "tag, all": {"tag": "投诉"}, "excellent, all": {"excellent": 1}, "agent, in, long, month": {**month, "agent_id": agent, "dir": "in", "min_s": 300},
        }
        for login in PEOPLE:
            def there():
                try:
                    return centre.api(login, PASSWORD)
                except (OSError, Refused):
                    return None
            api = wait_for("the API", there, 60)
            for name, query in questions.items():
                print(json.dumps({"who": login, "ask": name, **ask(api, query, a.rounds)}, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
