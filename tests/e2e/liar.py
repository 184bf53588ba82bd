#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Stands before an honest portal and makes it a dishonest one.

usage: liar.py --lies FILE --ready FILE ADDRESS:PORT URL

Takes each request at ADDRESS:PORT, of the loopback, to the portal at URL.
FILE is read at each request and has one lie a line:

    down TRANSACTION      answers 503 instead
    lost TRANSACTION      takes it there, and breaks the connection off
    witness TRANSACTION   every Witness in its answer is another one
    bare TRANSACTION      every Witness in its answer is left out
    payload TRANSACTION   one bit of every payload in its answer is another
    save FILE             each ConnectPending adds its elements there
    replay FILE           and shows those of FILE besides
    swap UDF UDF          ConnectStatus answers about one device with the
                          result of the other
    set FILE              GET answers FILE for whatever is asked
"""
import argparse
import base64
import http.client
import http.server
import json
import os
import sys
import time
import urllib.parse


def lies(path):
    with open(path, encoding="ascii") as f:
        return [line.split() for line in f if line.strip()]


def tell(words, name):
    """The values of a lie."""
    return [w[1:] for w in words if w[0] == name]


def elements(answer):
    """Whatever of an answer may have a Witness."""
    for body in answer.values():
        if isinstance(body, dict):
            yield body
            yield from body.get("Pending", [])


def other(text):
    """One bit of base64url is another."""
    data = bytearray(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    data[len(data) // 2] ^= 1
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def spoil(answer, transaction, words):
    for e in elements(answer):
        if [transaction] in tell(words, "bare"):
            e.pop("Witness", None)
        if [transaction] in tell(words, "witness") and "Witness" in e:
            e["Witness"] = other(e["Witness"])
        for tag in "SignedConnectionRequest", "SignedConnectionResult":
            if [transaction] in tell(words, "payload") and tag in e:
                data = e[tag]["SignedData"]
                data["payload"] = other(data["payload"])


def load(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def pending(answer, words):
    """Keeps what waits, and shows what waited."""
    shown = answer["ConnectPendingResponse"].get("Pending", [])
    for (path,) in tell(words, "save"):
        with open(path + ".new", "w", encoding="utf-8") as f:
            json.dump(load(path) + shown, f)
        os.rename(path + ".new", path)
    for (path,) in tell(words, "replay"):
        shown.extend(load(path))


class Liar(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def upstream(self, method, body):
        """The true answer, however often it has to be asked for."""
        for _ in range(100):
            status, text = self.ask(method, body)
            if status != 429:
                break
            time.sleep(0.2)
        return status, text

    def ask(self, method, body):
        host = urllib.parse.urlsplit(self.server.url).netloc
        connection = http.client.HTTPConnection(host, timeout=30)
        connection.request(method, self.path, body,
                           {"Content-Type": "application/json"})
        reply = connection.getresponse()
        text = reply.read()
        connection.close()
        return reply.status, text

    def answer(self, status, text):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self):
        for (path,) in tell(lies(self.server.lies), "set"):
            with open(path, "rb") as f:
                self.answer(200, f.read())
            return
        self.answer(*self.upstream("GET", None))

    def do_POST(self):
        words = lies(self.server.lies)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = json.loads(body)
        if "SignedRequest" in request:
            payload = request["SignedRequest"]["SignedData"]["payload"]
            payload += "=" * (-len(payload) % 4)
            transaction = next(iter(json.loads(
                base64.urlsafe_b64decode(payload))))
        else:
            transaction = next(iter(request))
        if [transaction] in tell(words, "down"):
            self.answer(503, b"{}")
            return
        if transaction == "ConnectStatus":
            body = self.swap(request, words)
        status, text = self.upstream("POST", body)
        if [transaction] in tell(words, "lost"):
            self.close_connection = True
            return
        answer = json.loads(text)
        if transaction == "ConnectPending" and status < 300:
            pending(answer, words)
        spoil(answer, transaction, words)
        self.answer(status, json.dumps(answer).encode())

    def swap(self, request, words):
        inner = request["ConnectStatus"]
        for a, b in tell(words, "swap"):
            inner["DeviceUDF"] = {a: b, b: a}.get(inner["DeviceUDF"],
                                                  inner["DeviceUDF"])
        return json.dumps(request).encode()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lies", required=True)
    parser.add_argument("--ready", required=True)
    parser.add_argument("address")
    parser.add_argument("url")
    args = parser.parse_args()
    host, port = args.address.split(":")
    if not host.startswith("127."):
        sys.exit("liar.py: '%s' is not of the loopback" % host)
    server = http.server.ThreadingHTTPServer((host, int(port)), Liar)
    server.lies = args.lies
    server.url = args.url
    with open(args.ready, "w", encoding="ascii"):
        pass
    server.serve_forever()


if __name__ == "__main__":
    main()
