#!/usr/bin/env python3
"""The configuration that is shipped is accepted, with every line of it in use; what is wrong in one is said by name."""
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import centre as c  # noqa: E402


def check(text, where, *options):
    """exit status and words of `huawu serve --check` with this configuration, on ports of the kernel's"""
    path = os.path.join(where, "huawu.ini")
    with open(path, "w") as f:
        f.write(text)
    ring = f"/dev/shm/{os.path.basename(where)}.ring"
    try:
        p = subprocess.run([c.HUAWU, "serve", "--check", "--config", path, "--ring", ring, *options], capture_output=True, text=True, timeout=60)
    finally:
        if os.path.exists(ring):
            os.remove(ring)
    return p.returncode, p.stdout + p.stderr


def the_shipped_one_is_accepted_to_its_last_line():
    with open(os.path.join(c.TOP, "deploy", "huawu.ini")) as f:
        shipped = f.read()
    with tempfile.TemporaryDirectory(prefix="huawu-conf.") as where:
        tls = os.path.join(where, "tls")
        subprocess.run([c.HUAWU, "cert", "--dir", tls], check=True, capture_output=True)
        text = re.sub(r"^; (\w+ = )", r"\1", shipped, flags=re.M).replace("/var/lib/huawu", where)
        assert text.count("\n") == shipped.count("\n") and f"cert = {tls}/cert.pem" in text and "external = " in text, text
        assert "\ndb = postgresql://" in text # its own tests have a server
        text = re.sub(r"^db = .*$", f"db = {where}/huawu.db", text, flags=re.M)
        text = re.sub(r"^external = .*$", "external = 127.0.0.1", text, flags=re.M)
        code, said = check(text, where, "--sip", "127.0.0.1:0", "--http", "127.0.0.1:0", "--rtp-bind", "127.0.0.1")
        assert code == 0, said


WRONG = [
    ("[sip]\nlistn = 127.0.0.1:5060\n", "unknown key 'listn' in section [sip]"),
    ("[limits]\nlegs_max = many\n", "legs_max: 'many' is not a number from 2 to 100000"),
    ("[limits]\nlegs_max = 1\n", "legs_max: '1' is not a number from 2 to 100000"),
    ("[log]\nlevel = loud\n", "log level 'loud' is none of error, warn, info, debug"),
    ("[sip\n", "line 1 is not understood"),
    ("[sip]\nlisten = nonsense\n", "[sip] listen: 'nonsense' is not a list of [udp:|tcp:|tls:]address:port"),
    ("[sip]\nlisten = udp:127.0.0.1:0, sctp:127.0.0.1:0\n", "is not a list of [udp:|tcp:|tls:]address:port"),
    ("[sip]\nlisten = tls:127.0.0.1:0\n", "[sip] listen: tls wants a certificate"),
    ("[sip]\nexternal = pbx.example\n", "[sip] external: 'pbx.example' is not an address or a list of NETWORK=ADDRESS"),
    ("[sip]\nexternal = 10.0.0.0/8=\n", "is not an address or a list of NETWORK=ADDRESS"),
    ("[http]\nlisten = 127.0.0.1:port\n", "[http] listen: '127.0.0.1:port' is not address:port"),
    ("[http]\ncert = /nonexistent\n", "[http] cert: '/nonexistent' is not a readable file"),
    ("[http]\ncert = /etc/passwd\n", "cert and key are given together"),
    ("[media]\nrtp_min = 30000\nrtp_max = 20000\n", "rtp_min must be below rtp_max"),
    ("[data]\ndir = /proc/nowhere\n", "cannot use the data folder /proc/nowhere"),
]


def what_is_wrong_is_said_by_name():
    for text, words in WRONG:
        with tempfile.TemporaryDirectory(prefix="huawu-conf.") as where:
            code, said = check(text, where, *([] if "[data]" in text else ["--data", where]))
            assert code == 2 and words in said, (text, code, said)


c.run_tests([the_shipped_one_is_accepted_to_its_last_line, what_is_wrong_is_said_by_name])
