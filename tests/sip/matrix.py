#!/usr/bin/env python3
"""Phones and carriers that we did not write, over every transport and both address families: baresip and linphone as desk phones, SIPp as
the carrier. Each phone is called through a queue (sound both ways, digits, hold, resume, hangs up), is called again (the caller hangs up)
and calls out (sound both ways, the carrier hangs up). Sound is proven by content: each side's tone in what the other one heard.

  matrix.py [PHONE-TRANSPORT-FAMILY ...]     e.g. baresip-tls-6; all of them otherwise, four at a time

All happens in a network namespace of its own, whose loopback has the addresses needed. SIPp of Debian knows no TLS: where the phone uses
TLS the carrier uses TCP.
"""
import array
import os
import subprocess
import sys
import time
import traceback
import wave
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import centre as c  # noqa: E402

CALLER_HZ, PHONE_HZ = 440, 600
PASSWORD, SECRET = "nur-ein-test-1", "only-for-tests-1"
PHONES = ("baresip", "linphone")
CELLS = [(p, t, f) for f in (4, 6) for t in ("udp", "tcp", "tls") for p in PHONES]


def at(host, port):
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Linphone:
    """linphonec told by its standard input; plays a tone for the microphone and keeps what it hears in heard-N.wav"""

    def __init__(self, folder, name, server, host, port, transport, hz):
        self.dir = os.path.join(folder, f"linphone-{name}")
        os.makedirs(os.path.join(self.dir, ".local/share/linphone"))
        self.calls = 0
        c.write_tone(os.path.join(self.dir, "tone.wav"), hz, 120)
        ports = "".join(f"sip{k}_port={port if t == transport else 0}\n" for t, k in (("udp", ""), ("tcp", "_tcp"), ("tls", "_tls")))
        with open(os.path.join(self.dir, "rc"), "w") as f:
            f.write(f"[sip]\n{ports}bind_address={host}\nguess_hostname=0\ncontact=sip:{name}@{at(host, port)}\n"
                    f"use_ipv6={int(':' in host)}\ndefault_proxy=0\nauto_net_state_mon=0\nregister_only_when_network_is_up=0\nmedia_encryption=none\nverify_server_certs=0\n"
                    f"verify_server_cn=0\n[rtp]\naudio_rtp_port={port + 20}\n[sound]\nechocancellation=0\n"
                    f"[proxy_0]\nreg_proxy=<sip:{server};transport={transport}>\nreg_identity=sip:{name}@{server}\nreg_expires=60\n"
                    f"reg_sendregister=1\npublish=0\n[auth_info_0]\nusername={name}\npasswd={SECRET}\n"
                    "[audio_codec_0]\nmime=PCMA\nrate=8000\nchannels=1\nenabled=1\n")
        self.out = os.path.join(self.dir, "out.txt")
        self.process = subprocess.Popen(["linphonec", "-c", "rc", "-a", "-d", "3", "-l", "log.txt"], cwd=self.dir, stdin=subprocess.PIPE,
                                        stdout=open(self.out, "wb"), stderr=subprocess.STDOUT, env={**os.environ, "HOME": self.dir})
        self.say("soundcard use files", f"play {self.dir}/tone.wav")

    def say(self, *commands):
        self.process.stdin.write("".join(x + "\n" for x in commands).encode())
        self.process.stdin.flush()

    def text(self, name="out.txt"):
        try:
            with open(os.path.join(self.dir, name), errors="replace") as f:
                return f.read()
        except OSError:
            return ""

    def registered(self):
        return "LinphoneRegistrationOk" in self.text("log.txt") or "Registration on" in self.text() and "successful" in self.text()

    def before_call(self):
        self.calls += 1
        self.say(f"record {self.dir}/heard-{self.calls}.wav")

    def dial(self, uri):
        self.say(f"call {uri}")

    def up(self):
        return self.text().count("Media streams established")

    def hold(self):
        self.say("pause")

    def resume(self):
        self.say("resume")

    def digits(self, digits):
        for d in digits:
            self.say(d)
            time.sleep(0.4)

    def hang_up(self):
        self.say("terminate")

    def heard(self):
        """samples at 8 kHz of the last call"""
        try:
            with wave.open(os.path.join(self.dir, f"heard-{self.calls}.wav")) as w:
                return array.array("h", w.readframes(w.getnframes())).tolist()
        except (OSError, EOFError, wave.Error):
            return []

    def stop(self):
        if self.process.poll() is None:
            try:
                self.say("quit")
                self.process.wait(5)
            except (OSError, subprocess.TimeoutExpired):
                self.process.kill()
                self.process.wait()


class Baresip(c.Baresip):
    def __init__(self, folder, name, server, host, port, transport, hz):
        super().__init__(folder, name, SECRET, server, port, host=host, hz=hz, transport=transport)

    def registered(self):
        return self.said("200 OK")

    def before_call(self):
        pass

    def dial(self, uri):
        self.command("dial", uri)

    def up(self):
        with open(self.out, errors="replace") as f:
            return f.read().count("Call established")

    def hold(self):
        self.command("hold")

    def resume(self):
        self.command("resume")

    def digits(self, digits):
        for d in digits:
            self.command("sndcode", d)
            time.sleep(0.4)


KINDS = {"baresip": Baresip, "linphone": Linphone}


class Cell:
    """A centre, a phone and a carrier of their own, ports from @base on"""

    def __init__(self, i, phone, transport, family):
        self.name = f"{phone}-{transport}-{family}"
        self.base = 10000 + 2000 * i
        self.carrier_transport = "tcp" if transport == "tls" else transport
        self.server_host, self.phone_host, self.carrier_host = ([f"127.0.0.{k}" for k in (1, 5, 3)] if family == 4 else
                                                                 [f"fd77::{k}" for k in (1, 5, 3)])
        self.port = self.base + 7 * (transport == "tls")
        self.to = at(self.server_host, self.port)
        self.placed, self.phone = 0, None
        self.server = c.Centre(self.base, sip=[f"{t}:{at(self.server_host, self.base + 7 * (t == 'tls'))}" for t in ("udp", "tcp", "tls")],
                               rtp=self.server_host)
        keys = os.path.join(self.server.dir, "cert")
        subprocess.run([c.HUAWU, "cert", "--dir", keys, "--name", self.server_host], check=True, stdout=subprocess.DEVNULL)
        self.server.command += ["--cert", os.path.join(keys, "cert.pem"), "--key", os.path.join(keys, "key.pem")]
        self.server.url = self.server.url.replace("http:", "https:")
        self.server.seeded = self.server.seed(
            ("trunks", "t", {"name": "carrier", "host": self.carrier_host, "port": self.base + 1950, "outbound": True, "options_s": 0,
                             "transport": self.carrier_transport}),
            ("queues", "q", {"name": "q", "wrapup_s": 0, "ring_s": 10, "announce_position": False}),
            ("numbers", "n", {"number": "4001", "dest": "queue", "queue_id": "$q"}),
            ("users", "u", {"name": "示例 1", "login": "agent1", "extension": "8001", "password": PASSWORD, "must_change_password": False}),
            ("devices", "d", {"name": "8001", "user_id": "$u", "secret": SECRET}),
            ("members", "m", {"queue_id": "$q", "user_id": "$u", "level": 1}))
        self.make = lambda: KINDS[phone](self.server.dir, "8001", self.to, self.phone_host, self.base + 1000, transport, PHONE_HZ)

    def carrier(self, scenario, *args):
        """SIPp with sound of its own beside it"""
        self.placed += 1
        rtp = c.Rtp(self.carrier_host, 0, CALLER_HZ)
        rtp.start()
        number = f"1390000{self.placed:04d}"
        mode = {"udp": "u1", "tcp": "t1"}[self.carrier_transport]
        sipp = c.Sipp(self.server.dir, f"carrier{self.placed}", scenario,
                      ["-t", mode, "-i", self.carrier_host, "-m", 1, "-key", "user", number, "-key", "rtp_host", self.carrier_host, "-key",
                       "rtp_port", rtp.port, "-timeout", "60s", *args], media=self.carrier_host)
        return sipp, rtp, number

    def call_in(self, scenario, *args):
        self.phone.before_call()
        before = self.phone.up()
        got = self.carrier(scenario, at(self.server_host, self.base), "-p", self.base + 1900 + self.placed, "-s", "4001", *args)
        c.wait_for("the talk", lambda: self.phone.up() > before, 15)
        return got

    def record(self, where, value):
        rows = self.server.rows
        return c.wait_for("the record", lambda: rows(
            f"SELECT c.* FROM call c JOIN call_pii p ON p.call_id = c.id WHERE p.{where} = ? AND c.end_ms IS NOT NULL", value))[0]

    def hears(self, rtp, want, what, limit=30):
        """whether the carrier hears the phone's tone in what came last"""
        def last():
            s = rtp.samples()[-4000:]
            loud = c.tone_level(s, PHONE_HZ) if len(s) == 4000 else 0
            return loud > 2500 if want else loud < 200
        c.wait_for(what, last, limit, 0.2)

    def called_talks_and_hangs_up(self):
        sipp, rtp, number = self.call_in("caller_stays.xml")
        self.hears(rtp, True, "the phone's tone at the caller")
        self.phone.digits("5#")
        c.wait_for("the digits at the caller", lambda: rtp.digits == "5#", 5)
        self.phone.hold()
        self.hears(rtp, False, "the hold")
        self.phone.resume()
        self.hears(rtp, True, "the phone's tone after the hold")
        time.sleep(0.5)
        self.phone.hang_up()
        assert sipp.wait(20) == 0, "the caller's SIPp failed"
        rtp.stop()
        row = self.record("from_number", number)
        assert row["by"] == "agent" and row["answer_ms"], row
        self.heard_caller()

    def called_and_the_caller_hangs_up(self):
        sipp, rtp, number = self.call_in("caller_hangs_up.xml", "-d", 2500)
        assert sipp.wait(20) == 0, "the caller's SIPp failed"
        rtp.stop()
        row = self.record("from_number", number)
        assert row["by"] == "customer" and row["answer_ms"], row

    def calls_out_and_the_carrier_hangs_up(self):
        self.phone.before_call()
        before = self.phone.up()
        sipp, rtp, number = self.carrier("carrier_hangs_up.xml", "-p", self.base + 1950, "-d", 5000)
        outside = "13800138000"
        self.phone.dial(f"sip:{outside}@{self.to}")
        c.wait_for("the answered call", lambda: self.phone.up() > before, 15)
        self.hears(rtp, True, "the phone's tone at the carrier")
        assert sipp.wait(20) == 0, "the carrier's SIPp failed"
        rtp.stop()
        row = self.record("to_number", outside)
        assert row["dir"] == "out" and row["answer_ms"] and row["by"] == "customer", row
        self.heard_caller()

    def heard_caller(self):
        def loud():
            s = self.phone.heard()
            return max((c.tone_level(s[i:i + 4000], CALLER_HZ) for i in range(0, len(s) - 4000, 2000)), default=0) > 2500
        c.wait_for("the caller's tone in what the phone heard", loud, 5)

    def run(self):
        with self.server:
            self.server.start()
            self.phone = self.make()
            try:
                c.wait_for("the registration", self.phone.registered, 15)
                self.server.api("agent1", PASSWORD).post("/desk/login", {"device": "8001", "ready": True})
                for step in (self.called_talks_and_hangs_up, self.called_and_the_caller_hangs_up, self.calls_out_and_the_carrier_hangs_up):
                    try:
                        step()
                    except Exception as e:
                        raise AssertionError(f"{self.name}: {step.__name__}: {e}") from e
            finally:
                self.phone.stop()


def run(i, cell):
    name = "-".join(map(str, cell))
    try:
        Cell(i, *cell).run()
        print(f"ok    {name}", flush=True)
        return True
    except Exception:
        print(f"FAIL  {name}\n{traceback.format_exc()}", flush=True)
        return False


def main():
    names = sys.argv[1:]
    cells = [(i, x) for i, x in enumerate(CELLS) if not names or "-".join(map(str, x)) in names]
    with ThreadPoolExecutor(4) as pool:
        good = list(pool.map(lambda x: run(*x), cells))
    print(f"{sum(good)} passed, {len(good) - sum(good)} failed")
    sys.exit(0 if all(good) else 1)


def own_network():
    """this program again, in a network namespace where loopback has our addresses"""
    if os.environ.get("MATRIX_NETWORK"):
        for line in (["ip", "link", "set", "lo", "up"], *(["ip", "-6", "addr", "add", f"fd77::{k}/128", "dev", "lo"] for k in (1, 3, 5))):
            subprocess.run(line, check=True)
        return
    os.environ["MATRIX_NETWORK"] = "1"
    how = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--net", "--map-root-user"]
    if subprocess.run([*how, "true"], stderr=subprocess.DEVNULL).returncode:
        c.skip("no network namespace can be made here")
    os.execvp("unshare", [*how, sys.executable, *sys.argv])


if __name__ == "__main__":
    c.need("sipp", "baresip", "linphonec", "unshare", "ip")
    own_network()
    main()
