#!/usr/bin/env python3
"""How fast lists of customers answer, through the server, for roles with different scopes. One JSON object a question.

    bench/list_bench.py [--rows N]      HUAWU names another program than build/huawu

Customers are put into the database directly, 500 an agent and a tenth in the pool; only SQLite.
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
PEOPLE = {"boss": "admin", "lead": "lead", "head": "orders", "agent": "agent"}
ROUNDS = 20


def user(login, role):
    return ("users", login, {"name": f"{login} 示例", "login": login, "role": role, "password": PASSWORD, "must_change_password": False, "team_id": "$t0"})


def fill(path, rows):
    """200 agents in 20 teams have them in turn; the four who ask are of the first team"""
    db = sqlite3.connect(path)
    centre, = db.execute("SELECT id FROM centre").fetchone()
    agent, team = db.execute("SELECT id, team_id FROM users WHERE login = 'agent'").fetchone()
    now = int(time.time() * 1000)
    db.execute("PRAGMA synchronous = OFF")
    for i in range(19):
        db.execute("INSERT INTO teams (id, centre_id, rev, created_ms, updated_ms, name) VALUES (?, ?, 1, 0, 0, ?)", (1000 + i, centre, f"组{i}"))
    cols = "id, centre_id, login, name, must_change_password, role, team_id, lang, auto_answer, deskless, active, browser_codec, rev, created_ms, updated_ms"
    db.executemany(f"INSERT INTO users ({cols}) VALUES (?, {centre}, ?, ?, 0, 'agent', ?, 'zh', 0, 0, 1, 'auto', 1, 0, 0)",
                   [(2000 + i, f"a{i}", f"坐席{i}", 1000 + i % 19) for i in range(1, 200)])
    owners = max(1, rows // 500)

    def customers():
        for i in range(rows):
            o = i % owners
            mine = None if i % 10 == 9 else agent if o == 0 else 2000 + 1 + o % 199
            t = None if mine is None else team if o == 0 else 1000 + (1 + o % 199) % 19
            yield (10_000_000 + i, centre, now - (rows - i) * 60_000, f"客户{i:07d}", f"kehu{i:07d}", f"+86138{i:08d}", 20 + i % 50, mine, t,
                   now + (i % 2000 - 1000) * 3_600_000, ",vip," if i % 100 == 0 else None)
    db.executemany("INSERT INTO customers (id, centre_id, rev, created_ms, updated_ms, name, name_sort, phone, age, owner_id, team_id, next_ms, tags, contact_n, state)"
                   " VALUES (?1, ?2, 1, ?3, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0, 'active')", customers())
    db.execute("ANALYZE")
    db.commit()
    db.close()


def ask(api, query):
    times = []
    for _ in range(ROUNDS):
        begun = time.monotonic()
        r = api.get("/customers?" + urllib.parse.urlencode(query))
        times.append((time.monotonic() - begun) * 1000)
    times.sort()
    return {"p50_ms": round(times[ROUNDS // 2], 1), "worst_ms": round(times[-1], 1), "rows": len(r["items"]), "total": r["total"]}


QUESTIONS = {
    "newest": {}, "by name": {"sort": "name"}, "due today and overdue": {"next_ms.rel": "overdue", "sort": "next_ms"},
    "mine": {"owner_id": "me"}, "pool": {"owner_id.empty": "true"}, "tag": {"tags.any": "vip"},
}


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--rows", type=int, default=1_000_000)
    a = args.parse_args()
    with Centre(7_200) as centre:
        centre.seed(("teams", "t0", {"name": "一组"}), *(user(*p) for p in PEOPLE.items()))
        fill(os.path.join(centre.data, "huawu.db"), a.rows)
        centre.start()
        for login, role in PEOPLE.items():
            def there():
                try:
                    return centre.api(login, PASSWORD)
                except (OSError, Refused):
                    return None
            api = wait_for("the API", there, 60)
            for name, query in QUESTIONS.items():
                try:
                    got = ask(api, {"limit": 50, **query})
                except Refused as e:
                    got = {"refused": str(e)[:200]}
                print(json.dumps({"bench": "list", "customers": a.rows, "role": role, "question": name, **got}, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
