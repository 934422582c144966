"""Judges a recorded history: who wrote, invalidated and read which version of a key, and when.

Every key has one writer, whose versions count up from 0 (there before the readers start). Times are
of one monotonic clock, taken by the client before it sends and after it has the whole reply, so an
operation took effect somewhere between its begin and its end.

What is promised:
  - after an invalidation answered OK, no read that begins later returns an older version;
  - no read returns a version that was not yet being written when the read ended;
  - a connection sees its own order: the reply that stands at a request's place is that request's,
    and a read that follows the connection's own invalidation in one pipeline returns nothing older.
Reads are regular: while an invalidation is unanswered, two readers may see old and new in any order.
"""

import bisect
import collections
import dataclasses


@dataclasses.dataclass(frozen=True)
class Write:
    """`version` was written to the backend between begin and end."""

    key: str
    version: int
    begin: int
    end: int


@dataclasses.dataclass(frozen=True)
class Invalidation:
    """A DEL sent after `version` was in the backend. `ok`: it was answered, and not by an error."""

    key: str
    version: int
    begin: int
    end: int
    ok: bool


@dataclasses.dataclass(frozen=True)
class Read:
    """`version`: what the reply said, None for an error reply. `answered_key`: the key that the
    value names. `after_own`: the version that the same connection invalidated right before, in the
    same pipeline, when that was answered OK."""

    connection: str
    key: str
    version: int | None
    begin: int
    end: int
    answered_key: str | None = None
    after_own: int | None = None


NOT_FOUND = -1  # a read's version when the reply was nil: every key exists, so that is older than all


@dataclasses.dataclass(frozen=True)
class Violation:
    what: str
    read: Read
    detail: str

    def __str__(self):
        return f"{self.what}: {self.detail}; {self.read}"


class _Floor:
    """The version that a read beginning at an instant must at least return."""

    def __init__(self, invalidations):
        # Ends ascend, and the version at each end is the highest invalidated until then.
        done = sorted((inv.end, inv.version) for inv in invalidations if inv.ok)
        self._ends, self._versions = [], []
        highest = 0
        for end, version in done:
            highest = max(highest, version)
            self._ends.append(end)
            self._versions.append(highest)

    def at(self, instant):
        index = bisect.bisect_left(self._ends, instant)
        return self._versions[index - 1] if index else 0


class _Ceiling:
    """The highest version that was being written at an instant."""

    def __init__(self, writes):
        ordered = sorted((write.begin, write.version) for write in writes)
        self._begins = [begin for begin, _ in ordered]
        self._versions = [version for _, version in ordered]

    def at(self, instant):
        index = bisect.bisect_right(self._begins, instant)
        return self._versions[index - 1] if index else 0


def violations(writes, invalidations, reads):
    """Yields every Violation, in the order of `reads`."""
    by_key = collections.defaultdict(lambda: ([], []))
    for write in writes:
        by_key[write.key][0].append(write)
    for invalidation in invalidations:
        by_key[invalidation.key][1].append(invalidation)
    floors = {key: _Floor(invs) for key, (_, invs) in by_key.items()}
    ceilings = {key: _Ceiling(wrs) for key, (wrs, _) in by_key.items()}
    for read in reads:
        if read.version is not None:
            yield from _judge(read, floors.get(read.key), ceilings.get(read.key))


def _judge(read, floor, ceiling):
    if read.answered_key is not None and read.answered_key != read.key:
        yield Violation("another request's reply", read, f"it is of {read.answered_key}")
        return
    least = floor.at(read.begin) if floor else 0
    if read.version < least:
        yield Violation("older than an invalidation that was answered", read, f"at least {least}")
    elif read.after_own is not None and read.version < read.after_own:
        yield Violation("older than the connection's own invalidation", read,
                        f"at least {read.after_own}")
    most = ceiling.at(read.end) if ceiling else 0
    if read.version > most:
        yield Violation("not yet written", read, f"at most {most}")
