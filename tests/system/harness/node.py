"""One cistern process: its addresses, its clients, its numbers."""

import json
import pathlib
import signal
import urllib.error
import urllib.request

from harness import toml
from harness.ports import ReservedPort
from harness.process import Process
from harness.resp import Client
from harness.waiting import eventually


class Node:
    """Ports and folder are the node's for life; start() and stop() may alternate."""

    def __init__(self, name, binary, folder):
        self.name = name
        self._binary = binary
        self.folder = pathlib.Path(folder) / name
        self.folder.mkdir()
        self._ports = [ReservedPort() for _ in range(3)]
        self.address, self.peer_address, self.admin_address = (p.address for p in self._ports)
        self.unix_address = f"unix:{self.folder}/redis.sock"
        self.config_path = self.folder / "cistern.toml"
        self.process = None

    def member(self):
        """This node as a row of the list of members."""
        return {"name": self.name, "peer": self.peer_address, "client": self.address}

    def configure(self, config):
        self.config_path.write_text(toml.dumps(config) + "\n")

    def start(self):
        # A SIGHUP that comes before the program holds signals itself would end it: it inherits that
        # they are held.
        held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
        try:
            self.process = Process(
                [self._binary, "serve", self.config_path], self.folder / "log", cwd=self.folder)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, held)

    def reload(self):
        """SIGHUP. Whether the configuration that was written is in force, as far as it may be."""
        endings = ("the configuration is in force", "the configuration stays as it was")
        before = [self.process.log().count(ending) for ending in endings]

        def counts():
            log = self.process.log()
            return [log.count(ending) - was for ending, was in zip(endings, before)]

        self.process.signal(signal.SIGHUP)
        eventually(lambda: sum(counts()) > 0, f"node {self.name} has read its configuration")
        return counts()[0] > 0

    def stop(self):
        """SIGTERM, then the exit code."""
        return self.process.stop()

    def kill(self):
        self.process.kill()

    def pause(self):
        self.process.signal(signal.SIGSTOP)

    def go_on(self):
        self.process.signal(signal.SIGCONT)

    def release(self):
        if self.process:
            self.process.kill()
        for port in self._ports:
            port.release()

    def client(self, timeout_s=30):
        return Client(self.address, timeout_s)

    def ask(self, *words):
        """One request on a connection of its own."""
        with self.client() as client:
            return client.ask(*words)

    def admin(self, path):
        """The status and body of the admin port's answer."""
        try:
            with urllib.request.urlopen(f"http://{self.admin_address}{path}", timeout=10) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def is_ready(self):
        assert self.process.is_running(), f"node {self.name} has stopped:\n{self.process.log()}"
        try:
            return self.admin("/readyz")[0] == 200
        except OSError:
            return False

    def all_stats(self):
        return json.loads(self.admin("/stats")[1])

    def stats(self, group):
        """The group's counters by name; what is counted for main and hot is summed, too."""
        counters = self.all_stats()["groups"][group]
        for name in ("evictions", "bytes", "items"):
            counters[name] = counters[f"{name}_main"] + counters[f"{name}_hot"]
        return counters
