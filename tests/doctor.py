#!/usr/bin/env python3
"""`huawu doctor` as an administrator types it: beside a server and without one, in both languages, as JSON; the page's findings are the same."""
import hashlib
import json
import os
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import centre as c  # noqa: E402


def doctor(*options):
    p = subprocess.run([c.HUAWU, "doctor", *options], capture_output=True, text=True, timeout=60)
    return p.returncode, p.stdout


def report(*options):
    code, text = doctor("--json", "--lang", "en", *options)
    r = json.loads(text)
    assert code == {"ok": 0, "warn": 1, "error": 2}[r["worst"]], (code, r["worst"])
    assert r["errors"] == sum(x["level"] == "error" for x in r["checks"]) and r["warnings"] == sum(x["level"] == "warn" for x in r["checks"])
    return {x["id"]: x for x in r["checks"]}


def digest(folder):
    h = hashlib.sha256()
    for where, dirs, files in os.walk(folder):
        dirs.sort()
        for name in sorted(files):
            path = os.path.join(where, name)
            h.update(f"{path} {os.stat(path).st_mode}".encode())
            with open(path, "rb") as f:
                h.update(f.read())
    return h.hexdigest()


def beside_a_server_its_ports_are_its_own_and_the_page_finds_the_same():
    with c.Centre(29300) as server:
        os.chmod(server.data, 0o700)
        server.start()
        options = server.command[2:]
        found = report(*options)
        assert found["port.sip.udp"]["found"].endswith("is our running server's"), found["port.sip.udp"]
        assert found["port.http"]["found"].endswith("is our running server's"), found["port.http"]
        assert found["server"]["found"] == f"runs (pid {server.process.pid})"
        for check in ("db.open", "db.version", "db.whole", "db.write", "db.chain", "data.dir"):
            assert found[check]["level"] == "ok", found[check]
        out = subprocess.run([c.HUAWU, "user", "admin", "boss", "--data", server.data], capture_output=True, text=True, check=True).stdout
        api = server.api("boss", out.split("password: ")[1].strip())
        api.post("/session/password", {"old": out.split("password: ")[1].strip(), "new": "a-right-horse-9"})
        api.log_in("boss", "a-right-horse-9")
        inside = {x["id"]: x for x in api.get("/doctor")["checks"]}
        assert set(found) - set(inside) <= {"server"}, set(found) ^ set(inside)
        assert inside["db.whole"]["level"] == "ok" and "数据库" in inside["db.whole"]["title"], inside["db.whole"]


def without_a_server_nothing_is_changed():
    with c.Centre(29320) as server:
        server.start()
        server.stop()
        server.process = None
        before = digest(server.data)
        found = report(*server.command[2:])
        assert found["server"]["found"] == "does not run" and "is free" in found["port.http"]["found"], found
        assert digest(server.data) == before


def a_taken_port_and_a_wrong_key_are_errors_in_both_languages():
    with tempfile.TemporaryDirectory(prefix="huawu-doctor.") as where, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        at = ["--data", where, "--sip", "127.0.0.1:0", "--http", f"127.0.0.1:{port}"]
        found = report(*at)
        assert found["port.http"]["level"] == "error" and f"pid {os.getpid()}" in found["port.http"]["found"], found["port.http"]
        code, text = doctor(*at)
        assert code == 2 and "被占用" in text and "→" in text, text
        ini = os.path.join(where, "huawu.ini")
        with open(ini, "w") as f:
            f.write("[sip]\nlisten_on = 127.0.0.1:5060\n")
        for lang, word in (("zh", "改正"), ("en", "mend")):
            code, text = doctor("--config", ini, "--lang", lang)
            assert code == 2 and "unknown key 'listen_on'" in text and word in text, text
        assert doctor("--lang", "fr")[0] == 2 and doctor("--help")[0] == 0


c.run_tests([beside_a_server_its_ports_are_its_own_and_the_page_finds_the_same, without_a_server_nothing_is_changed,
             a_taken_port_and_a_wrong_key_are_errors_in_both_languages])
