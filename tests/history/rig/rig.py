"""A cluster with its backend, its proxies and its load; and who makes things go wrong there."""

import random
import time
from typing import NamedTuple

from harness.cluster import Cluster
from harness.redis_server import RedisServer
from harness.waiting import eventually
from rig import faults, keys
from rig.backend_proxy import BackendProxy
from rig.faults import Applied
from rig.link_proxy import PASS, LinkProxy, Rule
from rig.load import Load

DEAD_AFTER_S = 1.0
REQUEST_TIMEOUT_S = 5.0
ONE_LEASE_A_SHARD = 64


class Setup(NamedTuple):
    """What one cluster is like."""

    seed: int
    lease: float = 0.25
    longest_lease: float = 1.0
    max_leases: int = 1 << 20
    workers: int = 2
    nodes: tuple = ("a", "b", "c")
    guest: str = ""  # a node that comes and goes, as the others' lists say ...
    relist_leases: tuple = (0.0, 2.0)  # ... which are reloaded so far apart
    kinds: tuple = keys.KINDS
    pause_s: float = 0.02
    readers: int = 4

    @staticmethod
    def of_seed(seed):
        rand = random.Random(seed)
        lease = rand.choice((0.25, 0.25, 0.5, 1.0))
        return Setup(seed, lease, max(lease, rand.choice((0.5, 1.0))),
                     rand.choice((1 << 20, 1 << 20, ONE_LEASE_A_SHARD)), rand.choice((1, 2, 2)))


class Rig:
    def __init__(self, setup):
        self.setup = setup
        self.redis = RedisServer()
        self.backend = BackendProxy(self.redis.address, setup.seed)
        self.cluster = Cluster(
            setup.nodes + ((setup.guest,) if setup.guest else ()), keys.groups(self.backend, setup.lease),
            server={"workers": setup.workers, "request_timeout": f"{REQUEST_TIMEOUT_S:.0f}s"},
            cluster={"longest_lease": f"{round(setup.longest_lease * 1000)}ms",
                     "max_leases": setup.max_leases,
                     "dead_after": f"{round(DEAD_AFTER_S * 1000)}ms"})
        self.links = LinkProxy({(a.name, b.name): b.peer_address
                                for a in self.cluster for b in self.cluster if a is not b})
        for node in self.nodes():
            self.list_members(node, setup.nodes)
        self.load = None
        self.dead_after = DEAD_AFTER_S

    def nodes(self):
        """Those that are always there."""
        return [self.cluster[name] for name in self.setup.nodes]

    def start(self):
        for node in self.nodes():
            node.start()
        for node in self.nodes():
            eventually(node.is_ready, f"node {node.name} is ready")
        self.wait_until_linked()
        addresses = {node.name: node.address for node in self.nodes()}
        self.owners = self._find_owners()
        self.load = Load(addresses, self.redis.address, self.setup.seed, self.setup.kinds,
                         self.setup.pause_s, self.setup.readers)
        return self

    def stop(self):
        """The exit codes of the nodes."""
        try:
            return self.cluster.stop()
        finally:
            self.cluster.release()
            for part in (self.load, self.links, self.backend, self.redis):
                if part is not None:
                    part.stop()

    def wait_until_linked(self):
        others = len(self.setup.nodes) - 1
        for node in self.nodes():
            eventually(lambda node=node: node.all_stats()["cluster"]["peers_reachable"] == others,
                       f"node {node.name} has all its links")

    def list_members(self, node, names):
        """Others are reached through the proxies."""
        self.cluster.list_members(node, {
            name: {} if name == node.name else {"peer": self.links.addresses[node.name, name]}
            for name in names})

    def all_keys(self):
        return [key for kind in self.setup.kinds for key in kind.keys()]

    def _find_owners(self):
        """Which node counts the invalidation of a key."""
        owners = {}
        before = self._invalidations()
        for key in self.all_keys():
            if keys.is_filling(key):
                continue
            self.cluster[0].ask("DEL", key)
            after = self._invalidations()
            owners[key] = next(node for node in after if after[node] != before[node])
            before = after
        return owners

    def _invalidations(self):
        return {node.name: sum(group["invalidations"]
                               for group in node.all_stats()["groups"].values())
                for node in self.nodes()}

    # Faults.

    def run(self, schedule, seconds):
        """Carries a schedule out; returns what was applied. All is healed when it returns."""
        start = time.monotonic()
        applied, under_way = [], []  # (end, fault, begin)
        waiting = sorted(schedule, key=lambda fault: fault.at)
        while waiting or under_way or time.monotonic() < start + seconds:
            now = time.monotonic() - start
            for entry in [entry for entry in under_way if entry[0] <= now]:
                under_way.remove(entry)
                self._end(entry[1])
                applied.append(Applied(entry[1], entry[2], time.monotonic()))
            for fault in [fault for fault in waiting if fault.at <= now]:
                if not self._may_begin(fault, under_way):
                    continue
                waiting.remove(fault)
                begin = time.monotonic()
                self._begin(fault)
                # From when it is there: a slow machine does not shorten it.
                under_way.append((time.monotonic() - start + fault.length, fault, begin))
            due = [fault.at for fault in waiting[:1]] + [end for end, _, _ in under_way]
            next_at = min(due, default=seconds)
            time.sleep(max(0.001, min(next_at - (time.monotonic() - start), 0.05)))
        return applied

    @staticmethod
    def _may_begin(fault, under_way):
        """No node is hurt while another one, or itself, still is: on a busy machine a fault may last
        longer than was planned."""
        halts = (faults.STOP, faults.KILL)
        return fault.kind not in halts or all(
            other.kind not in halts for _, other, _ in under_way)

    def _begin(self, fault):
        node = self.cluster.by_name.get(fault.node)
        if fault.kind == faults.RESET:
            for dialler, dialled, kind, direction in fault.wires():
                if direction == "forth":
                    self.links.reset(dialler, dialled, kind)
        elif fault.kind in faults.LINKS:
            self._set_rules(fault, Rule(fault.delay, fault.kind in (faults.ONE_WAY,
                                                                    faults.BLACKHOLE),
                                        fault.kind == faults.CUT))
        elif fault.kind == faults.STOP:
            node.pause()
        elif fault.kind == faults.KILL:
            node.kill()
        elif fault.kind == faults.SLOW:
            self.backend.slow(self.setup.lease)
        elif fault.kind == faults.GATE:
            self.backend.gate(True)
        elif fault.kind == faults.STORM:
            self.load.storm(fault.key, fault.length)
        elif fault.kind == faults.CHURN:
            self.load.churn(fault.length)
        elif fault.kind in (faults.FLUSH, faults.PURGE_GROUP, faults.PURGE_PREFIX):
            self.load.purge(fault.node, fault.kind, fault.key)

    def _end(self, fault):
        node = self.cluster.by_name.get(fault.node)
        if fault.kind in faults.LINKS and fault.kind != faults.RESET:
            self._set_rules(fault, PASS)
        elif fault.kind == faults.STOP:
            node.go_on()
        elif fault.kind == faults.KILL:
            node.start()
        elif fault.kind == faults.SLOW:
            self.backend.slow(0)
        elif fault.kind == faults.GATE:
            self.backend.gate(False)

    def _set_rules(self, fault, rule):
        for wire in fault.wires():
            self.links.set_rule(*wire, rule)
