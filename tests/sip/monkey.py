#!/usr/bin/env python3
"""Anything at any time: telephones, carriers, agents and a supervisor do what chance says, answers, transfers, offers and desk commands that
fit nothing. After each round all hang up, and then nothing may be left; what hostile.py asks of the records is asked here too.

  monkey.py [SEED [SECONDS]]
"""
import os
import random
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import hostile as h  # noqa: E402
from ua import In, Out  # noqa: E402

c = h.c
h.PORT = 24300
SEED = int(sys.argv[1]) if len(sys.argv) > 1 else 1
SECONDS = float(sys.argv[2]) if len(sys.argv) > 2 else 20
NUMBERS = (8001, 8002, 8003)
TARGETS = ["8001", "8002", "8003", "4001", "13800138000", "0085221234567", "*43", "95588", "110"]
CODECS = ((8,), (0,), (9,), (8, 0, 9, 111))


class Call(Out):
    """a call that remembers the INVITE that counts, whatever is sent besides"""

    def __init__(self, ua, number, **kw):
        super().__init__(ua, number, **kw)
        self.number, self.first, self.up, self.tried = 1, self.branch, False, False

    def answer_to(self, m):
        if m.code == 200:
            if int(m.cseq) == self.number and not self.up:
                self.learn(m)
                self.up = True
            if RND.random() < 0.95:
                self.ack(int(m.cseq))
        elif not self.up:
            self.branch = self.first
            self.nack(m)
            if m.code in (401, 407) and not self.tried and self.ua.secret:
                self.tried = True
                self.cseq += 1
                self.number = self.cseq
                self.first = self.ua.request("INVITE", self.uri, self.cseq, self.id, self.local, self.remote,
                                             self.lines + self.ua.digest(m, "INVITE", self.uri), self.body)

    def give_up(self):
        self.ua.request("CANCEL", self.uri, self.number, self.id, self.local, f"<{self.uri}>", branch=self.first)


RND = random.Random(SEED)


class Monkey:
    def __init__(self, w):
        self.w, self.s = w, w.s
        self.all = (self.call, self.call, self.dial, self.answer, self.answer, self.answer, self.answer, self.bye, self.cancel, self.refer, self.refer,
                    self.offer, self.replaces, self.register, self.desk, self.desk, self.desk, self.force, self.rest)
        self.gentle = (self.call, self.answer, self.answer, self.answer, self.answer, self.answer, self.refer, self.refer, self.refer, self.offer,
                       self.offer, self.dial, self.replaces, self.bye, self.rest, self.desk)

    def parties(self):
        return [self.w.carrier, self.w.second, *self.w.phones.values()]

    def pump(self):
        """what has come is answered, not always well"""
        for ua in self.parties():
            while not ua.got.empty():
                m = ua.got.get()
                if m.method == "INVITE" and "tag=" in m.get("to"):
                    ua.reply(m, RND.choice((200, 200, 200, 491, 488)), ua.sdp())
                elif m.method == "INVITE":
                    In(ua, m)
                elif m.code >= 200 and m.cseq_method == "INVITE":
                    for d in ua.dialogs:
                        if d.id == m.get("call-id"):
                            d.answer_to(m) if isinstance(d, Call) else d.ack(int(m.cseq))

    def any(self, fits=lambda d: True):
        return RND.choice([d for ua in self.parties() for d in ua.dialogs[-6:] if fits(d)] or [None])

    def begun(self):
        return self.any(lambda d: isinstance(d, In) or d.up)

    def call(self):
        Call(self.w.carrier, "4001")

    def dial(self):
        Call(self.w.phones[RND.choice(NUMBERS)], RND.choice(TARGETS))

    def answer(self):
        for _ in range(3):
            d = self.any(lambda d: isinstance(d, In))
            if d:
                code = RND.choice((180, 183, 200, 200, 200, 200, 200, 486, 603, 480, 500, 302))
                d.reply(code, d.ua.sdp() if code in (183, 200) else "")

    def bye(self):
        d = self.begun()
        if d:
            d.bye()

    def cancel(self):
        d = self.any(lambda d: isinstance(d, Call))
        if d:
            d.give_up()

    @staticmethod
    def tags(d, form):
        return form.format(d.id, (d.remote.split("tag=") + ["x"])[1], d.local.split("tag=")[1])

    def refer(self):
        d, other = self.begun(), self.any()
        if not d:
            return
        to = f"sip:{RND.choice(TARGETS)}@{self.s.sip}"
        if RND.random() < 0.5:
            to = self.tags(other, f"<sip:8002@{self.s.sip}?Replaces={{}}%3Bto-tag%3D{{}}%3Bfrom-tag%3D{{}}>")
        d.refer(to, wait=False)

    def offer(self):
        d = self.begun()
        if d:
            body = d.ua.sdp(RND.choice(("sendonly", "sendrecv", "inactive", "recvonly")), pts=RND.choice(CODECS))
            d.request(RND.choice(("INVITE", "UPDATE")), "", body if RND.random() < 0.9 else "")

    def replaces(self):
        d = self.any()
        if d:
            Call(self.w.phones[RND.choice(NUMBERS)], "8001", lines=self.tags(d, "Replaces: {};to-tag={};from-tag={}\r\n"))

    def register(self):
        try:
            self.w.phones[RND.choice(NUMBERS)].register(RND.choice((0, 300, 300)))
        except AssertionError:
            pass

    def post(self, api, path, body=None):
        try:
            api.post(path, body)
        except c.Refused:
            pass

    def desk(self):
        n = RND.choice((8001, 8001, 8002, 8003))
        what = RND.choice(("hold", "resume", "hangup", "refuse", "ready", "logout", "wrapup/end", "break", "dial", "login", "digits", "login", "ready"))
        body = {"break": {"reason": "x"}, "dial": {"number": RND.choice(TARGETS)}, "digits": {"digits": "12#"},
                "login": {"device": RND.choice((str(n), str(n), "")), "ready": RND.random() < 0.8}}
        self.post(self.w.desks[n], "/desk/" + what, body.get(what))

    def force(self):
        user = self.w.seeded[f"u{RND.choice(NUMBERS)}"]["id"]
        self.post(self.w.boss, f"/agents/{user}/{RND.choice(('logout', 'ready', 'break'))}", {"reason": "x"})

    def rest(self):
        time.sleep(RND.choice((0, 0.01, 0.05, 0.3)))

    def all_hang_up(self):
        for _ in range(4):
            for ua in self.parties():
                for d in ua.dialogs:
                    if isinstance(d, Call) and not d.up:
                        d.give_up()
                        continue
                    if isinstance(d, In):
                        d.reply(486)
                    d.bye()
            time.sleep(0.3)
            self.pump()
            for n in NUMBERS:
                self.post(self.w.desks[n], "/desk/hangup")
        for ua in self.parties():
            ua.dialogs.clear()

    def round(self):
        for ua in self.parties():
            ua.dialogs.clear()
        acts = self.gentle if RND.random() < 0.7 else self.all
        for _ in range(RND.randint(10, 60)):
            RND.choice(acts)()
            time.sleep(0.003)
            self.pump()
        self.all_hang_up()
        self.w.free()
        self.w.home()
        self.w.whole()


def main():
    w = h.World(serving=(8001, 8002))
    monkey, rounds, end = Monkey(w), 0, time.monotonic() + SECONDS
    with w.s:
        while time.monotonic() < end:
            rounds += 1
            monkey.round()
        code, wrong = w.s.stop(), h.wrong_records(w.s)
        kinds = {r["type"]: r["n"] for r in w.s.rows("SELECT type, count(*) AS n FROM segment GROUP BY type")}
        print(f"seed={SEED} rounds={rounds} segments={kinds}")
        for x in wrong:
            print("WRONG:", x)
        print("0 passed, 1 failed" if wrong or code else "1 passed, 0 failed")
        if wrong or code:
            sys.exit(1)


if __name__ == "__main__":
    main()
