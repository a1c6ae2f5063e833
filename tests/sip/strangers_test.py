#!/usr/bin/env python3
"""A scanner at a telephone's own address, against a real server: it is banned, the telephone is not, the ban outlives a killed server, and the
administrator sees and lifts it, or excepts the network."""
import hashlib
import os
import re
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import centre as c  # noqa: E402

PORT = 25300
LIMIT = 8  # SIPB_PAIR_LIMIT
BOSS = ("users", "boss", {"name": "示例管理员", "login": "boss", "role": "admin", "password": "correct horse 7", "must_change_password": False})


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


class Client:
    """REGISTER by UDP from @ip"""

    def __init__(self, ip, user, secret):
        self.user, self.secret, self.nonce, self.n, self.count = user, secret, None, 0, 0
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((ip, 0))
        self.sock.settimeout(0.4)
        self.at = "%s:%d" % self.sock.getsockname()

    def register(self):
        """the answer's status, 0: silence"""
        self.n += 1
        auth = ""
        if self.nonce:
            realm, nonce = self.nonce
            self.count += 1
            response = md5(":".join([md5(f"{self.user}:{realm}:{self.secret}"), nonce, "%08x" % self.count, "c", "auth", md5("REGISTER:sip:x")]))
            auth = (f'Authorization: Digest username="{self.user}", realm="{realm}", nonce="{nonce}", uri="sip:x", response="{response}", '
                    f'cnonce="c", nc={self.count:08x}, qop=auth, algorithm=MD5\r\n')
        self.sock.sendto((f"REGISTER sip:x SIP/2.0\r\nVia: SIP/2.0/UDP {self.at};branch=z9hG4bK{self.at}-{self.n};rport\r\n"
                          f"From: <sip:{self.user}@x>;tag=1\r\nTo: <sip:{self.user}@x>\r\nCall-ID: {self.at}\r\nCSeq: {self.n} REGISTER\r\n"
                          f"Contact: <sip:{self.user}@{self.at}>\r\n{auth}User-Agent: a telephone of the tests, as long as they are\r\n"
                          "Content-Length: 0\r\n\r\n").encode(), ("127.0.0.1", PORT))
        try:
            m = self.sock.recv(65535).decode()
        except socket.timeout:
            return 0
        found = re.search(r'realm="([^"]*)", nonce="([^"]*)"', m)
        if found:
            self.nonce, self.count = found.groups(), 0
        return int(m[8:11])

    def log_in(self):
        code = self.register()
        return self.register() if code == 401 else code


def bans_of_a_scanner():
    with c.Centre(PORT) as s:
        s.seed(BOSS, ("devices", "d", {"name": "8001", "kind": "phone", "secret": "only-for-tests-8001"}))
        s.start()
        phone, scanner = Client("127.0.0.9", "8001", "only-for-tests-8001"), Client("127.0.0.9", "8001", "guess")
        assert phone.log_in() == 200
        got = [scanner.register() for _ in range(LIMIT + 6)]
        assert got == [401] * (1 + LIMIT) + [0] * 5, got
        assert phone.log_in() == 200, "the telephone at the same address"
        seen = s.api("boss", "correct horse 7").get("/strangers")
        assert [(b["user"], b["source"], b["reason"], b["count"]) for b in seen["bans"]] == [("8001", "127.0.0.9", "password", LIMIT)], seen
        assert seen["hours"][-1]["password"] == LIMIT and seen["hours"][-1]["dropped"] == 5, seen["hours"][-1]
        assert seen["sources"][0]["home"] is True
        c.wait_for("the ban's record", lambda: s.rows("SELECT 1 FROM sip_ban"))
        s.process.kill()
        s.process.wait()
        s.log.close()
        s.start()
        assert scanner.register() == 0, "after a sudden end the ban holds"
        boss = s.api("boss", "correct horse 7")
        boss.post("/strangers/lift", {"source": "127.0.0.9", "user": "8001"})
        assert scanner.register() == 401
        assert boss.get("/strangers")["bans"] == []
        boss.post("/allowed_networks", {"network": "127.0.0.0/24", "note": "示例"})
        c.wait_for("the allowed network", lambda: "configuration applied" in open(s.log.name).read().split("telephony is up")[-1])
        assert [scanner.register() for _ in range(3 * LIMIT)] == [401] * (3 * LIMIT), "never banned"


c.run_tests([bans_of_a_scanner])
