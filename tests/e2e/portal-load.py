#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
# People who all come to one portal at once, and what it promised them.
#
#   portal-load.py send PORT CREATES PUBLISHES SECONDS ACKED
#     posts the CreateAccount and then the Publish of each line, by eight at
#     once; whoever is cut off tries the same again until an answer comes.
#     Notes "LINE 1" or "LINE 2" in ACKED behind each 201.
#   portal-load.py check PORT IDS CREATES PUBLISHES ACKED
#     all that was acknowledged is there, by fingerprint and by account
#   portal-load.py files DIR IDS CREATES PUBLISHES ACKED
#     each file of an export is one of the two sets; with ACKED not "-", all
#     that was acknowledged is there
#   portal-load.py slow PORT UDF N
#     N that ask at once and take nothing, until the input ends; prints how
#     many had which status
#   portal-load.py hands PORT N
#     how many of N handshakes of TLS one after the other there were

import base64
import http.client
import json
import os
import socket
import ssl
import sys
import threading
import time

PATH = '/.well-known/mmm/'
TYPE = {'Content-Type': 'application/json'}


def lines(name):
    with open(name, 'rb') as f:
        return f.read().splitlines()


def entries(create, publish):
    """The sets of both, as parsed."""
    signed = json.loads(create)['SignedRequest']['SignedData']['payload']
    text = base64.urlsafe_b64decode(signed + '=' * (-len(signed) % 4))
    return (json.loads(text)['CreateAccount']['Entries'],
            json.loads(publish)['Publish']['Entries'])


class Load:
    def __init__(self, port, creates, publishes, seconds, acked):
        self.port = int(port)
        self.pairs = list(zip(lines(creates), lines(publishes)))
        self.until = time.monotonic() + float(seconds)
        self.acked = open(acked, 'w', encoding='ascii')
        self.lock = threading.Lock()
        self.next = 0
        self.faults = []

    def take(self):
        with self.lock:
            self.next += 1
            return self.next - 1

    def note(self, n, version):
        with self.lock:
            self.acked.write(f'{n} {version}\n')

    def post(self, body):
        """The status, and whether an earlier try may have come through."""
        again = False
        while time.monotonic() < self.until:
            try:
                if self.local.c is None:
                    self.local.c = http.client.HTTPConnection(
                        '127.0.0.1', self.port, timeout=10)
                self.local.c.request('POST', PATH, body, TYPE)
                answer = self.local.c.getresponse()
                answer.read()
                return answer.status, again
            except (OSError, http.client.HTTPException):
                self.local.c.close()
                self.local.c = None
                again = True
                time.sleep(0.02)
        return 0, again

    def one(self, n):
        for version, body in enumerate(self.pairs[n], 1):
            status, again = self.post(body)
            if status == 0:
                return
            # The nonce and the account are one change, so one without the
            # other would be the loss that is looked for.
            if status == 201 or (status == 401 and again and version == 1):
                self.note(n, version)
            else:
                self.faults.append((n, version, status))
                return

    def work(self):
        self.local.c = None
        while time.monotonic() < self.until and not self.faults:
            n = self.take()
            if n >= len(self.pairs):
                return
            self.one(n)

    def run(self):
        self.local = threading.local()
        threads = [threading.Thread(target=self.work) for _ in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.acked.close()
        if self.faults:
            sys.exit(f'portal-load.py: {self.faults[:5]}')


def promised(acked):
    best = {}
    if acked != '-':
        for line in lines(acked):
            n, version = map(int, line.split())
            best[n] = max(best.get(n, 0), version)
    return best


def judge(text, sets, version):
    """version 1: also the next one, which may have come through."""
    if text is None:
        return version == 0
    got = json.loads(text)['GetResponse']['Entries']
    return got in sets[max(version, 1) - 1:]


def check(port, ids, creates, publishes, acked):
    c = http.client.HTTPConnection('127.0.0.1', int(port), timeout=10)

    def get(path):
        c.request('GET', PATH + path)
        answer = c.getresponse()
        text = answer.read()
        return text if answer.status == 200 else None

    people = list(zip(lines(ids), lines(creates), lines(publishes)))
    best = promised(acked)
    for n, version in best.items():
        udf, *both = people[n]
        sets = entries(*both)
        text = get(f'{udf.decode()}.json')
        if not judge(text, sets, version):
            sys.exit(f'portal-load.py: lost: {n} {version}')
        if get(f'account/user{n}@example.com.json') != text:
            sys.exit(f'portal-load.py: lost: account {n}')
    print(len(best), sum(v == 2 for v in best.values()))


def files(where, ids, creates, publishes, acked):
    best = promised(acked)
    found = 0
    for n, (udf, *both) in enumerate(zip(lines(ids), lines(creates),
                                         lines(publishes))):
        for name in (udf.decode(), f'account/user{n}@example.com'):
            path = f'{where}{PATH}{name}.json'
            text = None
            if os.path.exists(path):
                with open(path, 'rb') as f:
                    text = f.read()
                found += 1
            if not judge(text, entries(*both), best.get(n, 0)) and not (
                    text is not None and n not in best):
                sys.exit(f'portal-load.py: wrong: {path}')
            if text is not None and not judge(text, entries(*both), 1):
                sys.exit(f'portal-load.py: torn: {path}')
    print(found)


def slow(port, udf, n):
    """They ask, and take no more than the head of the answer."""
    heads = []
    taken = []
    for _ in range(int(n)):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.bind(('127.0.0.66', 0))
        s.connect(('127.0.0.1', int(port)))
        s.sendall(f'GET {PATH}{udf}.json HTTP/1.1\r\nHost: a\r\n\r\n'
                  .encode())
        heads.append(s.recv(12)[9:].decode())
        taken.append(s)
    print(*(f'{heads.count(h)}x{h}' for h in sorted(set(heads))), flush=True)
    sys.stdin.read()


def hands(port, n):
    context = ssl._create_unverified_context()
    done = 0
    for _ in range(int(n)):
        try:
            with socket.create_connection(('127.0.0.1', int(port)), 10,
                                          ('127.0.0.66', 0)) as s:
                context.wrap_socket(s).close()
            done += 1
        except OSError:
            pass
    print(done)


def main():
    word, *rest = sys.argv[1:]
    if word == 'send':
        Load(*rest).run()
    else:
        {'check': check, 'files': files, 'slow': slow, 'hands': hands}[word](*rest)


main()
