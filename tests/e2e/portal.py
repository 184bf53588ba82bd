#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A portal for tests, honest and in every way dishonest.

usage: portal.py [--log FILE] [--ready FILE] [--every SECONDS]
                 [--mute ADDRESS:PORT] --dir DIR ADDRESS:PORT ...

Serves the sets DIR/<UDF>.json on each address, which must be of the
loopback.  Files are to be renamed into DIR; they are looked at every 50 ms.
The URL of a portal chooses how it behaves:

    http://ADDRESS:PORT                honest: GET with ETag and 304; POST
                                       of Get and Changes
    http://ADDRESS:PORT/BEHAVIOUR      one of GETS or LIES below
    http://ADDRESS:PORT/status-N       that HTTP status, with the true set

and while it runs, by POST:

    /control/publish                   looks at DIR now; answers {"Next": N}
    /control/behave/BEHAVIOUR          what the URL without a behaviour
                                       does from now on; "honest" again
    /control/store                     becomes another Store, as after a
                                       restore from a backup
    GET /control/stats                 {"most": requests at once, "requests",
                                       "connections", "waiting"}

GETS misbehave in reading (post-only and post-redirect in the transactions
too), LIES in Changes only.  --log has one line a request: the method, the
path, and If-None-Match, Accept-Encoding and Authorization, each '-' if it
did not come.  --mute is an address where connections and datagrams are taken
and never answered.  --ready is a file that is made when all ports are open.
"""
import argparse
import functools
import gzip
import hashlib
import http.server
import ipaddress
import json
import os
import re
import secrets
import socket
import struct
import sys
import threading
import time

WELL_KNOWN = "/.well-known/mmm/"
UDF = re.compile(r"[A-Z2-7]{5}(-[A-Z2-7]{5}){5}")
POST_MAX = 1 << 20
WAIT_MAX = 60
FOR_EVER = 600              # seconds; no test lasts so long
PAGE = b"<!DOCTYPE html><title>Welcome</title><p>Please log in.\n"


class Store:
    """The sets of a directory, and when each of them changed."""

    def __init__(self, path):
        self.path = path
        self.changed = threading.Condition()
        self.marks = {}     # by UDF: what stat told, digest, when
        self.next = 0
        self.id = secrets.token_hex(8)
        self.waiting = 0
        self.look()

    def read(self, udf):
        """The bytes of a set, or None."""
        try:
            with open(os.path.join(self.path, udf + ".json"), "rb") as f:
                return f.read()
        except OSError:
            return None

    def look(self):
        with self.changed:
            there = self.list()
            before = self.next
            for udf in set(self.marks) - set(there):
                self.next += 1
                del self.marks[udf]
            for udf, stat in there.items():
                self.look_at(udf, stat)
            if self.next != before:
                self.changed.notify_all()
            return self.next

    def list(self):
        there = {}
        with os.scandir(self.path) as entries:
            for entry in entries:
                name = entry.name.removesuffix(".json")
                if name != entry.name and UDF.fullmatch(name):
                    s = entry.stat()
                    there[name] = (s.st_ino, s.st_size, s.st_mtime_ns)
        return there

    def look_at(self, udf, stat):
        old = self.marks.get(udf, (None, None, 0))
        if stat == old[0]:
            return
        data = self.read(udf)
        digest = data and hashlib.sha256(data).digest()
        when = old[2]
        if digest != old[1]:
            self.next += 1
            when = self.next
        self.marks[udf] = (stat, digest, when)

    def news(self, since, udfs):
        """Those that changed behind 'since' or are not stored."""
        return [u for u in udfs if u not in self.marks or
                self.marks[u][2] > since]

    def wait(self, asked):
        """The members of an answer, once there is something to tell."""
        until = time.monotonic() + min(int(asked.get("Wait", 0)), WAIT_MAX)
        since = int(asked.get("Since", 0))
        with self.changed:
            self.waiting += 1
            try:
                while True:
                    lost = asked.get("Store") != self.id or since > self.next
                    names = self.news(self.next if lost else since,
                                      asked["Identifiers"])
                    left = until - time.monotonic()
                    if lost or names or left <= 0:
                        return {"Store": self.id, "Next": self.next,
                                "Reset": lost, "Identifiers": names}
                    self.changed.wait(left)
            finally:
                self.waiting -= 1

    def renew(self):
        with self.changed:
            self.id = secrets.token_hex(8)
            self.changed.notify_all()


def etag_of(data):
    return '"%s"' % hashlib.sha256(data).hexdigest()[:32]


def head(status, *lines):
    text = ["HTTP/1.1 %d Whatever" % status, *lines, "", ""]
    return "\r\n".join(text).encode("latin-1")


def length(data):
    return "Content-Length: %d" % len(data)


# How to misread: each takes the request and the true set.

def redirect(where, status=302):
    def answer(h, data):
        h.answer(status, PAGE, "Location: " + where.format(
            host=h.address[0], port=h.address[1], other=h.server.other,
            dir=h.store.path, udf=h.udf, path=h.path,
            here="%s%s.json" % (WELL_KNOWN, h.udf)))
    return answer


def hops(n):
    """So many redirects on this very server, then the set."""
    def answer(h, data):
        at, _, rest = h.path.partition(WELL_KNOWN)
        done = at.count("/hop")
        if done == n:
            return h.honest(data)
        return h.answer(302, PAGE, "Location: %s/hop%s%s" % (
            at, WELL_KNOWN, rest))
    return answer


def endless(parts, pause):
    def answer(h, data):
        until = time.monotonic() + FOR_EVER
        h.send(head(200, "Transfer-Encoding: chunked"))
        while time.monotonic() < until:
            h.send(b"%x\r\n%s\r\n" % (len(parts), parts))
            time.sleep(pause)
    return answer


def drip(h, data):
    h.send(head(200, length(data)))
    for i in range(len(data)):
        h.send(data[i:i + 1])
        time.sleep(1)


def repeat(line, pause, times, first=b"HTTP/1.1 200 OK\r\n"):
    """A header that does not end, or not soon."""
    def answer(h, data):
        h.send(first)
        for i in range(times):
            h.send(line)
            time.sleep(pause)
        h.send(b"X: y\r\n%s\r\n\r\n" % length(data).encode() + data)
    return answer


def silent(h, data):
    time.sleep(FOR_EVER)


@functools.cache
def packed():
    return gzip.compress(b" " * (64 << 20))


def bomb(*lines):
    def answer(h, data):
        h.answer(200, packed(), *lines)
    return answer


def bomb_transfer(h, data):
    h.send(head(200, "Transfer-Encoding: gzip, chunked") +
           b"%x\r\n%s\r\n0\r\n\r\n" % (len(packed()), packed()))


def pretend(more, rest=b""):
    """A Content-Length that is wrong by so much."""
    def answer(h, data):
        h.send(head(200, "Content-Length: %d" % (len(data) + more)) +
               data + rest)
        h.close_connection = more > 0
    return answer


def raw(*parts):
    def answer(h, data):
        h.send(b"".join(data if p is None else p for p in parts))
        h.close_connection = True
    return answer


def late_304(h, data):
    time.sleep(1)
    h.answer(304, b"")


def reset(h, data):
    h.send(head(200, length(data)) + data[:len(data) // 2])
    time.sleep(0.2)
    h.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                            struct.pack("ii", 1, 0))
    h.connection.close()
    h.close_connection = True


def status(n, *lines):
    def answer(h, data):
        h.answer(n, data, *lines)
    return answer


def other(h, data):
    """A set that verifies, of somebody else."""
    names = sorted(h.store.marks)
    i = names.index(h.udf) if h.udf in names else 0
    h.honest(h.store.read(names[(i + 1) % len(names)]))


def pause(h, data):
    time.sleep(0.3)
    h.honest(data)


def tagged(*tags):
    def answer(h, data):
        if tags[0] == h.headers["If-None-Match"]:
            return h.answer(304, b"")
        return h.answer(200, data, *("ETag: " + t for t in tags))
    return answer


GETS = {
    "redirect-file": redirect("file://{dir}/{udf}.json"),
    "redirect-host": redirect("http://other.example:{port}{here}"),
    "redirect-port": redirect("http://{host}:{other}{here}"),
    "redirect-user": redirect("http://me@{host}:{port}{here}"),
    "redirect-scheme": redirect("gopher://{host}:{port}{here}"),
    "redirect-loop": redirect("{path}"),
    "redirect-303": redirect("{here}", 303),
    "redirect-here": redirect("{here}", 307),
    "redirect-twice": hops(2),
    "redirect-thrice": hops(3),
    "captive": redirect("http://login.example/welcome"),
    "html": lambda h, data: h.answer(200, PAGE, "Content-Type: text/html"),
    "none": lambda h, data: h.answer(200, b""),
    "chunks": endless(b" " * 65536, 0),
    "chunks-slow": endless(b" " * 400, 1),
    "drip": drip,
    "silent": silent,
    "headers-slow": repeat(b"X: " + b"y" * 300 + b"\r\n", 1, FOR_EVER),
    "headers-many": repeat(b"X: y\r\n", 0, 10000),
    "header-long": repeat(b"X: " + b"y" * (1 << 20) + b"\r\n", 0, 1),
    "interim": repeat(head(100), 0, 10000, b""),
    "gzip": bomb("Content-Encoding: gzip"),
    "gzip-unsaid": bomb(),
    "gzip-transfer": bomb_transfer,
    "short": pretend(10),
    "cut": pretend(-10),
    "excess": pretend(0, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"),
    "status-garbage": raw(b"HTTP/1.1 okay\r\n\r\n", None),
    "status-four": raw(b"HTTP/1.1 2000 OK\r\n\r\n", None),
    "no-http": raw(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "no-header": raw(None),
    "nothing": raw(),
    "reset": reset,
    "busy": status(503, "Retry-After: 60"),
    "many": status(429, "Retry-After: 60"),
    "other": other,
    "pause": pause,
    "late-304": late_304,
    "etag-weak": tagged('W/"abc"'),
    "etag-bare": tagged("abc"),
    "etag-space": tagged('"a b"'),
    "etag-quote": tagged('"a"b"'),
    "etag-latin": tagged('"a\xe4"'),
    "etag-empty": tagged('""'),
    "etag-long": tagged('"%s"' % ("e" * 511)),
    "etag-longest": tagged('"%s"' % ("e" * 510)),
    "etag-two": tagged('"a"', '"b"'),
    "post-only": status(404),
    "post-redirect": status(405),
    "post-other": status(501),
}


# How to lie in Changes: each takes the request, the members of the
# transaction, and gives those of the answer, or None if it has answered.

def lie_backwards(h, asked):
    h.server.lies += 1
    return h.true_changes(asked) | {"Next": max(0, 1000 - h.server.lies)}


def lie_endless(h, asked):
    endless(b'{"ChangesResponse":' + b" " * 60000, 0)(h, b"")


def lie_strangers(h, asked):
    names = ["M" + secrets.choice("ABCD") * 4 + "-AAAAA" * 5
             for i in range(100)]
    return h.true_changes(asked | {"Wait": 0}) | {"Identifiers": names}


def lie_never(h, asked):
    time.sleep(FOR_EVER)


def lie_silent(h, asked):
    time.sleep(min(int(asked["Wait"]), WAIT_MAX))
    return h.true_changes(asked | {"Wait": 0}) | {"Identifiers": []}


LIES = {
    "lie-backwards": lie_backwards,
    "lie-reset": lambda h, asked: h.true_changes(asked) | {"Reset": True},
    "lie-at-once": lambda h, asked: h.true_changes(asked | {"Wait": 0}),
    "lie-strangers": lie_strangers,
    "lie-everything": lambda h, asked: h.true_changes(
        asked | {"Wait": 0}) | {"Identifiers": asked["Identifiers"]},
    "lie-endless": lie_endless,
    "lie-garbage": lambda h, asked: h.answer(200, b"\x00{]garbage" * 10),
    "lie-html": lambda h, asked: h.answer(200, PAGE),
    "lie-stores": lambda h, asked: h.true_changes(asked) | {
        "Store": secrets.token_hex(8)},
    "lie-never": lie_never,
    "lie-silent": lie_silent,
    "lie-unknown": lambda h, asked: h.transacted("Changes", 404),
    "lie-busy": lambda h, asked: h.answer(503, b"", "Retry-After: 1"),
}


class Request(http.server.BaseHTTPRequestHandler):
    """One connection, and the request on it that is under way."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    udf = None
    counted = False         # this connection, in the stats

    def setup(self):
        super().setup()
        self.store = self.server.store
        self.address = self.connection.getsockname()

    def log_message(self, *args):
        pass

    def note(self):
        if not self.counted and not self.path.startswith("/control/"):
            self.counted = True
            self.server.stats.add("connections", 1)
        names = ("If-None-Match", "Accept-Encoding", "Authorization")
        self.server.stats.note(" ".join([self.command, self.path] + [
            self.headers[n] or "-" for n in names]))

    def send(self, data):
        self.wfile.write(data)

    def answer(self, n, data, *lines):
        if n in (204, 304):
            return self.send(head(n, *lines))
        return self.send(head(n, *lines, length(data)) + data)

    def honest(self, data):
        if data is None:
            return self.answer(404, b"")
        tag = etag_of(data)
        same = self.headers["If-None-Match"] == tag
        return self.answer(304 if same else 200, data, "ETag: " + tag,
                           "Content-Type: application/json")

    def transacted(self, name, n, members=None):
        body = {"Status": n, "StatusDescription": "status %d" % n}
        self.answer(n, json.dumps({name + "Response": body | (
            members or {})}).encode(), "Content-Type: application/json")

    def true_changes(self, asked):
        return self.store.wait(asked)

    # The path without the behaviour; "" for the honest one.
    def split(self):
        front, _, rest = self.path.partition(WELL_KNOWN)
        behaviour = front.lstrip("/").split("/")[0]
        return behaviour or self.server.behaviour, rest

    def do_GET(self):
        self.note()
        if self.path == "/control/stats":
            return self.answer(200, json.dumps(
                self.server.stats.show(self.store)).encode())
        with self.server.stats:
            return self.read()

    def read(self):
        behaviour, rest = self.split()
        self.udf = rest.removesuffix(".json")
        data = self.store.read(self.udf) if UDF.fullmatch(
            self.udf) else None
        if behaviour in GETS and data is not None:
            return GETS[behaviour](self, data)
        if behaviour.startswith("status-") and data is not None:
            return self.answer(int(behaviour.removeprefix("status-")), data)
        return self.honest(data)

    def do_POST(self):
        self.note()
        n = int(self.headers["Content-Length"] or 0)
        if n > POST_MAX:
            self.close_connection = True
            return self.answer(413, b"")
        body = self.rfile.read(n)
        if self.path.startswith("/control/"):
            return self.control(self.path.removeprefix("/control/"))
        with self.server.stats:
            return self.transact(body)

    def control(self, what):
        if what == "publish":
            n = self.store.look()
            return self.answer(200, json.dumps({"Next": n}).encode())
        if what == "store":
            self.store.renew()
        elif what.startswith("behave/"):
            name = what.removeprefix("behave/")
            self.server.behaviour = "" if name == "honest" else name
        else:
            return self.answer(404, b"")
        return self.answer(200, b"{}")

    def transact(self, body):
        behaviour, rest = self.split()
        try:
            (name, asked), = json.loads(body).items()
        except (ValueError, AttributeError):
            return self.answer(400, b"")
        if behaviour == "post-redirect":
            return self.answer(307, b"", "Location: " + WELL_KNOWN)
        if name == "Get":
            return self.get(behaviour, asked)
        if name == "Changes":
            lie = LIES.get(behaviour, Request.true_changes)
            members = lie(self, asked)
            return members and self.transacted(name, 201, members)
        return self.transacted(name, 400)

    def get(self, behaviour, asked):
        self.udf = asked.get("Identifier", "")
        data = self.store.read(self.udf) if UDF.fullmatch(
            self.udf) else None
        if data is None:
            return self.transacted("Get", 404)
        if behaviour == "post-other":
            return other(self, data)
        return self.answer(201, data, "Content-Type: application/json")


class Stats:
    """What came; entered while a request is worked on."""

    def __init__(self, log):
        self.lock = threading.Lock()
        self.log = open(log, "a", buffering=1) if log else None
        self.counts = {"requests": 0, "connections": 0, "now": 0, "most": 0}

    def add(self, name, n):
        with self.lock:
            self.counts[name] += n

    def note(self, line):
        if self.log:
            self.log.write(line + "\n")

    def show(self, store):
        with self.lock:
            return self.counts | {"waiting": store.waiting}

    def __enter__(self):
        with self.lock:
            self.counts["requests"] += 1
            self.counts["now"] += 1
            self.counts["most"] = max(self.counts["most"],
                                      self.counts["now"])

    def __exit__(self, *exc):
        self.add("now", -1)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512
    behaviour = ""
    other = 0               # another port of ours, honest as well
    lies = 0

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], (OSError, ValueError)):
            super().handle_error(request, client_address)

    def get_request(self):
        connection, peer = super().get_request()
        connection.settimeout(FOR_EVER)
        return connection, peer


def listen(where, store, log):
    host, _, port = where.rpartition(":")
    if not ipaddress.ip_address(host).is_loopback:
        sys.exit("portal.py: '%s' is not of the loopback" % host)
    server = Server((host, int(port)), Request)
    server.store = store
    server.stats = Stats(log)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def listen_mute(where):
    host, _, port = where.rpartition(":")
    sockets = [socket.socket(socket.AF_INET, kind)
               for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)]
    for s in sockets:
        s.bind((host, int(port)))
    sockets[0].listen(100)
    return sockets


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dir", required=True)
    parser.add_argument("--log")
    parser.add_argument("--ready")
    parser.add_argument("--mute")
    parser.add_argument("--every", type=float, default=0.05)
    parser.add_argument("where", nargs="+", metavar="ADDRESS:PORT")
    args = parser.parse_args()
    store = Store(args.dir)
    servers = [listen(where, store, args.log) for where in args.where]
    for server in servers:
        server.other = servers[-1].server_address[1]
    mute = listen_mute(args.mute) if args.mute else [None]
    if args.ready:
        with open(args.ready, "w") as f:
            f.writelines("%s:%d\n" % s.server_address for s in servers)
    while mute:         # keeps its sockets
        time.sleep(args.every)
        store.look()


if __name__ == "__main__":
    main()
