#!/usr/bin/env python3
"""Codecs and SRTP with a telephone that we did not write (baresip): G.722, Opus and A-law, in the clear, with keys wished and with keys
required, each against a plain A-law phone; both hear the other's tone, and the records say codec and encryption."""
import array
import json
import math
import os
import subprocess
import sys
import time
import wave

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import centre as c  # noqa: E402

PORT = 25400
PARTNER_HZ, PHONE_HZ = 440, 600

CONFIG = """sip_listen 127.0.0.5:{port}
net_interface 127.0.0.5
module_path /usr/lib/baresip/modules
module g711.so
module g722.so
module opus.so
module srtp.so
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
audio_channels 1
opus_stereo no
opus_sprop_stereo no
ausrc_srate {rate}
auplay_srate {rate}
rtp_ports {rtp}-{rtp_end}
"""

# its codec, the rate of its sound, its mediaenc, our setting for calls to it, what the record says
WAYS = [
    ("PCMA/8000/1", 8000, "", "off", "PCMA", None),
    ("PCMA/8000/1", 8000, "srtp-mand", "required", "PCMA", "sdes"),
    ("PCMA/8000/1", 8000, "srtp", "optional", "PCMA", "sdes"),
    ("G722/16000/1", 16000, "", "off", "G722", None),
    ("G722/16000/1", 16000, "srtp-mand", "required", "G722", "sdes"),
    ("opus/48000/2", 48000, "", "off", "opus", None),
]


def tone(path, hz, rate, secs=60, channels=1):
    with wave.open(path, "wb") as w:
        w.setnchannels(channels)
        w.setsampwidth(2)
        w.setframerate(rate)
        w.writeframes(array.array("h", (int(9000 * math.sin(2 * math.pi * hz * (i // channels) / rate)) for i in range(rate * secs * channels))).tobytes())


class Phone(c.Baresip):
    def __init__(self, s, n, codec, rate, menc, hz):
        port = PORT + 100 * (n - 8000)
        self.n, self.hz, self.server = n, hz, s
        self.dir = os.path.join(s.dir, f"baresip-{n}")
        os.mkdir(self.dir)
        self.ctrl = ("127.0.0.1", port + 5)
        tone(os.path.join(self.dir, "tone.wav"), hz, rate, channels=1)
        with open(os.path.join(self.dir, "config"), "w") as f:
            f.write(CONFIG.format(port=port, ctrl=port + 5, dir=self.dir, rate=rate, rtp=port + 10, rtp_end=port + 60))
        with open(os.path.join(self.dir, "accounts"), "w") as f:
            f.write(f"<sip:{n}@127.0.0.1:{PORT};transport=udp>;auth_user={n};auth_pass=only-for-tests-{n};regint=60;answermode=auto;"
                    f"audio_codecs={codec}{';mediaenc=' + menc if menc else ''}\n")
        self.out = os.path.join(self.dir, "out.txt")
        self.process = subprocess.Popen(["baresip", "-f", self.dir], stdin=subprocess.DEVNULL, stdout=open(self.out, "wb"), stderr=subprocess.STDOUT)

    def count(self, text):
        with open(self.out, errors="replace") as f:
            return f.read().count(text)

    def loudest(self, hz):
        """of what it heard, over half-second stretches, at the rate of its file"""
        files = sorted(f for f in os.listdir(self.dir) if f.startswith("dump-") and f.endswith("-dec.wav"))
        if not files:
            return 0
        with wave.open(os.path.join(self.dir, files[-1])) as w:
            rate, ch = w.getframerate(), w.getnchannels()
            samples = array.array("h", w.readframes(w.getnframes())).tolist()[::ch]
        step = rate // 2
        return max((c.tone_level(samples[i:i + step], hz, rate) for i in range(0, len(samples) - step, step)), default=0)

    def forget_sound(self):
        for f in os.listdir(self.dir):
            if f.startswith("dump-"):
                os.remove(os.path.join(self.dir, f))


def talk(caller, callee):
    before = caller.count("Call established"), callee.count("Call established"), caller.count("terminated"), callee.count("terminated")
    caller.forget_sound()
    callee.forget_sound()
    caller.command("dial", f"sip:{callee.n}@127.0.0.1:{PORT}")
    c.wait_for("the call on both sides", lambda: caller.count("Call established") > before[0] and callee.count("Call established") > before[1], 15)
    time.sleep(2.5)
    callee.hang_up()
    c.wait_for("the end on both sides", lambda: caller.count("terminated") > before[2] and callee.count("terminated") > before[3], 10)
    for who, own, others in ((caller, caller.hz, callee.hz), (callee, callee.hz, caller.hz)):
        heard, echo = who.loudest(others), who.loudest(own)
        assert heard > 3000, f"{who.n} did not hear the other side ({heard:.0f})"
        assert echo < 500, f"{who.n} heard itself ({echo:.0f})"


def every_codec_and_key_is_understood():
    s = c.Centre(PORT)
    s.command += ["--rtp-bind", "127.0.0.1"]
    people = []
    for i, (_, _, _, srtp, codec, _) in enumerate([(None, None, None, "off", "PCMA", None)] + WAYS):
        n = 8001 + i
        people += [("users", f"u{n}", {"name": f"示例 {n}", "login": f"agent{n}", "extension": str(n), "password": f"nur-ein-test-{n}",
                                      "must_change_password": False}),
                   ("devices", f"d{n}", {"name": str(n), "user_id": f"$u{n}", "secret": f"only-for-tests-{n}", "srtp": srtp, "srtp_any": True,
                                         "codecs": codec.lower()})]
    s.seed(*people)
    s.start()
    with s:
        phones = []
        try:
            phones.append(Phone(s, 8001, "PCMA/8000/1", 8000, "", PARTNER_HZ))
            for i, (codec, rate, menc, *_) in enumerate(WAYS):
                phones.append(Phone(s, 8002 + i, codec, rate, menc, PHONE_HZ))
            for p in phones:
                api = c.Api(s.url)
                c.wait_for(f"the registration of {p.n}", lambda: f"device registered device={p.n} " in open(s.log.name, errors="replace").read(), 15)
                api.log_in(f"agent{p.n}", f"nur-ein-test-{p.n}").post("/desk/login", {"device": str(p.n), "ready": True})
            for p, way in zip(phones[1:], WAYS):
                for caller, callee, what in ((phones[0], p, "took"), (p, phones[0], "placed")):
                    talk(caller, callee)
                    c.wait_for("the record", lambda: not s.rows("SELECT id FROM leg WHERE end_ms IS NULL"), 10)
                    said = [json.loads(r["quality"]) for r in s.rows("SELECT quality FROM leg ORDER BY start_ms DESC, id DESC LIMIT 2")]
                    assert any(q.get("codec") == way[4] and q.get("encrypted") == way[5] for q in said), (way, said)
                    assert all(q["mos"] > 4 and q["source"] == "loopback" and "trouble" not in q for q in said), (way, said)
                    print(f"        {way[4]} {way[2] or 'in the clear'}: {what} a call", flush=True)
        finally:
            for p in phones:
                p.stop()


c.need("baresip")
c.run_tests([every_codec_and_key_is_understood])
