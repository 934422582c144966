"""The servers that are measured beside each other: one class each, and the table of their names."""

import contextlib
import getpass
import os
import shlex
import string
import tempfile
from pathlib import Path

from harness.cluster import Cluster
from harness.groups import plain_group
from harness.ports import ReservedPort
from harness.process import Process
from harness.resp import Client, connect
from harness.waiting import eventually

from testbed import ROOT

MIB = 1 << 20


@contextlib.contextmanager
def children_get(cores, environment=()):
    """Processes started inside run on these cores only, and see these variables."""
    own_cores, own_environment = os.sched_getaffinity(0), dict(os.environ)
    os.sched_setaffinity(0, cores)
    os.environ.update(environment)
    try:
        yield
    finally:
        os.sched_setaffinity(0, own_cores)
        os.environ.clear()
        os.environ.update(own_environment)


class Server:
    """One or several processes behind one port. A subclass starts them in `_start`.

    Keys are written through `fill_port`, which is another node's where reads shall be forwarded, and
    begin with `prefix`. CPU time counts of all `pids`.
    """

    dialect = "resp"
    prefix = "key:"

    def __init__(self, name, memory_mib, cores=(0,)):
        self.name = name
        self.memory_mib = memory_mib
        self.cores = cores
        self.next_key = 0  # of those that were never written
        self._processes = []
        self._folder = tempfile.TemporaryDirectory(prefix="bench-")
        self._ports = []
        with children_get(cores):
            self._start()

    @property
    def pids(self):
        return [process.pid for process in self._processes]

    @property
    def fill_port(self):
        return self.port

    def resident_bytes(self):
        """Exact, unlike VmRSS, which counts with a slack of pages a thread."""
        def rss(pid):
            rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            return next(int(row.split()[1]) * 1024 for row in rows if row.startswith("Rss:"))
        return sum(map(rss, self.pids))

    def items(self):
        """How many it holds."""
        with Client(f"127.0.0.1:{self.port}") as client:
            return client.ask("DBSIZE")

    def stop(self):
        for process in self._processes:
            process.kill()
        for port in self._ports:
            port.release()
        self._folder.cleanup()

    def _reserve(self):
        self._ports.append(ReservedPort())
        return self._ports[-1].number

    def _run(self, port, *command):
        """Starts one process and waits until it answers at `port`."""
        log = Path(self._folder.name) / f"log{len(self._processes)}"
        process = Process(command, log)
        self._processes.append(process)

        def answers():
            assert process.is_running(), process.log()
            try:
                return self._greet(port)
            except OSError:
                return False
        eventually(answers, f"{command[0]} answers")

    def _greet(self, port):
        with Client(f"127.0.0.1:{port}") as client:
            return client.ask("PING") == b"PONG"


class Redis(Server):
    def _start(self):
        self.port = self._reserve()
        self._run_redis(self.port)

    def _run_redis(self, port):
        self._run(port, "redis-server", "--bind", "127.0.0.1", "--port", port, "--save", "",
                  "--appendonly", "no", "--dir", self._folder.name,
                  "--maxmemory", f"{self.memory_mib}mb", "--maxmemory-policy", "allkeys-lru")


class Memcached(Server):
    dialect = "memcached"

    def _start(self):
        self.port = self._reserve()
        # -u: what changes its user would outlive a bench that is killed.
        self._run(self.port, "memcached", "-u", getpass.getuser(), "-l", "127.0.0.1", "-U", "0",
                  "-p", self.port, "-t", "1", "-m", self.memory_mib)

    def items(self):
        return int(self._ask(self.port, b"stats\r\n", b"END\r\n")
                   .split(b"STAT curr_items ")[1].split()[0])

    def _greet(self, port):
        return self._ask(port, b"version\r\n", b"\r\n").startswith(b"VERSION")

    @staticmethod
    def _ask(port, request, end):
        with connect(f"127.0.0.1:{port}", timeout_s=10) as connection:
            connection.sendall(request)
            reply = b""
            while not reply.endswith(end):
                reply += connection.recv(1 << 16)
            return reply


class MemcachedMeta(Memcached):
    """Asked by `mg`: its text `get` makes one system call a reply even where they are pipelined."""

    dialect = "memcached-meta"


class Nutcracker(Redis):
    """A proxy with a redis-server behind it."""

    def _start(self):
        behind = self._reserve()
        self._run_redis(behind)
        self.port = self._reserve()
        config = Path(self._folder.name) / "nutcracker.yml"
        config.write_text(f"pool:\n  listen: 127.0.0.1:{self.port}\n  redis: true\n"
                          "  hash: fnv1a_64\n  distribution: ketama\n"
                          f"  servers:\n    - 127.0.0.1:{behind}:1\n")
        self._run(self.port, "nutcracker", "-c", config, "-v", "2", "-o",
                  Path(self._folder.name) / "nutcracker.log", "-p",
                  Path(self._folder.name) / "pid", "-s", self._reserve(), "-a", "127.0.0.1")


class Cistern(Server):
    """As conf/cistern.service starts it, but for its limits."""

    nodes = "a"
    workers = 1
    group = {}  # rows of it beyond the defaults
    build = ROOT / "build/release"

    def _start(self):
        rows = {"workers": self.workers, "memory": f"{self.memory_mib}MiB"}
        self._cluster = Cluster(self.nodes, groups=[plain_group(ttl="0s", **self.group)],
                                server=rows,
                                program=str(Path(self.build).resolve() / "cistern"))
        with children_get(self.cores, self._environment()):
            self._cluster.start()
        self._processes = [node.process for node in self._cluster]
        self.port = self._port_of(self._cluster[0])

    @staticmethod
    def _environment():
        unit = (ROOT / "conf/cistern.service").read_text().splitlines()
        return dict(row.removeprefix("Environment=").split("=", 1)
                    for row in unit if row.startswith("Environment="))

    @staticmethod
    def _port_of(node):
        return int(node.address.rsplit(":", 1)[1])

    def stop(self):
        self._cluster.release()
        super().stop()


class CisternForward(Cistern):
    """Asked at a node that owns none of the keys and keeps no copies of them."""

    nodes = "ab"
    group = {"hot_sample": 0}

    def _start(self):
        super()._start()
        asked, owner = self._cluster
        for letter in string.ascii_lowercase:
            self.prefix = f"{{{letter}}}:"  # a hash tag: all keys lie in one slot
            asked.ask("SET", f"{self.prefix}{0:012}", "v")
            if owner.stats("plain")["items_main"] > 0:
                return
        raise AssertionError("one node owns the slots of all letters")

    @property
    def fill_port(self):
        return self._port_of(self._cluster[1])


class CisternTwoWorkers(Cistern):
    workers = 2


class Floor(Server):
    """Does nothing but read and write: values of 32 bytes, no MGET."""

    threads = 1

    def _start(self):
        self.port = self._reserve()
        self._run(self.port, Path(Cistern.build).resolve() / "bench/floor", "--port", self.port,
                  "--threads", self.threads)


class FloorTwoThreads(Floor):
    threads = 2


SERVERS = {
    "redis": Redis,
    "redis-again": Redis,  # beside the first one: what is noise?
    "memcached": Memcached,
    "memcached-meta": MemcachedMeta,
    "nutcracker": Nutcracker,
    "floor": Floor,
    "floor-two-threads": FloorTwoThreads,
    "cistern": Cistern,
    "cistern-forward": CisternForward,
    "cistern-two-workers": CisternTwoWorkers,
}


def add_options(parser):
    parser.add_argument("--build", type=Path, default=ROOT / "build/release",
                        help="folder of the build to measure")
    parser.add_argument("--against", type=Path, metavar="BUILD",
                        help="another build of cistern, as the server \"against\"")
    parser.add_argument("--server", action="append", default=[], metavar="NAME=COMMAND",
                        help="another server that speaks RESP; its COMMAND with {port} and "
                             "{memory_mib} in it, as in 'pogocache=pogocache -p {port}'")


def known_servers(options):
    """The table, with what the command line adds to it."""
    Cistern.build = options.build
    servers = dict(SERVERS)
    if options.against:
        servers["against"] = type("Against", (Cistern,), {"build": options.against})
    for option in options.server:
        name, command = option.split("=", 1)
        servers[name] = type(name, (Other,), {"command": command})
    return servers


class Other(Server):
    """Whatever RESP server a command line starts."""

    command = ""

    def _start(self):
        self.port = self._reserve()
        words = shlex.split(self.command.format(port=self.port, memory_mib=self.memory_mib))
        self._run(self.port, *words)
