#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Posts to a portal, and hears of changes.

usage: post.py send URL REQUESTS CONNECTIONS
       post.py wait URL FINGERPRINTS PUBLISHES WAITING ROUNDS

send posts each line of a file, over so many connections at once, and prints
how many were answered with 201 a second; any other answer ends it.

wait opens WAITING connections that each wait by Changes for another profile,
publishes one of them ROUNDS times in turn, and prints the milliseconds from
the moment the post was sent until its answer and until the news was there:
median and most of each.  Then all of them wait for one profile that has not
been published yet, and the last of them counts.
"""
import json
import select
import socket
import statistics
import sys
import time
import urllib.parse

PATH = "/.well-known/mmm/"


class Connection:
    def __init__(self, where, host):
        self.socket = socket.create_connection(where)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.host = host
        self.bytes = b""

    def send(self, body):
        head = (f"POST {PATH} HTTP/1.1\r\nHost: {self.host}\r\n"
                "Content-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n")
        self.socket.sendall(head.encode() + body)

    def take(self):
        """The body of an answer, or None if there is no whole one yet."""
        head, end, rest = self.bytes.partition(b"\r\n\r\n")
        if not end:
            return None
        for line in head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        if len(rest) < length:
            return None
        self.bytes = rest[length:]
        return json.loads(rest[:length])

    def receive(self):
        while True:
            answer = self.take()
            if answer is not None:
                return answer
            self.bytes += self.socket.recv(65536)


def changes(store, since, wait, udfs):
    return json.dumps({"Changes": {"Store": store, "Since": since,
                                   "Wait": wait,
                                   "Identifiers": udfs}}).encode()


def send(url, requests, connections):
    parts = urllib.parse.urlsplit(url)
    poll = select.epoll()
    by_fd = {}
    with open(requests, "rb") as lines:
        for _ in range(int(connections)):
            c = Connection((parts.hostname, parts.port), parts.netloc)
            by_fd[c.socket.fileno()] = c
            poll.register(c.socket.fileno(), select.EPOLLIN)
        begun = time.perf_counter()
        done = waiting = 0
        for c in by_fd.values():
            line = lines.readline().strip()
            if line:
                c.send(line)
                waiting += 1
        while waiting > 0:
            for fd, _ in poll.poll(60):
                answer = by_fd[fd].receive()
                if next(iter(answer.values()))["Status"] != 201:
                    sys.exit(f"post.py: {answer}")
                done += 1
                waiting -= 1
                line = lines.readline().strip()
                if line:
                    by_fd[fd].send(line)
                    waiting += 1
    print(f"{done / (time.perf_counter() - begun):.0f}")


class Crowd:
    def __init__(self, url, n):
        parts = urllib.parse.urlsplit(url)
        where = (parts.hostname, parts.port)
        self.writer = Connection(where, parts.netloc)
        self.waiters = [Connection(where, parts.netloc) for _ in range(n)]
        self.poll = select.epoll()
        self.by_fd = {w.socket.fileno(): w for w in self.waiters}
        for fd in self.by_fd:
            self.poll.register(fd, select.EPOLLIN)

    def mark(self):
        self.writer.send(changes("", 0, 0, []))
        answer = self.writer.receive()["ChangesResponse"]
        return answer["Store"], answer["Next"]

    def wait(self, waiter, udf):
        waiter.send(changes(*self.mark_now, 60, [udf]))

    def publish(self, body, expected):
        """Milliseconds to the answer, and to the last of the news."""
        begun = time.perf_counter()
        self.writer.send(body)
        answered = None
        self.poll.register(self.writer.socket.fileno(), select.EPOLLIN)
        heard = 0
        while heard < expected or answered is None:
            for fd, _ in self.poll.poll(30):
                if fd == self.writer.socket.fileno():
                    answer = self.writer.receive()
                    if answer["PublishResponse"]["Status"] != 201:
                        sys.exit(f"changes.py: {answer}")
                    answered = time.perf_counter()
                else:
                    self.by_fd[fd].receive()
                    heard += 1
                    last = time.perf_counter()
        self.poll.unregister(self.writer.socket.fileno())
        return (answered - begun) * 1000, (last - begun) * 1000


def wait(url, ids, publishes, waiting, rounds):
    waiting, rounds = int(waiting), int(rounds)
    with open(ids, encoding="ascii") as f:
        udfs = [f.readline().strip() for _ in range(waiting + 1)]
    with open(publishes, "rb") as f:
        bodies = [f.readline().strip() for _ in range(waiting + 1)]
    crowd = Crowd(url, waiting)
    crowd.mark_now = crowd.mark()
    for waiter, udf in zip(crowd.waiters, udfs):
        crowd.wait(waiter, udf)
    time.sleep(1)
    times = []
    for i in range(rounds):
        times.append(crowd.publish(bodies[i], 1))
    for waiter in crowd.waiters[rounds:]:
        waiter.socket.close()
    print("one", *(f"{f(x):.2f}" for x in zip(*times)
                   for f in (statistics.median, max)))
    crowd = Crowd(url, waiting)
    crowd.mark_now = crowd.mark()
    for waiter in crowd.waiters:
        crowd.wait(waiter, udfs[waiting])
    time.sleep(1)
    print("all", *(f"{x:.2f}" for x in
                   crowd.publish(bodies[waiting], waiting)))


{"send": send, "wait": wait}[sys.argv[1]](*sys.argv[2:])
