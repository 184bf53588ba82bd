#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""What a program did, against an AppArmor profile.

usage: allowed.py PROFILE TRACE...

PROFILE is what "apparmor_parser --preprocess" prints, TRACE what
"strace -f -y" of files, networks and processes wrote.  Prints what the
profile does not allow, a line each, and in the last line how much was
compared.  Nothing stands for AppArmor here: the rules are read by us.
"""
import os
import re
import sys

SPLIT = re.compile(r"\s+(?=[a-zA-Z]+,$)")


def read_profile(path):
    variables, rules, networks = {}, [], []
    with open(path, encoding="utf-8") as f:
        for line in f:
            line = re.sub(r"\s+#.*", "", line.strip())
            if not line or line.startswith("#"):
                continue
            found = re.match(r"@\{(\w+)\}\s*\+?=\s*(.*)", line)
            if found:
                variables.setdefault(found[1], []).extend(
                    word.strip('"') for word in found[2].split())
            elif line.startswith("network"):
                networks.append(line.rstrip(",").split()[1:])
            elif re.match(r"(owner\s+)?[/@]", line) and line.endswith(","):
                pattern, perms = SPLIT.split(
                    re.sub(r"^owner\s+", "", line), maxsplit=1)
                rules.append((pattern, perms.rstrip(",")))
    return variables, rules, networks


def expand(pattern, variables):
    found = re.search(r"@\{(\w+)\}", pattern)
    if not found:
        return [pattern]
    return [whole for value in variables.get(found[1], [])
            for whole in expand(pattern[:found.start()] + value +
                                pattern[found.end():], variables)]


def regex(pattern):
    out, depth, i = "", 0, 0
    pattern = re.sub("/+", "/", pattern)
    while i < len(pattern):
        c = pattern[i]
        if pattern.startswith("**", i):
            out += ".*"
            i += 1
        elif c == "*":
            out += "[^/]*"
        elif c == "?":
            out += "[^/]"
        elif c == "{":
            out += "(?:"
            depth += 1
        elif c == "}":
            out += ")"
            depth -= 1
        elif c == "," and depth > 0:
            out += "|"
        elif c == "[":
            end = pattern.index("]", i)
            out += pattern[i:end + 1]
            i = end
        else:
            out += re.escape(c)
        i += 1
    return re.compile(out + r"\Z")


class Profile:
    def __init__(self, path):
        variables, rules, self.networks = read_profile(path)
        self.rules = [(regex(whole), perms) for pattern, perms in rules
                      for whole in expand(pattern, variables)]

    def allows(self, path, wanted):
        have = "".join(perms for rule, perms in self.rules
                       if rule.match(path))
        return all(p in have for p in wanted)

    def allows_socket(self, family, kind):
        return any(n[0] == family and (len(n) < 2 or n[1] == kind)
                   for n in self.networks)


def opened(flags, ret):
    """Path and what was wanted; a directory ends in a slash."""
    found = re.search(r"= \d+<(/.*)>$", ret)
    if not found or "O_PATH" in flags:
        return None
    path = found[1].removesuffix(" (deleted)")
    if "O_DIRECTORY" in flags:
        path = path.rstrip("/") + "/"
    if "O_RDWR" in flags:
        return path, "rw"
    return path, "w" if "O_WRONLY" in flags else "r"


def wanted(call, args, ret):
    """The accesses of a system call that succeeded: path, permissions."""
    if call in ("open", "openat", "openat2"):
        one = opened(args, ret)
        return [one] if one else []
    if call == "flock":
        return [(re.match(r"\d+<(.*?)>", args)[1], "k")]
    if call == "connect":
        found = re.search(r'sun_path="(.*?)"', args)
        return [(os.path.realpath(found[1]), "w")] if found else []
    if call in ("unlinkat", "renameat", "renameat2"):
        ends = [f"{d}/{n}" for d, n in
                re.findall(r'\d+<(.*?)>, "(.*?)"', args)]
        return list(zip(ends, ("rw", "w"))) if len(ends) > 1 else \
            [(end, "w") for end in ends]
    return []


def sockets(args):
    found = re.match(r"AF_(\w+), SOCK_(\w+)", args)
    family = {"LOCAL": "unix"}.get(found[1], found[1].lower())
    return family, found[2].lower()


def main():
    profile = Profile(sys.argv[1])
    count, wrong = 0, set()
    line_of = re.compile(r"(?:\[pid +\d+\] |\d+ +)?(\w+)\((.*)\)\s+(= .*)")
    for trace in sys.argv[2:]:
        started = False
        with open(trace, encoding="utf-8", errors="replace") as f:
            for line in f:
                found = line_of.match(line.strip())
                if not found:
                    continue
                call, args, ret = found.groups()
                if ret.startswith("= -1"):
                    continue
                if call.startswith("exec"):
                    if started:
                        wrong.add(f"runs {args[:60]}")
                    started = True
                if call in ("socket", "socketpair"):
                    count += 1
                    if not profile.allows_socket(*sockets(args)):
                        wrong.add("socket " + " ".join(sockets(args)))
                for path, perms in wanted(call, args, ret):
                    count += 1
                    if not profile.allows(path, perms):
                        wrong.add(f"{path} {perms}")
    print("\n".join(sorted(wrong)), f"{count} accesses",
          sep="\n" if wrong else "")


main()
