#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Somebody at a terminal.

usage: typist.py LINE... -- PROGRAM [ARGUMENT...]

Runs the program on a terminal of its own and types a line each time that it
asks for something, which ends in a colon or a question mark and a space.
A line of ^C, ^D or ^\\ is that key alone.  Prints what the terminal showed,
and whether it is left in another state, and exits as the program did.
"""
import os
import pty
import re
import select
import sys
import termios
import time

ASKS = re.compile(rb"[:?] (\[[^]]*\] )?$")

KEYS = {"^C": b"\x03", "^D": b"\x04", "^\\": b"\x1c"}


def main():
    split = sys.argv.index("--")
    lines, argv = sys.argv[1:split], sys.argv[split + 1:]
    pid, fd = pty.fork()
    if pid == 0:
        os.execvp(argv[0], argv)
    before = termios.tcgetattr(fd)
    shown, new = b"", b""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        ready, _, _ = select.select([fd], [], [], 0.2)
        if ready:
            try:
                some = os.read(fd, 65536)
            except OSError:
                break
            if not some:
                break
            shown += some
            new += some
        elif lines and ASKS.search(new):
            line = lines.pop(0)
            os.write(fd, KEYS.get(line, line.encode() + b"\n"))
            new = b""
    if termios.tcgetattr(fd) != before:
        shown += b"\ntypist.py: the terminal is in another state\n"
    sys.stdout.buffer.write(shown)
    _, status = os.waitpid(pid, 0)
    sys.exit(os.waitstatus_to_exitcode(status) & 255)


main()
