"""What goes wrong, and when: a schedule is made from a seed, so that it can be made again. Pure."""

import random
from typing import NamedTuple

from rig.link_proxy import KINDS
from verify.events import Excuse

# Links. All of one pair at a time.
CUT = "cut"  # connections are closed, and new ones, too
ONE_WAY = "one-way"  # nothing passes in one direction
BLACKHOLE = "blackhole"  # ... in both
RESET = "reset"
DELAY = "delay"
LINKS = (CUT, ONE_WAY, BLACKHOLE, RESET, DELAY)
# Nodes.
STOP = "stop"  # SIGSTOP, then SIGCONT
KILL = "kill"  # kill -9, then a start
# Backend.
SLOW = "slow"
GATE = "gate"
# What clients do.
STORM = "storm"
CHURN = "churn"
FLUSH = "flush"
PURGE_GROUP = "purge-group"  # of a key
PURGE_PREFIX = "purge-prefix"

# How likely each is, when all are wanted.
WEIGHTS = {CUT: 2, ONE_WAY: 2, BLACKHOLE: 2, RESET: 2, DELAY: 5, STOP: 4, KILL: 3, SLOW: 3, GATE: 2,
           STORM: 4, CHURN: 2, FLUSH: 1, PURGE_GROUP: 1, PURGE_PREFIX: 1}
NAMES = tuple(WEIGHTS)

# After so much of `dead_after`, all delays of a pair together, a node may be taken for dead: the
# rest is for a machine that is busy.
PATIENCE = 0.6
# A healed pair needs so long at most to hear of each other again.
HEALING_S = 0.5


class Fault(NamedTuple):
    """`at`: seconds after the start. `node`: who is stopped, killed or sent to. `pair`: hurt is
    what the first says to the second and, if `both_ways`, what it hears from it; on connections of
    the kinds `links` which one of `diallers` has made."""

    kind: str
    at: float
    length: float = 0.0
    node: str = ""
    pair: tuple = ()
    both_ways: bool = False
    diallers: tuple = ()
    links: tuple = KINDS
    delay: float = 0.0
    key: str = ""

    def end(self):
        return self.at + self.length

    def wires(self):
        """(dialler, dialled, kind, direction) of each stream of bytes that is hurt."""
        first, second = self.pair
        for dialler in self.diallers:
            dialled = second if dialler == first else first
            directions = (("forth" if dialler == first else "back"),)
            for direction in ("forth", "back") if self.both_ways else directions:
                for kind in self.links:
                    yield dialler, dialled, kind, direction


class Plan(NamedTuple):
    """What a schedule is made of. `weights`: fault -> how likely. `every`: a fault begins so often,
    on average, in seconds. The rest narrows faults down, for a schedule with one purpose."""

    weights: dict = WEIGHTS
    every: float = 0.4
    links: tuple = ()  # of these kinds only
    diallers: int = 0  # connections of both (2)
    both_ways: float = 0.3  # of the delays
    delays: tuple = (0.1, 3.0)  # in leases, likewise:
    lengths: tuple = (0.1, 3.0)
    restarts: tuple = (0.0, 3.0)


def schedule(seed, seconds, nodes, lease, storm_keys, plan=Plan()):
    """Faults in the order of their beginning; all have ended after `seconds`."""
    return list(_Maker(random.Random(seed), seconds, list(nodes), lease, list(storm_keys),
                       plan).faults())


class _Maker:
    def __init__(self, rand, seconds, nodes, lease, storm_keys, plan):
        self._random = rand
        self._seconds = seconds
        self._nodes = nodes
        self._lease = lease
        self._storm_keys = storm_keys
        self._plan = plan
        self._busy = {}  # a link, a node, the backend -> until when

    def faults(self):
        kinds, weights = zip(*self._plan.weights.items())
        at = self._random.uniform(0, self._plan.every)
        while at < self._seconds:
            fault = self._make(self._random.choices(kinds, weights)[0], at)
            if fault.end() < self._seconds and self._is_free(fault):
                yield fault
            at += self._random.uniform(0, 2 * self._plan.every)

    def _is_free(self, fault):
        """No two faults at once where the second would take back the first."""
        if fault.kind == RESET:
            return True
        what = frozenset(fault.pair) or fault.node or fault.kind
        if self._busy.get(what, 0) > fault.at:
            return False
        # The cluster is never without two nodes that run.
        if fault.kind in (STOP, KILL) and self._busy.get("a node", 0) > fault.at:
            return False
        self._busy[what] = fault.end()
        if fault.kind in (STOP, KILL):
            self._busy["a node"] = fault.end()
        return True

    def _leases(self, bounds):
        return self._lease * self._random.uniform(*bounds)

    def _make(self, kind, at):
        rand, plan = self._random, self._plan
        fault = Fault(kind, at, self._leases(plan.lengths))
        if kind in LINKS:
            pair = tuple(rand.sample(self._nodes, 2))
            links = plan.links or rand.choice((KINDS, KINDS, KINDS[:1], KINDS[1:]))
            diallers = pair if plan.diallers == 2 else rand.choice((pair, pair, pair[:1], pair[1:]))
            fault = fault._replace(pair=pair, links=links, diallers=diallers,
                                   both_ways=kind != ONE_WAY)
        if kind == DELAY:
            fault = fault._replace(both_ways=rand.random() < plan.both_ways,
                                   delay=self._leases(plan.delays),
                                   length=self._leases((1.0, 6.0)))
        elif kind == RESET:
            fault = fault._replace(length=0.0)
        elif kind in (STOP, KILL):
            fault = fault._replace(node=rand.choice(self._nodes))
        elif kind in (FLUSH, PURGE_GROUP, PURGE_PREFIX):
            fault = fault._replace(node=rand.choice(self._nodes), length=0.0,
                                   key="" if kind == FLUSH else rand.choice(self._storm_keys))
        elif kind == STORM:
            fault = fault._replace(key=rand.choice(self._storm_keys))
        if kind == KILL:
            fault = fault._replace(length=self._leases(plan.restarts))
        return fault


class Applied(NamedTuple):
    """A fault as it was: `begin` and `end` are CLOCK_MONOTONIC."""

    fault: Fault
    begin: float
    end: float


def pauses(applied):
    return [(a.fault.node, a.begin, a.end) for a in applied if a.fault.kind == STOP]


def excuses(applied, nodes, lease, dead_after, stalls=()):
    """When which nodes need not have heard each other: each pair that was cut, or of which all that
    delays it (`stalls` of the machine, too) adds up to as much as makes a node look dead."""
    found = []
    for i, first in enumerate(nodes):
        for second in nodes[i + 1 :]:
            pair = frozenset((first, second))
            for begin, end in _out_of_touch(pair, applied, dead_after, stalls):
                found.append(Excuse(pair, begin, end + HEALING_S + lease))
    return found


def _out_of_touch(pair, applied, dead_after, stalls):
    """(begin, end) of each while in which a message may have taken too long."""
    limit = PATIENCE * dead_after
    links, halts = [], [(begin, end, end - begin) for begin, end in stalls]
    for fault, begin, end in applied:
        if fault.node in pair and fault.kind == STOP:
            halts.append((begin, end, end - begin))
        elif frozenset(fault.pair) != pair:
            continue
        elif fault.kind == CUT:
            links.append((begin, end, limit))
        elif fault.kind in (ONE_WAY, BLACKHOLE):
            links.append((begin, end, end - begin))
        elif fault.kind == DELAY:
            # A message that came in the last moment is still under way.
            links.append((begin, end + fault.delay, fault.delay * (1 + fault.both_ways)))
    found = [(begin, end) for begin, end, delay in links if delay >= limit]
    halts.sort()
    for i, (begin, end, _) in enumerate(halts):
        # Halts shortly after one another add up, and come on top of what the link does meanwhile.
        total, last = 0.0, end
        for next_begin, next_end, length in halts[i:]:
            if next_begin > begin + dead_after:
                break
            total, last = total + length, max(last, next_end)
        worst = max((delay for link_begin, link_end, delay in links
                     if link_begin <= last and link_end >= begin), default=0)
        if total + worst >= limit:
            found.append((begin - worst, last + worst))
    return found
