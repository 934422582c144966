"""Windows of measurement: what a generator counted, and what others did to the machine meanwhile."""

import json
import os
import statistics
import subprocess
from dataclasses import dataclass

from testbed.servers import children_get

STOLEN_AT_MOST = 0.06  # of a core, by the host
FOREIGN_AT_MOST = 0.20  # of a core, by processes that are neither servers nor generators


@dataclass
class Window:
    counted: dict  # the generator's line of JSON
    stolen: float
    foreign: float

    @property
    def rate(self):
        return self.counted["operations"] / self.counted["seconds"]

    @property
    def cpu(self):
        """Of the server, ns an operation."""
        return self.counted["server_cpu_ns"] / self.counted["operations"]

    @property
    def is_quiet(self):
        return self.stolen <= STOLEN_AT_MOST and self.foreign <= FOREIGN_AT_MOST


class Generator:
    """blast or pace of a build, on these cores; `tries`: how often a window is measured anew when
    it was disturbed."""

    def __init__(self, program, cores=(1,), tries=1):
        self._program = str(program)
        self._cores = cores
        self._tries = tries

    def run(self, server, port=None, **rows):
        """Runs it once; `rows` are its options."""
        rows = {"port": port or server.port, "protocol": server.dialect, "prefix": server.prefix,
                **rows}
        words = [word for name, value in rows.items()
                 for word in (f"--{name.replace('_', '-')}", str(value))]
        pids = [word for pid in server.pids for word in ("--pid", str(pid))]
        with children_get(self._cores):
            done = subprocess.run([self._program, *words, *pids], text=True, capture_output=True)
        if done.returncode != 0:
            raise RuntimeError(f"{server.name}: {' '.join(done.args)}: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def fill(self, server, keys, **rows):
        """SETs the keys that are not there yet, up to `keys` in all."""
        counted = self.run(server, port=server.fill_port, work="fill", first=server.next_key,
                           keys=keys, **rows)
        server.next_key = keys
        return counted

    def window(self, server, **rows):
        if rows.get("work") == "insert":
            # Also a window that is repeated inserts keys that never were: far fewer than this.
            rows["first"] = server.next_key
            server.next_key += 100_000_000
        before = _cpu_seconds()
        children = _children_seconds()
        servers = _server_seconds(server)
        counted = self.run(server, **rows)
        busy, stolen = (now - then for now, then in zip(_cpu_seconds(), before))
        ours = _children_seconds() - children + _server_seconds(server) - servers
        return Window(counted, stolen / counted["seconds"],
                      max(0, busy - ours) / counted["seconds"])

    def least_disturbed(self, server, **rows):
        windows = []
        while len(windows) < self._tries and not (windows and windows[-1].is_quiet):
            windows.append(self.window(server, **rows))
        return min(windows, key=lambda window: (not window.is_quiet, window.stolen))


def _cpu_seconds():
    """What all cores worked, and what the host took from us, since boot."""
    with open("/proc/stat") as stat:
        user, nice, system, _, _, irq, softirq, stolen = map(int, stat.readline().split()[1:9])
    ticks = os.sysconf("SC_CLK_TCK")
    return (user + nice + system + irq + softirq) / ticks, stolen / ticks


def _children_seconds():
    times = os.times()
    return times.children_user + times.children_system + times.user + times.system


def _server_seconds(server):
    def seconds(pid):
        with open(f"/proc/{pid}/schedstat") as process:
            return int(process.read().split()[0]) * 1e-9
    return sum(sum(seconds(f"{pid}/task/{task}") for task in os.listdir(f"/proc/{pid}/task"))
               for pid in server.pids)


def undisturbed(windows):
    """Those that the host left alone, or the three least disturbed, and whether it left three."""
    clean = [window for window in windows if window.stolen <= STOLEN_AT_MOST]
    if len(clean) >= min(3, len(windows)):
        return clean, True
    return sorted(windows, key=lambda window: window.stolen)[:3], False


def add_options(parser, rounds, seconds):
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--seconds", type=float, default=seconds, help="of one window")
    parser.add_argument("--tries", type=int, default=3,
                        help="windows for one figure at most, where others disturb them")


def median(windows, what):
    """Median of what(window) over the undisturbed ones."""
    return statistics.median(map(what, undisturbed(windows)[0]))


def disturbance(windows):
    """One sentence for a report."""
    stolen = sum(window.stolen > STOLEN_AT_MOST for window in windows)
    foreign = sum(window.foreign > FOREIGN_AT_MOST for window in windows)
    return (f"Of {len(windows)} windows, the least disturbed of their tries, the host took more than "
            f"{STOLEN_AT_MOST:.0%} of a core in {stolen} (left out where three others remain, else "
            f"the row has a *), and other processes had more than {FOREIGN_AT_MOST:.0%} of a core "
            f"in {foreign}.")
