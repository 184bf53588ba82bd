#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""What lies between a program and its portal, and how it breaks.

usage: breaking.py DIR

Listens on a free port of the loopback, which it writes to DIR/port, and
hands each request on to the address in DIR/upstream.  DIR/mode says what
becomes of a POST, and of a GET if it begins with "all-"; behind a colon it
may name the one transaction that it is for, or Get or GetAccount:

    ok          the answer comes back
    deaf        it is carried out, and the answer is lost
    down        it is not carried out, and there is no answer
    half        the answer ends in its middle
    N           it is not carried out, and that status comes with a page
    refuse-N    so, with an answer of the protocol
    done        it is not carried out, and the answer says that it was
    raw         it is not carried out, and DIR/raw goes out as it is
    drip        so, a byte each second
    hang        nothing goes out, and the connection stays
    endless     an answer that does not end
"""
import base64
import http.client
import http.server
import json
import os
import sys
import time

PAGE = b"<!DOCTYPE html><title>Sorry</title>\n"
DIR = sys.argv[1]


def read(name):
    with open(os.path.join(DIR, name), encoding="ascii") as f:
        return f.read().strip()


class Wire(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def transaction(self, body):
        """What is asked for, signed or not."""
        if self.command == "GET":
            return "GetAccount" if "/account/" in self.path else "Get"
        asked = json.loads(body)
        if "SignedRequest" in asked:
            payload = asked["SignedRequest"]["SignedData"]["payload"]
            asked = json.loads(base64.urlsafe_b64decode(payload + "=="))
        return next(iter(asked))

    def mode(self, name):
        mode, _, only = read("mode").partition(":")
        if only:
            return mode if only == name else "ok"
        if mode.startswith("all-"):
            return mode[4:]
        return mode if self.command == "POST" else "ok"

    def answer(self, status, body, length=None):
        self.send_response(status)
        self.send_header("Content-Length", str(length or len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, status, name):
        text = {name + "Response": {"Status": status,
                                    "StatusDescription": "no\x1b[31m"}}
        self.answer(status, json.dumps(text).encode())

    def raw(self):
        with open(os.path.join(DIR, "raw"), "rb") as f:
            return f.read()

    def drip(self):
        for byte in self.raw():
            self.wfile.write(bytes([byte]))
            time.sleep(1)

    def hang(self):
        self.connection.recv(1)

    def endless(self):
        self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            self.wfile.write(b" " * 65536)

    def mislead(self, mode):
        """An answer that came from here; False if it is to be true."""
        if mode not in ("raw", "drip", "hang", "endless"):
            return False
        try:
            if mode == "raw":
                self.wfile.write(self.raw())
            else:
                getattr(self, mode)()
        except OSError:
            pass
        return True

    def carry(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        name = self.transaction(body)
        mode = self.mode(name)
        self.close_connection = True
        if mode == "down" or self.mislead(mode):
            return
        if mode == "done" or mode.startswith("refuse-"):
            self.refuse(201 if mode == "done" else int(mode[7:]), name)
            return
        if mode.isdigit():
            self.answer(int(mode), PAGE)
            return
        there = http.client.HTTPConnection(read("upstream"), timeout=30)
        there.request(self.command, self.path, body or None,
                      {"Content-Type": "application/json"})
        reply = there.getresponse()
        text = reply.read()
        if mode == "half":
            self.answer(reply.status, text[:len(text) // 2], len(text))
        elif mode != "deaf":
            self.answer(reply.status, text)

    do_GET = do_POST = carry


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Wire)
with open(os.path.join(DIR, "port.new"), "w", encoding="ascii") as port:
    port.write("%d\n" % server.server_address[1])
os.rename(os.path.join(DIR, "port.new"), os.path.join(DIR, "port"))
server.serve_forever()
