#!/usr/bin/python3
"""check_includes.py ROOT: fails when a folder includes what it must not know.

The arrows are those of the design: resp and cache know nothing of ours, net knows two headers of
cache, cluster and loader know cache and net, server knows all, and nothing knows server.
"""

import pathlib
import re
import sys

# What each folder may include besides itself: whole folders, or single headers.
ARROWS = {
    "resp": set(),
    "cache": set(),
    "net": {"cache/executor.h", "cache/clock.h"},
    "cluster": {"cache", "net"},
    "loader": {"cache", "net"},
    "server": {"resp", "cache", "net", "cluster", "loader"},
}
# Benchmarks link single libraries; whole servers they run as processes.
BENCH = {"resp", "cache", "net", "cluster", "loader"}

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"')


def permitted(file):
    """What `file` (relative to the root) may include, or None where we do not judge."""
    parts = file.parts
    if parts[0] in ARROWS:
        return ARROWS[parts[0]] | {parts[0]}
    if parts[0] == "tests" and len(parts) > 2 and parts[1] in ARROWS:
        # A unit test knows the library it tests, and what that library shows in its headers.
        return ARROWS[parts[1]] | {parts[1], "tests"}
    if parts[0] == "bench":
        return BENCH | {"bench"}
    return None


def complaint(header, allowed):
    folder = header.split("/")[0]
    if header in allowed or folder in allowed:
        return None
    if "/" not in header:
        return f'"{header}" is not written from the root'
    return f'"{header}" is a forbidden arrow'


def sources(root):
    """The C++ files of the folders that are judged; build folders are not looked into."""
    for folder in (*ARROWS, "tests", "bench"):
        yield from sorted(p for p in (root / folder).rglob("*") if p.suffix in (".h", ".cc"))


def violations(root):
    for path in sources(root):
        file = path.relative_to(root)
        allowed = permitted(file)
        if allowed is None:
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            match = INCLUDE.match(line)
            problem = match and complaint(match[1], allowed)
            if problem:
                yield f"{file}:{number}: {problem}"


def main():
    root = pathlib.Path(sys.argv[1])
    found = list(violations(root))
    print("\n".join(found))
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
