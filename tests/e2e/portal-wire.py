#!/usr/bin/env python3
# A client that says byte by byte what it is told, for what curl would never
# do.  Always with a deadline; the last word goes to standard error.
#
#   portal-wire.py [OPTION ...] PORT
#     sends standard input, and prints the answer
#     --from IP      of the loopback    --half       then shuts down its half
#     --pace S       S between bytes    --keep N     after N bytes, at once
#     --limit S      waits so long      --tls        with TLS, unverified
#   portal-wire.py crowd IP N PORT
#     N silent connections until its input ends; prints how many were let in
#   portal-wire.py listen PORT COMMAND ...
#     becomes COMMAND with a socket that listens there, as of a supervisor

import argparse
import os
import select
import socket
import ssl
import sys
import time


def connect(port, source):
    return socket.create_connection(('127.0.0.1', port), 10,
                                    (source, 0))


def crowd(source, n, port):
    all_of_them = []
    for _ in range(n):
        all_of_them.append(connect(port, source))
    time.sleep(1)
    closed = select.select(all_of_them, [], [], 0)[0]
    print(n - len(closed), flush=True)
    sys.stdin.buffer.read()


def listen(port, command):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(('127.0.0.1', port))
    s.listen()
    os.dup2(s.fileno(), 3)
    os.set_inheritable(3, True)
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1')
    os.execvp(command[0], command)


def say(s, data, o):
    s.sendall(data[:o.keep])
    for i in range(o.keep, len(data)):
        # Whoever hangs up meanwhile is noticed here.
        if select.select([s], [], [], o.pace)[0]:
            return
        s.sendall(data[i:i + 1])


def talk(o):
    data = sys.stdin.buffer.read()
    begun = time.monotonic()
    s = connect(o.port, o.source)
    if o.tls:
        context = ssl._create_unverified_context()
        s = context.wrap_socket(s)
    s.settimeout(o.limit)
    end = 'closed'
    try:
        if o.pace > 0:
            say(s, data, o)
        else:
            s.sendall(data)
        if o.half:
            s.shutdown(socket.SHUT_WR)
        while True:
            part = s.recv(65536)
            if not part:
                break
            sys.stdout.buffer.write(part)
            sys.stdout.buffer.flush()
    except socket.timeout:
        end = 'open'
    except OSError:
        end = 'reset'
    print(end, int(time.monotonic() - begun), file=sys.stderr)


def main():
    if sys.argv[1] == 'crowd':
        crowd(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
        return
    if sys.argv[1] == 'listen':
        listen(int(sys.argv[2]), sys.argv[3:])
    p = argparse.ArgumentParser()
    p.add_argument('--from', dest='source', default='127.0.0.1')
    p.add_argument('--half', action='store_true')
    p.add_argument('--tls', action='store_true')
    p.add_argument('--pace', type=float, default=0)
    p.add_argument('--keep', type=int, default=0)
    p.add_argument('--limit', type=float, default=5)
    p.add_argument('port', type=int)
    talk(p.parse_args())


main()
