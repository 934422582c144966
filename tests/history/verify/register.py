"""P6: one key as a register that may lose its value: are GET, SET, SETNX and DEL linearizable?

Every value is written by one request only. A lost value is a step to nil that may be taken at any
time. So nil can always be read; what must not be is a value read after it was replaced or deleted.

The search (Wing and Gong's, walking through the history's begins and ends): a *configuration* is a
value the key may have now, and which of the requests under way have already taken effect. When a
request ends, only configurations in which it has taken effect go on. None left: not linearizable.
Reads take effect as soon as they can; of unanswered writes (they may take effect at any time, or
never) only those are tried that a request under way needs.
"""

from verify.events import BAD, DEL, ERROR, GET, LOST, NEVER, NIL, OK, SET, SETNX, Violation

MOST_CONFIGURATIONS = 50_000


def violations(key, ops):
    """`ops`: all of one key."""
    history = _relevant(ops)
    search = _Search(history)
    for _, is_begin, index in _moments(history):
        if is_begin:
            search.begin(index)
            continue
        if not search.end(index):
            yield Violation("P6", f"no order explains it; {history[index]}", key, history[index].end)
            return
        if search.is_too_large():
            return


def _relevant(ops):
    """Requests that say something, with an end only where they had a good one."""
    kept = []
    for op in ops:
        if op.kind == GET:
            if op.outcome == OK:
                kept.append(op)
        elif op.outcome in (ERROR, LOST):
            kept.append(op._replace(end=NEVER))
        elif op.outcome != BAD:
            kept.append(op)
    return kept


def _moments(history):
    """Begins before ends at one instant: overlapping is the kinder reading."""
    moments = [(op.begin, 0, index) for index, op in enumerate(history)]
    moments += [(op.end, 1, index) for index, op in enumerate(history) if op.end != NEVER]
    return [(time, not is_end, index) for time, is_end, index in sorted(moments)]


class _Search:
    def __init__(self, history):
        self._history = history
        self._under_way = set()
        self._configurations = {(NIL, frozenset())}

    def begin(self, index):
        self._under_way.add(index)
        self._configurations = {self._with_reads(*c) for c in self._configurations}

    def end(self, index):
        reached = self._reachable()
        self._under_way.discard(index)
        self._configurations = {(value, done - {index}) for value, done in reached if index in done}
        return bool(self._configurations)

    def is_too_large(self):
        return len(self._configurations) > MOST_CONFIGURATIONS

    def _reachable(self):
        """All configurations that further requests taking effect lead to."""
        seen, unvisited = set(self._configurations), list(self._configurations)
        while unvisited and len(seen) <= MOST_CONFIGURATIONS:
            value, done = unvisited.pop()
            for index in self._under_way - done:
                after = self._effect(index, value, done)
                if after is None:
                    continue
                configuration = self._with_reads(after, done | {index})
                if configuration not in seen:
                    seen.add(configuration)
                    unvisited.append(configuration)
        return seen

    def _effect(self, index, value, done):
        """The value once `index` has taken effect; None when that makes no sense now."""
        op = self._history[index]
        if not self._may_go(index, done):
            return None
        if op.kind == GET:  # the value is lost now, and this sees it
            return NIL if op.version == NIL else None
        if op.kind == SETNX and op.version is None:
            return value if value != NIL else None
        if op.kind in (SET, SETNX):
            if op.end == NEVER and not self._is_awaited(op.version):
                return None
            return op.version
        if op.kind == DEL and op.end != NEVER:
            return NIL
        return None

    def _may_go(self, index, done):
        """Requests of one connection take effect in their order."""
        op = self._history[index]
        return not any(self._history[other].connection == op.connection
                       and self._history[other].seq < op.seq
                       and self._history[other].end != NEVER
                       for other in self._under_way - done if other != index)

    def _is_awaited(self, version):
        """Whether a request under way needs this value: it reads it, or found some value there."""
        return any((op.kind == GET and op.version == version)
                   or (op.kind == SETNX and op.version is None)
                   for op in map(self._history.__getitem__, self._under_way))

    def _with_reads(self, value, done):
        """All reads under way that this value answers take effect at once."""
        while True:
            more = {index for index in self._under_way - done
                    if self._history[index].kind == GET and self._history[index].version == value
                    and self._may_go(index, done)}
            if not more:
                return value, done
            done = done | more
