#!/usr/bin/env python3
"""The same virtual day, written through the log on SQLite and on PostgreSQL, makes the same rows in every table.

    same_records.py [--calls 1500] [--seed 3] [--restart 300]      also prints events a second on both
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lib"))
import centre as c  # noqa: E402
import postgres  # noqa: E402
from data import SERVER, Data  # noqa: E402

# What is drawn by chance (salts, and the hashes over them) or is the moment of writing.
LEFT_OUT = {"event": {"pii", "hash"}, "event_pii": {"salt"}, "epoch": {"taken_ms"}, "schema_migration": {"applied_ms"}}
TABLES = ["epoch", "event", "event_pii", "call", "call_pii", "leg", "leg_dialog", "orphan", "segment", "activity", "offer", "attempt", "campaign_pace", "recording_part",
          "rollup_agent_day", "rollup_agent_slot", "rollup_queue_slot", "schema_migration"]


def made(a, data):
    """the rows of every table, and how long it took"""
    begin = time.monotonic()
    out = subprocess.run([c.HUAWU, "sim", "day", "--db", data.url, "--calls", str(a.calls), "--seed", str(a.seed), "--restart", str(a.restart)],
                         capture_output=True, text=True)
    took = time.monotonic() - begin
    assert out.returncode == 0, out.stderr
    for tool in (["verify"], ["replay", "--check"]):
        done = subprocess.run([c.HUAWU, *tool, "--db", data.url], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    tables = {}
    for t in TABLES:
        rows = [json.dumps({k: v for k, v in r.items() if k not in LEFT_OUT.get(t, ())}, sort_keys=True, ensure_ascii=False)
                for r in data.rows(f"SELECT * FROM {t}")]
        tables[t] = sorted(rows)
    return tables, took


def both_engines_make_the_same_records():
    folder = tempfile.mkdtemp(prefix="huawu-same.")
    server = SERVER or postgres.Cluster().url
    lite, pg = Data(folder, ""), Data(folder, server)
    a, a_s = made(options, lite)
    b, b_s = made(options, pg)
    for t in TABLES:
        more, less = set(a[t]) - set(b[t]), set(b[t]) - set(a[t])
        assert a[t] == b[t], f"{t}: {len(a[t])} and {len(b[t])} rows; only SQLite: {sorted(more)[:2]}, only PostgreSQL: {sorted(less)[:2]}"
    n = len(a["event"])
    assert n > 5 * options.calls and len(a["call"]) > options.calls / 2 and len(a["rollup_agent_slot"]) > 100, "too little happened"
    print(f"{n} events, {sum(map(len, a.values()))} rows alike; events/s: SQLite {n / a_s:.0f}, PostgreSQL {n / b_s:.0f}")
    pg.drop()
    shutil.rmtree(folder)


p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("--calls", type=int, default=1500)
p.add_argument("--seed", type=int, default=3)
p.add_argument("--restart", type=int, default=300)
options = p.parse_args()
c.need("psql")
if not postgres.programs():
    c.skip("PostgreSQL is not installed")
c.run_tests([both_engines_make_the_same_records])
