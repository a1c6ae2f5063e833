#!/usr/bin/env python3
"""kill -9 at seeded moments while calls are set up, answered, committed, recovered: no answered call may be missing from the records,
none counted twice, none left open, and neither side may stay in a dead call. SIPp's own logs are the truth.

    kill9.py [--kills 30] [--seed 1] [--build build] [--keep]       some two minutes for 200 kills

Half of the callers are bridged to a number, half go through a queue. Traffic is bounded: at most 50 calls at once on 127.0.0.0/8.
"""
import argparse
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(TOP, "tests", "lib"))
from data import Data  # noqa: E402


class Server:
    """huawu serve on an own data folder; it can be killed and started anew as often as one likes"""

    def __init__(self, a, folder, data=None):
        self.exe = os.path.join(os.path.abspath(a.build), "huawu")
        self.dir = folder
        self.p = None
        self.starts = 0
        self.port = a.port
        self.sip = f"127.0.0.1:{a.port}"
        self.ring = f"/dev/shm/{os.path.basename(folder)}.ring"
        self.cmd = [self.exe, "serve", "--data", folder, "--ring", self.ring, "--sip", self.sip, "--http", f"127.0.0.1:{a.port + 1}",
                    "--rtp-bind", "127.0.0.1", "--rtp-min", "11000", "--rtp-max", "14999", "--log", "warn"]
        self.data = data or Data(folder)
        self.cmd += self.data.options()

    def seed(self, agents, phones):
        """the benchmark's rows; the telephones, which all have one address, at the port @phones of this run's own"""
        subprocess.run([self.exe, "seed", "bench", "--agents", str(agents), "--db", self.data.url], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        for table, column in (("devices", "static_uri"), ("numbers", "uri")):
            self.data.execute(f"UPDATE {table} SET {column} = replace({column}, ':28090', ':{phones}')")

    def start(self):
        self.starts += 1
        self.log = open(os.path.join(self.dir, "server.log"), "ab")
        self.p = subprocess.Popen(self.cmd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log)

    def wait_up(self, limit=20):
        end = time.time() + limit
        for line in self.p.stdout:
            if line.startswith(b"sip="):
                return
            if time.time() > end:
                break
        raise SystemExit(f"server did not start, see {self.dir}/server.log")

    def kill(self):
        self.p.send_signal(signal.SIGKILL)
        self.p.wait()
        self.p.stdout.close()
        self.log.close()

    def stop(self):
        self.p.terminate()
        code = self.p.wait(40)
        self.p.stdout.close()
        self.log.close()
        return code


def free_port(host):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((host, 0))
        return s.getsockname()[1]


def sipp(folder, name, scenario, args):
    cmd = ["sipp", "-sf", os.path.join(HERE, scenario), "-nostdin", "-timer_resol", "1", "-trace_logs", "-log_file", f"{name}.log",
           "-trace_err", "-error_file", f"{name}.err", "-mi", "127.0.0.9"] + args
    return subprocess.Popen(cmd, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


LINE = re.compile(r"^([A-Z]) (\S+) ")


def marks(folder, name):
    """{letter: set of users} of a SIPp log; a line that SIPp was killed in the middle of is left out"""
    out = {}
    try:
        with open(os.path.join(folder, f"{name}.log"), errors="replace") as f:
            for line in f:
                m = LINE.match(line)
                if m and line.endswith("\n"):
                    out.setdefault(m[1], []).append(m[2])
    except OSError:
        pass
    return out


def compare(folder, db, a):
    """what the records say against what the phones saw; a list of sentences, empty when all is well"""
    rows = {}
    for r in db.rows("SELECT p.from_number, c.id, c.answer_ms, c.end_ms, c.by FROM call c JOIN call_pii p ON p.call_id = c.id"):
        user, call, answered, ended, by = r.values()
        rows.setdefault(user, []).append((call, answered, ended, by))
    wrong = []
    bridged, queued, agents = (marks(folder, n) for n in ("bridge", "queue", "agents"))
    answered = set(bridged.get("A", [])) | set(agents.get("K", []))
    for user in sorted(answered):
        n = [r for r in rows.get(user, []) if r[1]]
        if not n:
            wrong.append(f"caller {user} was answered, no record says so: {rows.get(user)}")
    for user in sorted(set(queued.get("A", []))):
        if not rows.get(user):
            wrong.append(f"caller {user} was accepted by the queue, there is no record")
    for user, n in rows.items():
        if sum(1 for r in n if r[1]) > 1:
            wrong.append(f"caller {user} is counted as answered more than once: {n}")
    for user, n in rows.items():
        for r in n:
            if not r[2] or not r[3]:
                wrong.append(f"call {r[0]} of {user} is open or does not say who ended it: {r}")
    for name, log in (("bridge", bridged), ("queue", queued)):
        for user in log.get("T", []):
            wrong.append(f"caller {user} ({name}) stayed in a dead call")
    for table, what in (("leg", "end_ms IS NULL"), ("segment", "end_ms IS NULL"), ("activity", "end_ms IS NULL"),
                        ("offer", "end_ms IS NULL"), ("recording_part", "state = 'open'")):
        n, = db.row(f"SELECT count(*) FROM {table} WHERE {what}")
        if n:
            wrong.append(f"{n} rows of {table} are open")
    n, = db.row("SELECT count(*) FROM segment a JOIN segment b ON a.call_id = b.call_id AND a.id < b.id "
                "WHERE a.end_ms > b.start_ms AND b.end_ms > a.start_ms")
    if n:
        wrong.append(f"{n} pairs of segments overlap")
    seen = {k: len(v) for log, pre in ((bridged, "b"), (queued, "q"), (agents, "g")) for k, v in
            ((pre + "." + x, y) for x, y in log.items())}
    print("seen:", " ".join(f"{k}={v}" for k, v in sorted(seen.items())), "records:", sum(map(len, rows.values())))
    if min(len(bridged.get("A", [])), len(queued.get("A", [])), len(agents.get("K", []))) < 2 * a.kills:
        wrong.append("too little traffic for the test to mean anything")
    return wrong


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--kills", type=int, default=30)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--build", default=os.environ.get("BUILD", os.path.join(TOP, "build")))
    p.add_argument("--port", type=int, default=15060)
    p.add_argument("--rate", type=int, default=15, help="calls a second, of each kind")
    p.add_argument("--keep", action="store_true")
    a = p.parse_args()
    rnd = random.Random(a.seed)
    folder = tempfile.mkdtemp(prefix="huawu-kill9.")
    srv = Server(a, folder)
    phones = free_port("127.0.0.2")
    srv.seed(40, phones)
    procs = []
    ok = False
    try:
        srv.start()
        srv.wait_up()
        procs.append(sipp(folder, "agents", "agent.xml", ["-i", "127.0.0.2", "-p", str(phones), "-d", "400", "-aa"]))
        time.sleep(0.5)
        for name, dest in (("bridge", "1000"), ("queue", "q")):
            procs.append(sipp(folder, name, "caller.xml",
                              [srv.sip, "-i", "127.0.0.3", "-p", str(free_port("127.0.0.3")), "-s", dest, "-r", str(a.rate),
                               "-l", "25", "-m", "1000000", "-aa", "-key", "run", name[0]]))
        for k in range(a.kills):
            # every fifth life is so short that it ends in recovery or start-up
            time.sleep(rnd.uniform(0, 0.12) if k % 5 == 4 else rnd.uniform(0.1, 1.0))
            srv.kill()
            srv.start()
            if k % 5 != 3:
                srv.wait_up()
        if a.kills % 5 == 4:
            srv.wait_up()
        for q in procs[1:]:
            q.send_signal(signal.SIGUSR1)  # SIPp: no new calls, finish those that are up
        for q in procs[1:]:
            try:
                q.wait(40)
            except subprocess.TimeoutExpired:
                q.kill()
        time.sleep(3)
        code = srv.stop()
        if code:
            print(f"server ended with {code}")
        wrong = compare(folder, srv.data, a)
        verify = subprocess.run([srv.exe, "verify", "--db", srv.data.url], capture_output=True, text=True)
        if verify.returncode:
            wrong.append("huawu verify: " + verify.stdout + verify.stderr)
        replay = subprocess.run([srv.exe, "replay", "--check", "--db", srv.data.url], capture_output=True, text=True)
        print("replay:", replay.stdout.strip().splitlines()[0] if replay.stdout else replay.stderr)
        if replay.returncode:
            wrong.append("huawu replay: " + replay.stdout + replay.stderr)
        for w in wrong[:20]:
            print("WRONG:", w)
        ok = not wrong and not code
        print(f"{a.kills} kills, seed {a.seed}: {'ok' if ok else f'{len(wrong)} wrong'}")
    finally:
        for q in procs:
            if q.poll() is None:
                q.kill()
        if srv.p and srv.p.poll() is None:
            srv.kill()
        if ok and not a.keep:
            shutil.rmtree(folder)
            os.remove(srv.ring)
            srv.data.drop()
        else:
            print("kept", folder)
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main()
