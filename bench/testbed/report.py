"""Markdown, JSON and what machine it was."""

import json
import os
import platform
import re
import subprocess


def table(head, rows):
    """Columns of numbers stand to the right."""
    def is_number(column):
        return all(re.fullmatch(r"[-0-9.,%]*", row[column]) for row in rows)
    edges = ["---:" if is_number(column) else "---" for column in range(len(head))]
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, edges, *rows])


def machine():
    with open("/proc/cpuinfo") as info:
        model = next(row.split(": ")[1].strip() for row in info if row.startswith("model name"))
    return (f"{os.cpu_count()} x {model}, Linux {platform.release()}, "
            f"load average {os.getloadavg()[0]:.1f} at the end")


def versions():
    """Of the servers that are Debian's."""
    rows = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}\\n", "redis-server",
                           "memcached", "nutcracker"], text=True, capture_output=True).stdout
    return ", ".join(rows.splitlines())


def save(path, what):
    if path:
        with open(path, "w") as file:
            json.dump(what, file, indent=1)
