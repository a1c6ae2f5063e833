"""A SIP party of our own in a few lines, for what no proper telephone does: it sends exactly what it is told, when it is told, and answers
nothing by itself but OPTIONS, NOTIFY, BYE, CANCEL and UPDATE (and these only while `polite`). UDP and TCP. Standard library alone."""
import hashlib
import queue
import re
import socket
import struct
import threading
import time

SDP = ("v=0\r\no=- {id} {id} IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\nm=audio {port} RTP/AVP {pt}\r\n{maps}a={dir}\r\n")
MAPS = {8: "PCMA/8000", 0: "PCMU/8000", 9: "G722/8000", 111: "opus/48000/2"}
COUNT = [0]


def unique():
    COUNT[0] += 1
    return f"{time.time_ns():x}{COUNT[0]}"


class Msg:
    def __init__(self, text):
        head, _, self.body = text.partition("\r\n\r\n")
        lines = head.split("\r\n")
        self.first = lines[0]
        self.headers = [(k.strip().lower(), v.strip()) for k, _, v in (x.partition(":") for x in lines[1:])]
        self.code = int(self.first.split()[1]) if self.first.startswith("SIP/2.0") else 0
        self.method = "" if self.code else self.first.split()[0]
        self.cseq, self.cseq_method = (self.get("cseq") or "0 ?").split()

    def get(self, name):
        return next((v for k, v in self.headers if k == name.lower()), None)

    def all(self, name):
        return [v for k, v in self.headers if k == name.lower()]

    def uri(self, name):
        m = re.search(r"<([^>]*)>", self.get(name) or "")
        return m[1] if m else (self.get(name) or "").split(";")[0]

    def __repr__(self):
        return f"<{self.first}>"


class UA:
    def __init__(self, server, user, host="127.0.0.5", port=0, secret=None, tcp=False, rtp=None):
        self.server, self.user, self.secret, self.tcp = server, user, secret, tcp
        self.to = (server.rsplit(":", 1)[0], int(server.rsplit(":", 1)[1]))
        self.host, self.rtp = host, rtp
        self.polite, self.got, self.dialogs = True, queue.Queue(), []
        self.seen = []  # everything that came
        if tcp:
            self.sock = socket.socket()
            self.sock.bind((host, port))
            self.sock.connect(self.to)
        else:
            self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.sock.bind((host, port))
        self.port = self.sock.getsockname()[1]
        self.at = f"{host}:{self.port}"
        threading.Thread(target=self.read, daemon=True).start()

    def close(self):
        self.sock.close()

    # ---- wire ----

    def send(self, text, to=None):
        data = text.encode("utf-8", "surrogateescape")
        if self.tcp:
            self.sock.sendall(data)
        else:
            self.sock.sendto(data, to or self.to)

    def read(self):
        buf = b""
        while True:
            try:
                data, src = (self.sock.recv(65536), self.to) if self.tcp else self.sock.recvfrom(65536)
            except OSError:
                return
            if not data:
                return
            if not self.tcp:
                self.take(Msg(data.decode(errors="replace")), src)
                continue
            buf += data
            while b"\r\n\r\n" in buf:
                buf = buf.lstrip(b"\r\n")
                head, _, rest = buf.partition(b"\r\n\r\n")
                n = int((re.search(rb"(?im)^content-length:\s*(\d+)", head) or [0, 0])[1])
                if len(rest) < n:
                    break
                try:
                    self.take(Msg((head + b"\r\n\r\n" + rest[:n]).decode(errors="replace")), src)
                except OSError:
                    return
                buf = rest[n:]

    def take(self, m, src):
        m.src = src
        self.seen.append(m)
        if self.polite and m.method in ("OPTIONS", "NOTIFY", "BYE", "CANCEL", "UPDATE", "INFO", "PRACK"):
            self.reply(m, 200)
        self.got.put(m)

    def reply(self, m, code, body="", lines="", tag=None):
        to = m.get("to")
        if tag and "tag=" not in to:
            to += f";tag={tag}"
        via = "".join(f"Via: {v}\r\n" for v in m.all("via"))
        rr = "".join(f"Record-Route: {v}\r\n" for v in m.all("record-route"))
        ct = "Content-Type: application/sdp\r\n" if body else ""
        self.send(f"SIP/2.0 {code} Said\r\n{via}{rr}From: {m.get('from')}\r\nTo: {to}\r\nCall-ID: {m.get('call-id')}\r\nCSeq: {m.get('cseq')}\r\n"
                  f"Contact: <sip:{self.user}@{self.at}{';transport=tcp' if self.tcp else ''}>\r\n{lines}{ct}Content-Length: {len(body)}\r\n\r\n{body}",
                  None if self.tcp else m.src)

    def wait(self, what, secs=5):
        """the next message for which what() holds; others are thrown away"""
        end = time.monotonic() + secs
        while True:
            left = end - time.monotonic()
            if left <= 0:
                return None
            try:
                m = self.got.get(timeout=left)
            except queue.Empty:
                return None
            if what(m):
                return m

    def request(self, method, uri, cseq, call_id, frm, to, lines="", body="", branch=None, ctype="application/sdp"):
        branch = branch or "z9hG4bK" + unique()
        ct = f"Content-Type: {ctype}\r\n" if body else ""
        via = "TCP" if self.tcp else "UDP"
        self.send(f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/{via} {self.at};branch={branch};rport\r\nMax-Forwards: 70\r\nFrom: {frm}\r\nTo: {to}\r\n"
                  f"Call-ID: {call_id}\r\nCSeq: {cseq} {method}\r\nContact: <sip:{self.user}@{self.at}{';transport=tcp' if self.tcp else ''}>\r\n"
                  f"{lines}{ct}Content-Length: {len(body)}\r\n\r\n{body}")
        return branch

    def digest(self, m, method, uri):
        h = m.get("www-authenticate") or m.get("proxy-authenticate")
        p = dict(re.findall(r'(\w+)="?([^",]*)"?', h))
        md5 = lambda x: hashlib.md5(x.encode()).hexdigest()
        ha1, ha2 = md5(f"{self.user}:{p['realm']}:{self.secret}"), md5(f"{method}:{uri}")
        name = "Authorization" if m.get("www-authenticate") else "Proxy-Authorization"
        if "qop" in p:
            r = md5(f"{ha1}:{p['nonce']}:00000001:abcd:auth:{ha2}")
            extra = ', qop=auth, nc=00000001, cnonce="abcd"'
        else:
            r, extra = md5(f"{ha1}:{p['nonce']}:{ha2}"), ""
        return f'{name}: Digest username="{self.user}", realm="{p["realm"]}", nonce="{p["nonce"]}", uri="{uri}", response="{r}"{extra}\r\n'

    def register(self, expires=300):
        uri, call_id, me = f"sip:{self.server}", unique(), f"<sip:{self.user}@{self.server}>"
        lines = f"Expires: {expires}\r\n"
        for cseq in (1, 2):
            self.request("REGISTER", uri, cseq, call_id, f"{me};tag=r", me, lines)
            m = self.wait(lambda m: m.code >= 200 and m.cseq_method == "REGISTER")
            assert m, "no answer to REGISTER"
            if m.code == 200:
                return m
            lines = f"Expires: {expires}\r\n" + self.digest(m, "REGISTER", uri)
        raise AssertionError(f"REGISTER: {m.first}")

    def sdp(self, direction="sendrecv", pts=(8,), port=None):
        maps = "".join(f"a=rtpmap:{p} {MAPS[p]}\r\n" for p in pts)
        return SDP.format(id=COUNT[0] + 1, host=self.host, port=port if port is not None else self.rtp or 40000, pt=" ".join(map(str, pts)),
                          maps=maps, dir=direction)

    def call(self, number, **kw):
        return Out(self, number, **kw)

    def incoming(self, secs=10):
        m = self.wait(lambda m: m.method == "INVITE" and "tag=" not in m.get("to"), secs)
        return m and In(self, m)


class Dialog:
    def bye(self):
        self.request("BYE")

    def request(self, method, lines="", body="", **kw):
        self.cseq += 1
        routes = "".join(f"Route: {r}\r\n" for r in self.routes)
        self.branch = self.ua.request(method, self.target, self.cseq, self.id, self.local, self.remote, routes + lines, body, **kw)
        return self.cseq

    def ack(self, cseq=None):
        routes = "".join(f"Route: {r}\r\n" for r in self.routes)
        self.ua.request("ACK", self.target, cseq or self.cseq, self.id, self.local, self.remote, routes)

    def final(self, secs=8, method=None):
        """the final answer to our last request"""
        return self.ua.wait(lambda m: m.code >= 200 and m.get("call-id") == self.id and int(m.cseq) == self.cseq and
                            (not method or m.cseq_method == method), secs)

    def reinvite(self, direction="sendrecv", lines="", **kw):
        self.request("INVITE", lines, self.ua.sdp(direction, **kw))
        m = self.final()
        if m and m.code < 300:
            self.ack()
        return m

    def refer(self, to, lines="", wait=True):
        self.request("REFER", f"Refer-To: {to}\r\n{lines}")
        return self.final() if wait else None

    def coming(self, method, secs=8):
        return self.ua.wait(lambda m: m.method == method and m.get("call-id") == self.id, secs)


class Out(Dialog):
    def __init__(self, ua, number, lines="", sdp=True, to=None, uri=None, body=None):
        self.ua, self.id, self.cseq, self.routes = ua, unique(), 1, []
        self.uri = self.target = uri or f"sip:{number}@{ua.server}"
        self.local, self.remote = f"<sip:{ua.user}@{ua.server}>;tag={unique()}", to or f"<sip:{number}@{ua.server}>"
        ua.dialogs.append(self)
        self.lines, self.body = lines, ua.sdp() if body is None and sdp else body or ""
        self.branch = ua.request("INVITE", self.uri, 1, self.id, self.local, self.remote, lines, self.body)

    def authorise(self):
        """answers the challenge"""
        m = self.final()
        assert m and m.code in (401, 407), m
        self.nack(m)
        self.cseq += 1
        self.branch = self.ua.request("INVITE", self.uri, self.cseq, self.id, self.local, self.remote,
                                      self.lines + self.ua.digest(m, "INVITE", self.uri), self.body)
        return self

    def nack(self, m):
        self.ua.request("ACK", self.uri, m.cseq, self.id, self.local, m.get("to"), branch=self.branch)

    def ringing(self, secs=8):
        return self.ua.wait(lambda m: m.code > 100 and m.get("call-id") == self.id and m.cseq_method == "INVITE", secs)

    def answered(self, secs=10, ack=True):
        m = self.final(secs)
        if m and m.code == 200:
            self.learn(m)
            if ack:
                self.ack()
        elif m:
            self.nack(m)
        return m

    def learn(self, m):
        self.remote, self.target, self.routes = m.get("to"), m.uri("contact"), m.all("record-route")[::-1]

    def cancel(self):
        self.ua.request("CANCEL", self.uri, self.cseq, self.id, self.local, self.remote, branch=self.branch)


class In(Dialog):
    def __init__(self, ua, m):
        self.ua, self.invite, self.id, self.cseq = ua, m, m.get("call-id"), 100
        self.tag = unique()
        self.local, self.remote = f"{m.get('to')};tag={self.tag}", m.get("from")
        self.target, self.routes = m.uri("contact"), m.all("record-route")
        ua.dialogs.append(self)

    def reply(self, code, body="", lines=""):
        self.ua.reply(self.invite, code, body, lines, tag=self.tag)

    def ring(self):
        self.reply(180)

    def answer(self, wait=True):
        self.reply(200, self.ua.sdp())
        return self.coming("ACK") if wait else None


class Tone(threading.Thread):
    """RTP of silence from a port, to where the SDP says, so that nobody is thought dead"""

    def __init__(self, host):
        super().__init__(daemon=True)
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((host, 0))
        self.port, self.to, self.over = self.sock.getsockname()[1], None, False

    def run(self):
        seq = 0
        while not self.over:
            seq += 1
            if self.to:
                self.sock.sendto(struct.pack("!BBHII", 0x80, 8, seq & 0xffff, seq * 160, 7) + b"\xd5" * 160, self.to)
            time.sleep(0.02)
