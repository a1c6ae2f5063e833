#!/usr/bin/env python3
"""Runs tests and closes with 'N passed, N failed, N skipped'.

  run_tests.py [--build DIR] units [module ...]   the unit test programs DIR/test_<module>
  run_tests.py [--build DIR] calls                units and SANITIZED: what sanitizers see
  run_tests.py [--build DIR] all                  units, include check, page, tests/

In tests/ every executable file is a test, but for those in tests/fresh. It is run from the
repository's root with HUAWU (the program) and BUILD in its environment; it passes by exit code 0, is skipped
by 77 (its last line says why), and may close with its own 'N passed, N failed', which is then counted.
What touches data runs a second time on PostgreSQL (HW_TEST_DB names a private server, tests/lib/postgres.py):
with `all` every such unit test and some of tests/, else the module db.
Where network namespaces can be made (root), each test has its own, so that no two want the same port.
Output goes to DIR/test-logs; what failed is shown. Telephones and media play in real time and miss their moment on a machine that is
too busy: what failed is run once more, alone, at the end, and fails only when it fails again.
"""
import argparse
import itertools
import os
import queue
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/lib"))
import postgres  # noqa: E402

# Which of a module's tests: those with the word in their name.
DATA_MODULES = {"db": "", "journal": "", "find": "", "resource": "", "people": "", "api": "", "walk": "", "journal_crash": "", "sim": "import"}
DATA_MODULES_BRIEF = {"db": ""}
# Of tests/, with fewer rounds than on SQLite.
DATA_SYSTEM = [["tests/calls/queue_to_phone.py"], ["tests/crash/kill9.py", "--kills", "8"]]
BESIDE = 4 # how many at a time: most wait more than they compute
FIRST = "tests/browser/pages_test.mjs" # of the browsers: it takes longest
# A network with loopback and a private address, behind which nobody is: some telephones want one.
ALONE = ["unshare", "--net", "--", "sh", "-c", "ip link set lo up && ip link add eth0 type veth peer name eth1 && ip addr add 172.31.253.1/30 dev eth0"
         ' && ip link set eth0 addrgenmode none up && ip link set eth1 addrgenmode none up && exec "$0" "$@"']
# Of tests/, what sanitizers see beside the unit tests: load and ugly input.
SANITIZED = {"tests/calls/disk_full.py", "tests/calls/load.py", "tests/calls/queue_to_phone.py", "tests/sip/hostile.py", "tests/sip/monkey.py",
             "tests/sip/sip_calls_test.py", "tests/sip/strangers_test.py"}
PLAIN = re.compile(r"^(?:\w+: )?(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$")
ANSI = re.compile(r"\x1b\[[0-9;]*m")


class Totals:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def add(self, passed, failed, skipped=0):
        self.passed += passed
        self.failed += failed
        self.skipped += skipped


def count_cmocka(text):
    return (len(re.findall(r"^\[       OK \]", text, re.M)),
            len(set(re.findall(r"^\[  FAILED  \] ([a-z]\w+)", text, re.M))),
            len(set(re.findall(r"^\[  SKIPPED \] (\w+)$", text, re.M))))


def count_vitest(text):
    m = re.findall(r"^\s*Tests\s+(.*)\(\d+\)", text, re.M)
    words = dict((w, int(n)) for n, w in re.findall(r"(\d+) (passed|failed|skipped)", m[-1])) if m else {}
    return words.get("passed", 0), words.get("failed", 0), words.get("skipped", 0)


def count_plain(text):
    for line in reversed(text.rstrip().splitlines()[-3:]):
        m = PLAIN.match(line.strip())
        if m:
            return int(m.group(1)), int(m.group(2)), int(m.group(3) or 0)
    return 0, 0, 0


class Test:
    def __init__(self, name, command, count, timeout=600, cwd=ROOT, env=None):
        self.name, self.command, self.count, self.timeout, self.cwd, self.env = name, command, count, timeout, cwd, env or {}

    def run(self, log_dir, env, prefix):
        """(test, exit code, what it printed, seconds, CPU seconds of it and of its children that ended before it)"""
        log = log_dir / (re.sub(r"\W+", "_", self.name) + ".log")
        start, code, cpu = time.time(), -1, 0
        with open(log, "w+", errors="replace") as f:
            try:
                child = subprocess.Popen(prefix + self.command, cwd=self.cwd, env={**env, **self.env}, stdin=subprocess.DEVNULL, stdout=f, stderr=subprocess.STDOUT)
                pid = 0
                while not pid and time.time() < start + self.timeout:
                    time.sleep(0.05)
                    pid, status, used = os.wait4(child.pid, os.WNOHANG)
                if not pid:
                    f.write(f"\ntook longer than {self.timeout} s\n")
                    child.kill()
                    pid, status, used = os.wait4(child.pid, 0)
                else:
                    code = os.waitstatus_to_exitcode(status)
                child.returncode, cpu = code, used.ru_utime + used.ru_stime
            except OSError as e:
                f.write(f"\n{e}\n")
        text = ANSI.sub("", log.read_text(errors="replace"))
        return self, code, text, time.time() - start, cpu


def judge(result, totals, again=None):
    """Counts one finished test, prints its line and, when it failed, the end of its output. With @again, a failed one is put there instead."""
    test, code, text, secs, cpu = result
    took = f"({secs:.1f} s, CPU {cpu:.1f} s)"
    last = text.rstrip().splitlines()[-1:] or [""]
    if code == 77:
        totals.add(0, 0, 1)
        print(f"skip  {test.name}: {last[0]}", flush=True)
        return
    passed, failed, skipped = test.count(text)
    if code and not failed:
        failed = 1
    if not code and not failed and not passed and not skipped:
        passed = 1
    if failed and again is not None:
        again.append(test)
    else:
        totals.add(passed, failed, skipped)
    what = f"{passed} passed" + (f", {skipped} skipped" if skipped else "")
    if not failed:
        print(f"ok    {test.name}: {what} {took}", flush=True)
        return
    print(f"FAIL  {test.name}: {what}, {failed} failed, exit {code} {took}")
    lines = text.rstrip().splitlines()
    shown = [l for l in lines if re.search(r"FAILED|\[  ERROR|SUMMARY:|runtime error|Assert", l)][:20] + lines[-30:]
    print("\n".join("      | " + l for l in shown), flush=True)


def alone():
    """what runs a command in a network of its own, where that is possible"""
    ok = subprocess.run(ALONE + ["true"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    return ALONE if ok else []


def unit_tests(build, only):
    return [Test(p.name, [str(p)], count_cmocka, 600) for p in sorted(build.glob("test_*"))
            if p.is_file() and os.access(p, os.X_OK) and "." not in p.name
            and (not only or p.name.removeprefix("test_") in only)]


def module_of(test):
    return test.name.removeprefix("test_")


def on_postgres(units, what):
    """the data tests again, on a server that lives until we end; (units, of tests/)"""
    modules = DATA_MODULES if what == "all" else DATA_MODULES_BRIEF
    again = [t for t in units if module_of(t) in modules]
    if not again:
        return [], []
    if not postgres.programs():
        print("skip  PostgreSQL is not installed")
        return [], []
    env = {"HW_TEST_DB": postgres.Cluster().url}
    system = DATA_SYSTEM if what == "all" else []
    return ([Test(t.name + " on postgresql", t.command + [modules[module_of(t)]] * bool(modules[module_of(t)]), t.count, t.timeout, t.cwd, env) for t in again],
            [Test(" ".join(c) + " on postgresql", [str(ROOT / c[0])] + c[1:], count_plain, 900, env=env) for c in system
             if (ROOT / c[0]).exists()])


def page_tests():
    web = ROOT / "web"
    if not (web / "package.json").exists():
        return []
    scripts = __import__("json").loads((web / "package.json").read_text()).get("scripts", {})
    tests = [Test("web: " + s, ["npm", "run", "--silent", s], count_plain, 600, web)
             for s in ("check", "typecheck", "lint") if s in scripts]
    if "test" in scripts:
        tests.append(Test("web: test", ["npm", "run", "--silent", "test"], count_vitest, 600, web))
    return tests


def system_tests(folders=("",)):
    found = [p for d in folders for p in sorted((ROOT / "tests" / d).rglob("*")) if p.is_file() and os.access(p, os.X_OK)
             and "fresh" not in p.relative_to(ROOT).parts]
    tests = [Test(str(p.relative_to(ROOT)), [str(p)], count_plain, 900) for p in found]
    return [part for t in tests for part in (browser_files(t) if t.name == "tests/browser/run.mjs" else [t])]


def woven(tests):
    """browsers, which compute, among the others, which wait"""
    browsers = sorted((t for t in tests if t.name.startswith("tests/browser/")), key=lambda t: t.name != FIRST)
    rest = [t for t in tests if t not in browsers]
    return [t for pair in itertools.zip_longest(browsers, rest) for t in pair if t]


def browser_files(test):
    return [Test(f"tests/browser/{p.name}", test.command + [p.name], count_plain, 900) for p in sorted((ROOT / "tests/browser").glob("*_test.mjs"))]


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--build", default="build")
    ap.add_argument("what", choices=["units", "calls", "all"])
    ap.add_argument("only", nargs="*", help="modules")
    args = ap.parse_args()
    build = (ROOT / args.build).resolve()
    logs = build / "test-logs"
    logs.mkdir(parents=True, exist_ok=True)
    env = dict(os.environ, BUILD=str(build), HUAWU=str(build / "huawu"))
    env.setdefault("ASAN_OPTIONS", "detect_leaks=1:abort_on_error=0")
    env.setdefault("TSAN_OPTIONS", "halt_on_error=1:second_deadlock_stack=1")

    totals = Totals()
    again = []
    units = unit_tests(build, args.only)
    env.pop("HW_TEST_DB", None)
    data_units, data_system = on_postgres(units, args.what)
    others = []
    if args.what == "calls":
        others = [t for t in system_tests(("calls", "sip")) if t.name in SANITIZED]
    elif args.what == "all":
        units += [Test("includes", [str(ROOT / "tools/check_includes.py")], count_plain, 60)] + page_tests()
        others = system_tests()
    prefix = alone()

    def several(tests):
        """from one queue; answers when all are done"""
        left, done = queue.SimpleQueue(), queue.SimpleQueue()
        for t in tests:
            left.put(t)

        def take():
            while True:
                try:
                    t = left.get_nowait()
                except queue.Empty:
                    return
                done.put(t.run(logs, env, prefix))
        for _ in range(BESIDE):
            threading.Thread(target=take, daemon=True).start()
        for _ in tests:
            judge(done.get(), totals, again)

    several(units + data_units + woven(others + data_system))
    for test in again:
        print(f"again {test.name}", flush=True)
        judge(test.run(logs, env, prefix), totals)
    print(f"{totals.passed} passed, {totals.failed} failed" + (f", {totals.skipped} skipped" if totals.skipped else ""))
    return 1 if totals.failed or not totals.passed else 0


if __name__ == "__main__":
    sys.exit(main())
