"""One cluster's life: calm, faults, quiet; and what was wrong with it."""

import collections
import contextlib
import time

from harness.resp import ReplyError
from harness.waiting import eventually
from rig import faults, keys
from rig.relist import Relist
from rig.rig import REQUEST_TIMEOUT_S, Rig
from verify import loads, reads, register, rest
from verify.events import DEL, EVERY, Violation

CALM_S = 2.0
# What a reply may take beyond the times that the configuration names, on a machine that is busy.
PATIENCE_S = 2.0


class Round:
    """`plan`: see faults.Plan; None: no faults."""

    def __init__(self, setup, plan):
        self.setup = setup
        self.plan = plan
        self.ops, self.writes, self.applied = [], [], []
        self.forgotten = 0  # of the ops
        self.violations = []
        self.logs = ""
        self.stalls = []
        self.relists = []  # excuses

    def run(self, seconds):
        """Everything; returns the violations."""
        with self._cluster() as rig:
            calm = seconds if self.plan is None else min(CALM_S, seconds / 4)
            self._calm(rig, calm)
            if self.plan is not None:
                self._storm(rig, seconds - calm)
            self._quiet(rig)
            self._judge(rig)
        return self.violations

    def run_in_parts(self, seconds, part_s, when_quiet):
        """Faults for so long, but each `part_s` all is quiet, judged, and forgotten (but for the
        backend's versions: no older one may be seen ever). when_quiet(rig) may look at the rest."""
        with self._cluster() as rig:
            end = time.monotonic() + seconds
            part = 0
            while time.monotonic() < end:
                self._storm(rig, part_s, part)
                self._quiet(rig)
                self._judge(rig)
                when_quiet(rig)
                self.forgotten += len(self.ops)
                self.ops, self.applied = [], []
                part += 1
        return self.violations

    def run_until_violation(self, seconds):
        """For mutants: judges every few seconds. How long it took, or None."""
        with self._cluster() as rig:
            begin = time.monotonic()
            part = 0
            while time.monotonic() < begin + seconds and not self.violations:
                self._storm(rig, 3.0, part)
                self._judge(rig)
                part += 1
            return time.monotonic() - begin if self.violations else None

    @contextlib.contextmanager
    def _cluster(self):
        rig = Rig(self.setup)
        try:
            rig.start()
            yield rig
        finally:
            self.logs = rig.cluster.logs()
            exit_codes = rig.stop()
        for node, code in exit_codes.items():
            if code != 0:
                self.violations.append(Violation("P5", f"node {node} ended with exit code {code}"))

    def counts(self):
        """What happened, in a line."""
        done = collections.Counter(op.kind for op in self.ops)
        failed = sum(not op.is_ok() for op in self.ops)
        went_wrong = collections.Counter(a.fault.kind for a in self.applied)
        return (f"{len(self.ops)} requests {dict(done)}, {failed} failed, "
                f"{len(self.writes)} versions, faults {dict(went_wrong)}, "
                f"{2 * len(self.relists)} lists of nodes")

    def interleaving(self, violation, before_s=1.5, most=50):
        """What happened to the key around a violation, in the order of beginning."""
        begin, end = violation.at - before_s, violation.at + 0.05
        wrong = [(a.begin, a.end, f"fault: {_describe(a.fault)}") for a in self.applied
                 if a.begin <= end and a.end >= begin - before_s]
        wrong += [(*stall, "the machine was held up") for stall in self.stalls
                  if stall[0] <= end and stall[1] >= begin - before_s]
        lines = [(w.begin, w.end, f"backend: version {w.version}"
                   f"{' (deletion)' if w.is_deletion else ''}") for w in self.writes
                  if w.key == violation.key and w.end >= begin and w.begin <= end]
        lines += [(op.begin, op.end, f"{op.node} {op.kind} -> {op.version} {op.outcome} "
                   f"{op.detail} [{op.connection} {op.seq}]") for op in self.ops
                  if op.key in (violation.key, EVERY) and op.end >= begin and op.begin <= end]
        return [f"  {first - violation.at:+9.4f} .. {last - violation.at:+9.4f}  {what}"
                for first, last, what in sorted(wrong) + sorted(lines)[-most:]]

    # The parts of a life.

    def _calm(self, rig, seconds):
        """Without faults: P4."""
        before = rig.backend.loads()
        failed = self._total(rig, "local_load_errors")
        evicted = self._total(rig, "evictions_main")
        rig.load.begin()
        time.sleep(seconds)
        ops = self._end(rig)
        count = collections.Counter(rig.backend.loads())
        count.subtract(before)
        invalidations = collections.Counter(op.key for op in ops if op.kind == DEL)
        expiries = {key: int((ops[-1].end - ops[0].begin) / (
            keys.SHORT_TTL_S * (1 - keys.SHORT_JITTER))) + 1 for key in keys.SHORT.keys()}
        self.violations += loads.violations(
            count, invalidations, expiries, self._total(rig, "evictions_main") - evicted,
            self._total(rig, "local_load_errors") - failed)

    @staticmethod
    def _total(rig, counter):
        return sum(group[counter] for node in rig.nodes()
                   for group in node.all_stats()["groups"].values())

    def _storm(self, rig, seconds, part=0):
        schedule = faults.schedule(
            f"{self.setup.seed}/{part}", seconds, self.setup.nodes, self.setup.lease,
            [key for key in rig.all_keys() if keys.kind_of(key) is not keys.TINY], self.plan)
        rig.load.begin()
        relist = Relist(rig) if self.setup.guest else None
        if relist:
            relist.start()
        self.applied += rig.run(schedule, seconds)
        if relist:
            relist.finish()
            self.relists += relist.excuses
            self.violations += relist.violations
        self._end(rig)

    def _end(self, rig):
        ops, writes, violations = rig.load.end()
        self.ops += ops
        self.writes += writes
        self.violations += violations
        return ops

    def _quiet(self, rig):
        """All is healed: after one lease and one DEL a key all nodes agree, and nothing is left."""
        rig.wait_until_linked()
        time.sleep(faults.HEALING_S + self.setup.lease)
        with rig.redis.client() as redis:
            for number, key in enumerate(rig.all_keys()):
                self._agree(rig, redis, key, number)
        # Records of leases go at their ends, and are swept a little later.
        time.sleep(self.setup.lease)
        for node in rig.nodes():
            left = []

            def is_quiet(node=node, left=left):
                left[:] = rest.left_over(node.name, node.all_stats())
                return not left

            try:
                eventually(is_quiet, f"node {node.name} is quiet", 5)
            except AssertionError:
                self.violations += left

    def _agree(self, rig, redis, key, number):
        nodes = rig.nodes()
        deleted = nodes[number % len(nodes)].ask("DEL", key)
        if isinstance(deleted, ReplyError):
            self.violations.append(Violation("P7", f"DEL when all is quiet: {deleted}", key))
        truth = redis.ask("GET", key) if keys.kind_of(key).is_filled else None
        answers = {node.name: node.ask("GET", key) for node in nodes}
        self.violations += rest.disagreement(key, truth, answers)

    def _judge(self, rig):
        setup = self.setup
        self.stalls = rig.links.stalls()
        nodes = setup.nodes + ((setup.guest,) if setup.guest else ())
        excuses = faults.excuses(self.applied, nodes, setup.lease, rig.dead_after,
                                 self.stalls) + self.relists
        owners = None if setup.guest else rig.owners  # else they change
        by_key = collections.defaultdict(list)
        for op in self.ops:
            if op.key != EVERY and keys.kind_of(op.key).is_register:
                by_key[op.key].append(op)
        others = [op for op in self.ops
                  if op.key == EVERY or not keys.kind_of(op.key).is_register]
        self.violations += reads.violations(
            others, self.writes, reads.Excuses(excuses, owners), setup.lease)
        for key, ops in by_key.items():
            self.violations += register.violations(
                key, ops + [op._replace(key=key) for op in others if op.key == EVERY])
        limit = REQUEST_TIMEOUT_S + setup.longest_lease + setup.lease + PATIENCE_S
        self.violations += rest.late(
            self.ops, limit, faults.pauses(self.applied) + [("", *stall) for stall in self.stalls])


def _describe(fault):
    parts = [fault.kind, fault.node, fault.key,
             ("<->" if fault.both_ways else "->").join(fault.pair)]
    if fault.pair:
        parts += [",".join(fault.links), "dialled by", ",".join(fault.diallers)]
    if fault.delay:
        parts.append(f"{fault.delay:.3f} s")
    return " ".join(part for part in parts if part)
