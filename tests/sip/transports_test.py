#!/usr/bin/env python3
"""Telephones that we did not write (baresip) over UDP, TCP and TLS, IPv4 and IPv6, against a real server: each registers, takes a call and
places one, and what each side hears is looked at. SIPp calls over TCP and over IPv6 as a carrier does."""
import os
import re
import ssl
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import centre as c  # noqa: E402

PORT = 23000
PARTNER_HZ, PHONE_HZ = 440, 600
WAYS = [("udp", 4), ("tcp", 4), ("tls", 4), ("udp", 6), ("tcp", 6), ("tls", 6)]

CONFIG = """sip_listen {listen}
sip_cafile {ca}
net_interface {interface}
module_path /usr/lib/baresip/modules
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
snd_path {dir}
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{ctrl}
audio_source aufile,{dir}/tone.wav
audio_player aubridge,x
audio_alert aufile,{dir}/none.wav
ausrc_srate 8000
auplay_srate 8000
rtp_ports {rtp}-{rtp_end}
"""


class Phone(c.Baresip):
    """a baresip on one transport and family; @n: its number, and where its ports are"""

    def __init__(self, s, n, way, hz):
        transport, family = way
        port = PORT + 100 * (n - 8000)
        self.n, self.server = n, s
        self.dir = os.path.join(s.dir, f"baresip-{n}")
        os.mkdir(self.dir)
        self.ctrl = ("127.0.0.1", port + 5)
        c.write_tone(os.path.join(self.dir, "tone.wav"), hz, 120)
        at = s.at[way]
        with open(os.path.join(self.dir, "config"), "w") as f:
            f.write(CONFIG.format(listen=f"127.0.0.5:{port}" if family == 4 else f"[::1]:{port}", interface="127.0.0.5" if family == 4 else "::1",
                                  ctrl=port + 5, dir=self.dir, rtp=port + 10, rtp_end=port + 60, ca=s.ca))
        with open(os.path.join(self.dir, "accounts"), "w") as f:
            f.write(f"<sip:{n}@{at};transport={transport}>;auth_user={n};auth_pass=only-for-tests-{n};regint=60;answermode=auto;"
                    f"audio_codecs=PCMA/8000/1\n")
        self.out = os.path.join(self.dir, "out.txt")
        self.process = subprocess.Popen(["baresip", "-f", self.dir], stdin=subprocess.DEVNULL, stdout=open(self.out, "wb"), stderr=subprocess.STDOUT)

    def count(self, text):
        with open(self.out, errors="replace") as f:
            return f.read().count(text)

    def forget_sound(self):
        for f in os.listdir(self.dir):
            if f.startswith("dump-"):
                os.remove(os.path.join(self.dir, f))


def loudest(samples, hz):
    return max((c.tone_level(samples[i:i + 8000], hz) for i in range(0, len(samples) - 8000, 4000)), default=0)


def centre(*trunks):
    s = c.Centre(PORT)
    tls = os.path.join(s.dir, "tls")
    subprocess.run([c.HUAWU, "cert", "--dir", tls], check=True, capture_output=True)
    listen = {}
    for family, host in ((4, "127.0.0.1"), (6, "[::1]")):
        for transport in ("udp", "tcp", "tls"):
            listen[transport, family] = f"{host}:{PORT + (2 if transport == 'tls' else 0)}"
    s.at, s.ca, s.url = listen, os.path.join(tls, "ca.pem"), s.url.replace("http:", "https:")
    s.command += ["--sip", ", ".join(f"{t}:{at}" for (t, _), at in listen.items()), "--cert", os.path.join(tls, "cert.pem"),
                  "--key", os.path.join(tls, "key.pem"), "--rtp-bind", "::", "--rtp-min", str(PORT + 2000), "--rtp-max", str(PORT + 2398)]
    people = []
    for n in range(8001, 8002 + len(WAYS)):
        people += [("users", f"u{n}", {"name": f"示例 {n}", "login": f"agent{n}", "extension": str(n), "password": f"nur-ein-test-{n}",
                                      "must_change_password": False}),
                   ("devices", f"d{n}", {"name": str(n), "user_id": f"$u{n}", "secret": f"only-for-tests-{n}"})]
    s.seeded = s.seed(*[("trunks", f"t{i}", {"name": f"carrier {i}", "host": host, "port": 5060}) for i, host in enumerate(trunks)], *people,
                      ("numbers", "n", {"number": "4001", "dest": "user", "user_id": "$u8001"}))
    s.start()
    return s


def desk(s, n):
    api = c.Api(s.url)
    c.wait_for(f"the registration of {n}", lambda: f"device registered device={n} " in open(s.log.name, errors="replace").read(), 15)
    api.log_in(f"agent{n}", f"nur-ein-test-{n}").post("/desk/login", {"device": str(n), "ready": True})


def talk(caller, callee):
    """@caller dials @callee; both hear the other's tone and not their own; @callee hangs up"""
    before = caller.count("Call established"), callee.count("Call established"), caller.count("terminated"), callee.count("terminated")
    caller.forget_sound()
    callee.forget_sound()
    caller.command("dial", f"sip:{callee.n}@{caller.server.at[caller.way]};transport={caller.way[0]}")
    c.wait_for("the call on both sides", lambda: caller.count("Call established") > before[0] and callee.count("Call established") > before[1], 15)
    time.sleep(2.5)
    callee.hang_up()
    c.wait_for("the end on both sides", lambda: caller.count("terminated") > before[2] and callee.count("terminated") > before[3], 10)
    for who, own, others in ((caller, caller.hz, callee.hz), (callee, callee.hz, caller.hz)):
        heard = who.heard()
        assert loudest(heard, others) > 3000, f"{who.n} did not hear the other side ({len(heard)} samples)"
        assert loudest(heard, own) < 300, f"{who.n} heard itself"


def rows_of_transports(s):
    return {r["transport"] for r in s.rows("SELECT DISTINCT transport FROM leg")}


def phones_of_every_way_take_and_place_calls():
    with centre() as s:
        phones = []
        try:
            partner = Phone(s, 8001, ("udp", 4), PARTNER_HZ)
            partner.way, partner.hz = ("udp", 4), PARTNER_HZ
            phones.append(partner)
            for i, way in enumerate(WAYS):
                phones.append(Phone(s, 8002 + i, way, PHONE_HZ))
                phones[-1].way, phones[-1].hz = way, PHONE_HZ
            for p in phones:
                desk(s, p.n)
            with open(s.log.name, errors="replace") as f:
                log = f.read()
            for p in phones:
                source = "127.0.0." if p.way[1] == 4 else "[::1]:"
                assert f"device registered device={p.n} transport={p.way[0]} source={source}" in log, (p.way, log[-2000:])
            for p in phones[1:]:
                talk(partner, p)
                print(f"        {p.way[0]} IPv{p.way[1]}: took a call", flush=True)
                talk(p, partner)
                print(f"        {p.way[0]} IPv{p.way[1]}: placed a call", flush=True)
            assert {"udp", "tcp", "tls"} <= rows_of_transports(s), rows_of_transports(s)
        finally:
            for p in phones:
                p.stop()


def carriers_call_by_tcp_and_ipv6():
    """SIPp, many calls on one connection, too; the sound of one of them"""
    with centre("127.0.0.3", "::1") as s:
        partner = Phone(s, 8001, ("udp", 4), PARTNER_HZ)
        try:
            desk(s, 8001)
            for i, (name, to, host, args) in enumerate((("tcp", ("tcp", 4), "127.0.0.3", ["-t", "t1"]), ("udp6", ("udp", 6), "::1", []),
                                                        ("tcp6", ("tcp", 6), "::1", ["-t", "t1"]))):
                sound = "::1" if host == "::1" else "127.0.0.6"
                rtp = c.Rtp(sound, 0, PHONE_HZ)
                rtp.start()
                sipp = c.Sipp(s.dir, name, "caller_hangs_up.xml", [
                    s.at[to], "-i", host, "-p", PORT + 90 + i, "-s", "4001", "-m", 1, "-d", 2500, "-key", "user", f"1380000000{i}",
                    "-key", "rtp_host", sound, "-key", "rtp_port", rtp.port, "-timeout", "40s", *args])
                code = sipp.wait(50)
                rtp.stop()
                assert code == 0, f"{name}: SIPp failed with {code}"
                assert loudest(rtp.samples(), PARTNER_HZ) > 3000, f"{name}: the caller did not hear the phone"
                assert loudest(partner.heard(), PHONE_HZ) > 3000, f"{name}: the phone did not hear the caller"
                c.wait_for("the end", lambda: partner.count("terminated") == i + 1)
                partner.forget_sound()
                print(f"        {name}: called in", flush=True)
            # nobody is at 4002: twenty refusals on one connection
            many = c.Sipp(s.dir, "many", "caller_hangs_up.xml", [
                s.at["tcp", 4], "-i", "127.0.0.3", "-p", PORT + 95, "-s", "4002", "-m", 20, "-r", 50, "-d", 0, "-key", "user", "13800000009", "-key", "rtp_host",
                "127.0.0.6", "-key", "rtp_port", 9, "-timeout", "20s", "-t", "t1"])
            many.wait(30)
            with open(os.path.join(s.dir, "many.msg"), errors="replace") as f:
                got = len(re.findall(r"bytes :\s+SIP/2\.0 404 ", f.read()))
            assert got == 20, got
            legs = s.rows("SELECT transport, trunk_id FROM leg WHERE trunk_id <> 0 ORDER BY start_ms")
            assert [r["transport"] for r in legs] == ["tcp", "udp", "tcp"], legs
            assert [str(r["trunk_id"]) for r in legs] == [s.seeded[t]["id"] for t in ("t0", "t1", "t1")], legs
        finally:
            partner.stop()


def tcp_and_tls_phones_left_in_a_call_by_a_crash_get_their_bye():
    """each as soon as it registers again, on its new connection"""
    with centre() as s:
        phones = []
        try:
            for i, way in enumerate((("tcp", 4), ("tls", 6))):
                p = Phone(s, 8001 + i, way, PHONE_HZ)
                p.way = way
                phones.append(p)
                desk(s, p.n)
            a, b = phones
            a.command("dial", f"sip:{b.n}@{s.at[a.way]};transport=tcp")
            c.wait_for("the call on both sides", lambda: a.said("Call established") and b.said("Call established"), 15)
            time.sleep(0.5)  # the ring has it
            s.process.kill()
            s.process.wait()
            assert not a.said("terminated") and not b.said("terminated")
            s.start()
            # baresip cannot be told to: it registers again 54 s after it did
            c.wait_for("both BYEs", lambda: a.said("terminated") and b.said("terminated"), 70, 0.5)
        finally:
            for p in phones:
                p.stop()


ssl._create_default_https_context = ssl._create_unverified_context  # the server's certificate is of its own CA
c.need("sipp", "baresip")
tests = [phones_of_every_way_take_and_place_calls, carriers_call_by_tcp_and_ipv6, tcp_and_tls_phones_left_in_a_call_by_a_crash_get_their_bye]
c.run_tests([globals()[x] for x in sys.argv[1:]] or tests)
