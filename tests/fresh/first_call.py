#!/usr/bin/env python3
"""How long `make run` takes to the page and to the first call of today in the history, as its reader would see it:

    tests/fresh/first_call.py [command]       default: `make run`, in the current folder; stopped by Ctrl-C's signal in the end

With a command of fresh.sh (`sudo tests/fresh/fresh.sh -k make run`) it is the fresh machine's. In a network namespace of its own
(`unshare -n`, `ip link set lo up`) other demos on this machine are not in the way.
"""
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import centre as c  # noqa: E402

BASE = "http://127.0.0.1:8080"


def page():
    try:
        with c.urllib.request.urlopen(BASE + "/", timeout=2) as r:
            return b"<html" in r.read().lower()
    except OSError:
        return False


def ended_call(api, since_ms):
    return [x for x in api.get("/calls", from_ms=since_ms)["items"] if x["end_ms"]]


def main():
    start, start_ms = time.monotonic(), int(time.time() * 1000)
    run = subprocess.Popen(sys.argv[1:] or ["make", "run"], stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        c.wait_for("the page", lambda: page() or run.poll() is not None, 1200)
        assert run.poll() is None, f"it ended with {run.returncode}"
        print(f"page after {time.monotonic() - start:.1f} s", flush=True)
        api = c.Api(BASE)
        api.csrf = api.post("/session", {"demo": "admin"})["csrf"]
        print(f"history {len(api.get('/calls', limit=100)['items'])} calls or more", flush=True)
        call = c.wait_for("a call that was made and has ended", lambda: ended_call(api, start_ms), 180)[0]
        print(f"first call after {time.monotonic() - start:.1f} s: {call}", flush=True)
    finally:
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGINT)
            print(f"stopped with {run.wait(30)}")


main()
