"""P1, P2, P3: what a GET may return where keys have one writer, whose versions count up from 1.

Two kinds of keys. *Filled* keys come from the backend: their versions are Writes, and a deletion is a
version. *Stored* keys have no backend: their versions are SETs through a node, and such a key may be
lost at any time, so that nil is always right.

P1  After OK of a DEL, a GET that begins later returns at least the newest version written before that
    DEL began. (A stored key: a newer one than that, or nil. After OK of a SET, its version or newer.)
P2  No GET returns a version that was not yet being written when it ended, another key's value, or one
    whose checksum is wrong.
P3  On one connection, a request sees what those before it did to its key, and nothing of those after
    it, though it does not wait for their replies.

Reads are regular: while a DEL is unanswered, two readers may see old and new in any order.
"""

import bisect
import collections

from verify.events import BAD, DEL, EVERY, GET, NIL, OK, REFUSED, SET, Violation


class _Steps:
    """A number that only grows with time: what it is at an instant."""

    def __init__(self, steps):
        self._times, self._values = [], []
        highest = 0
        for time, value in sorted(steps):
            highest = max(highest, value)
            self._times.append(time)
            self._values.append(highest)

    def before(self, instant):
        """After all steps that were before `instant`."""
        return self._values_at(bisect.bisect_left(self._times, instant))

    def until(self, instant):
        """... or at it."""
        return self._values_at(bisect.bisect_right(self._times, instant))

    def _values_at(self, index):
        return self._values[index - 1] if index else 0


class _Key:
    """What is known of one key: its versions, and what must and may be read when."""

    def __init__(self, writes, invalidations):
        self._written = _Steps((write.end, write.version) for write in writes)
        self._begun = _Steps((write.begin, write.version) for write in writes)
        self._deleted = _Steps((write.begin, write.version) for write in writes
                               if write.is_deletion)
        self._least = _Steps((op.end, self.least_after(op)) for op in invalidations if op.is_ok())

    def least_after(self, op):
        """The least version that may be read after this DEL."""
        return self._written.before(op.begin)

    def least(self, instant):
        return self._least.before(instant)

    def most(self, instant):
        return self._begun.until(instant)

    def version_read(self, op):
        # Of all deletions nil is the newest that it can be.
        return self._deleted.until(op.end) if op.version == NIL else op.version


class _StoredKey:
    """Likewise without a backend: `sets` are all SETs of the key."""

    def __init__(self, sets, invalidations):
        self._unknown = {op.version for op in sets if not op.is_ok()}
        known = [op for op in sets if op.is_ok()]
        self._written = _Steps((op.end, op.version) for op in known)
        self._begun = _Steps((op.begin, op.version) for op in sets)
        self._least = _Steps((op.end, self.least_after(op))
                             for op in [*known, *invalidations] if op.is_ok())

    def least_after(self, op):
        if op.kind == SET:
            return op.version
        return self._written.before(op.begin) + 1

    def least(self, instant):
        return self._least.before(instant)

    def most(self, instant):
        return self._begun.until(instant)

    def version_read(self, op):
        # Nil is always right, and what was answered with an error may be written at any later time.
        return None if op.version == NIL or op.version in self._unknown else op.version


class Excuses:
    """When a node need not have heard a key's owner, and so may lag by a lease.

    `owners`: key -> node; without it, whoever had an excuse with anybody is excused."""

    def __init__(self, excuses=(), owners=None):
        self._excuses = list(excuses)
        self._owners = owners

    def covers(self, op):
        owner = self._owners.get(op.key) if self._owners is not None else None
        return any(excuse.begin <= op.end and op.begin <= excuse.end and op.node in excuse.nodes
                   and (owner is None or (owner in excuse.nodes and owner != op.node))
                   for excuse in self._excuses)


def violations(ops, writes=(), excuses=Excuses(), lease=0.0):
    """Yields a Violation for each wrong read. `lease`: how far whoever is excused may lag."""
    by_key = collections.defaultdict(list)
    flushes = []
    for op in ops:
        if op.key == EVERY:
            flushes.append(op)
        else:
            by_key[op.key].append(op)
    writes_of = collections.defaultdict(list)
    for write in writes:
        writes_of[write.key].append(write)
    for key, of_key in by_key.items():
        deletions = [op for op in of_key if op.kind == DEL] + flushes
        if key in writes_of:
            facts = _Key(writes_of[key], deletions)
        else:
            sets = [op for op in of_key if op.kind == SET and op.outcome != REFUSED]
            facts = _StoredKey(sets, deletions)
        for op in of_key:
            if op.kind == GET:
                yield from _judge(facts, op, excuses, lease)
        yield from _out_of_order(facts, of_key, excuses, lease)


def _judge(facts, op, excuses, lease):
    if op.outcome == BAD:
        yield Violation("P2", f"{op.detail}; {op}", op.key, op.end)
    if op.outcome != OK:
        return
    version = facts.version_read(op)
    if version is None:
        return
    least = facts.least(op.begin)
    if version < least and excuses.covers(op):
        least = facts.least(op.begin - lease)
    if version < least:
        yield Violation("P1", f"version {version}, at least {least} was due; {op}", op.key, op.end)
    most = facts.most(op.end)
    if version > most:
        yield Violation("P2", f"version {version} when {most} was the newest; {op}", op.key, op.end)


def _out_of_order(facts, ops, excuses, lease):
    """P3. Only requests that were sent without waiting for each other's replies can be out of order
    where P1 holds, and these overlap."""
    by_connection = collections.defaultdict(list)
    for op in ops:
        by_connection[op.connection].append(op)
    for of_connection in by_connection.values():
        of_connection.sort(key=lambda op: op.seq)
        least = 0
        for op in of_connection:
            if op.kind == GET and op.outcome == OK:
                version = facts.version_read(op)
                if version is None or version >= least:
                    continue
                if not excuses.covers(op) or version < facts.least(op.begin - lease):
                    yield Violation("P3", f"version {version}, after its own connection had made "
                                    f"{least} the least; {op}", op.key, op.end)
            elif op.kind in (DEL, SET) and op.is_ok():
                least = max(least, facts.least_after(op))
        yield from _read_too_early(of_connection)


def _read_too_early(of_connection):
    soonest = None  # of the SETs further on
    for op in reversed(of_connection):
        if op.kind == SET:
            soonest = op.version
        elif op.kind == GET and op.outcome == OK and soonest is not None and op.version >= soonest:
            yield Violation("P3", f"version {op.version}, which its own connection wrote later; {op}",
                            op.key, op.end)
