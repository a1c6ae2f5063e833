#!/usr/bin/env python3
"""Power loss, as far as one machine can play it: the process is killed and its ring, which lives in memory, is gone. What the database
has must be consistent: nothing open after the next start, the chain whole, and only the last moments missing (the figure is printed).

    ring_lost.py [--rounds 5] [--build build]
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kill9  # noqa: E402


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--build", default=os.environ.get("BUILD", os.path.join(kill9.TOP, "build")))
    p.add_argument("--port", type=int, default=15160)
    a = p.parse_args()
    folder = tempfile.mkdtemp(prefix="huawu-ring.")
    srv = kill9.Server(a, folder)
    ring = srv.ring
    srv.seed(20, kill9.free_port("127.0.0.2"))
    wrong = []
    worst = 0
    try:
        for k in range(a.rounds):
            srv.start()
            srv.wait_up()
            caller = kill9.sipp(folder, f"caller{k}", "caller.xml",
                                [srv.sip, "-i", "127.0.0.3", "-p", str(kill9.free_port("127.0.0.3")), "-s", "q", "-r", "40", "-l", "100", "-m", "400", "-key",
                                 "run", f"p{k}"])
            time.sleep(1 + 0.13 * k)
            now = time.time() * 1000
            srv.kill()
            os.unlink(ring)
            caller.kill()
            caller.wait()
            last, n = srv.data.row("SELECT max(at_ms) AS last, count(*) AS n FROM event")
            worst = max(worst, now - last)
            if n < 200 * (k + 1):
                wrong.append(f"round {k}: only {n} events, too little traffic for the test to mean anything")
        srv.start()
        srv.wait_up()
        if srv.stop():
            wrong.append("the server did not end well")
        for table in ("call", "leg", "segment", "offer", "activity"):
            n, = srv.data.row(f"SELECT count(*) FROM {table} WHERE end_ms IS NULL")
            if n:
                wrong.append(f"{n} rows of {table} are open")
        verify = subprocess.run([srv.exe, "verify", "--db", srv.data.url], capture_output=True, text=True)
        if verify.returncode:
            wrong.append("huawu verify: " + verify.stdout + verify.stderr)
    finally:
        if srv.p and srv.p.poll() is None:
            srv.kill()
        if os.path.exists(ring):
            os.unlink(ring)
        shutil.rmtree(folder)
    for w in wrong:
        print("WRONG:", w)
    print(f"at most {worst:.0f} ms of events were missing")
    print(f"{a.rounds - min(len(wrong), a.rounds)} passed, {len(wrong)} failed")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
