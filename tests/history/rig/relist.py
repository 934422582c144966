"""The list of nodes changes while everything else happens: a node comes and goes, and the others
hear of it by SIGHUP, in any order."""

import random
import signal
import threading
import time

from rig.faults import HEALING_S
from verify.events import Excuse, Violation

# How long a list stays as it is, in leases.
STAY = (1.0, 4.0)
PATIENCE_S = 60


class Relist(threading.Thread):
    """From start() to finish(): the list goes from the setup's nodes to one more and back."""

    def __init__(self, rig):
        super().__init__(daemon=True)
        self._rig = rig
        self._members = rig.setup.nodes
        self._guest = rig.setup.guest
        self._random = random.Random(f"{rig.setup.seed}/relist")
        self._finishing = threading.Event()
        self._error = None
        self.excuses = []
        self.violations = []
        self.changes = 0

    def finish(self):
        """Once the list is the first one again everywhere."""
        self._finishing.set()
        self.join()
        if self._error:
            raise self._error

    def run(self):
        try:
            while not self._finishing.is_set():
                begin = time.monotonic()
                self._grow()
                self._stay()
                self._shrink()
                # While members disagree any node may lag by a lease, and a little later, too.
                self.excuses.append(Excuse(
                    frozenset((*self._members, self._guest)), begin,
                    time.monotonic() + HEALING_S + self._rig.setup.lease))
                self._stay()
        except Exception as error:  # pylint: disable=broad-except
            self._error = error

    def _grow(self):
        everybody = (*self._members, self._guest)
        guest = self._rig.cluster[self._guest]
        self._rig.list_members(guest, everybody)
        guest.start()
        self._change(everybody)
        self._rig.load.use_nodes({name: self._rig.cluster[name].address for name in everybody})

    def _shrink(self):
        self._rig.load.use_nodes({name: self._rig.cluster[name].address
                                  for name in self._members})
        self._change(self._members)
        code = self._rig.cluster[self._guest].stop()
        if code != 0:
            self.violations.append(Violation("P5", f"node {self._guest} ended with code {code}"))

    def _change(self, names):
        order = list(self._members)
        self._random.shuffle(order)
        for name in order:
            node = self._rig.cluster[name]
            self._rig.list_members(node, names)
            # One that is dead now reads it when it starts.
            node.process.signal_if_running(signal.SIGHUP)
            self._sleep(self._rig.setup.relist_leases)
        self._wait_until_all_agree(names)
        self.changes += 1

    def _wait_until_all_agree(self, names):
        end = time.monotonic() + PATIENCE_S
        while len({self._epoch(name) for name in names} | {None}) != 2:
            if time.monotonic() > end:
                raise AssertionError(f"{names} do not come to agree")
            # A signal may have come to a process that was just ending.
            time.sleep(0.1)

    def _epoch(self, name):
        try:
            with self._rig.cluster[name].client(timeout_s=2) as client:
                info = client.ask("INFO", "cluster").decode().split()
        except OSError:
            return f"{name} does not say"
        return next(line for line in info if line.startswith("epoch:"))

    def _stay(self):
        self._sleep(STAY)

    def _sleep(self, leases):
        self._finishing.wait(self._random.uniform(*leases) * self._rig.setup.lease)
