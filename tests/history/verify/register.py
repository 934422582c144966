"""P6: one key as a register that may lose its value: are GET, SET, SETNX and DEL linearizable?

Every value is written by one request only. A lost value is a step to nil that may be taken at any
time. So nil can always be read; what must not be is a value read after it was replaced or deleted.

The search (Wing and Gong's, walking through the history's begins and ends): a *configuration* is a
value the key may have now, and which of the requests under way have already taken effect. When a
request ends, only configurations in which it has taken effect go on. None left: not linearizable.
What leaves the value as it is takes effect as soon as it can; of unanswered writes (they may take effect at any time, or
never) only those are tried that a request under way needs.
"""

from verify.events import DEL, ERROR, GET, LOST, NEVER, NIL, OK, SETNX, Violation

MOST_CONFIGURATIONS = 5_000


def violations(key, ops):
    """`ops`: all of one key."""
    history = _relevant(ops)
    search = _Search(history)
    for _, is_begin, index in _moments(history):
        if is_begin:
            search.begin(index)
            continue
        if not search.end(index):
            op = history[index]
            yield Violation("P6", f"no order explains it; {op}", key, op.end)
            return
        if search.is_too_large:  # no verdict on the rest
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
        elif op.outcome == OK:
            kept.append(op)
    return kept


def _moments(history):
    """Begins before ends at one instant: overlapping is the kinder reading."""
    moments = [(op.begin, 0, index) for index, op in enumerate(history)]
    moments += [(op.end, 1, index) for index, op in enumerate(history) if op.end != NEVER]
    return [(time, not is_end, index) for time, is_end, index in sorted(moments)]


class _Search:
    """Indices stand for the requests of `history`."""

    def __init__(self, history):
        self._history = history
        self._under_way = set()  # those whose end is known
        self._unanswered = {}  # writes that may take effect at any time: version -> index
        self._configurations = {(NIL, frozenset())}
        self.is_too_large = False

    def begin(self, index):
        op = self._history[index]
        if op.end == NEVER:
            if op.kind != DEL:  # a DEL is no more than a loss
                self._unanswered[op.version] = index
            return
        self._under_way.add(index)
        self._configurations = {self._settled(*c) for c in self._configurations}

    def end(self, index):
        reached = self._reachable()
        self._under_way.discard(index)
        self._configurations = {(value, done - {index}) for value, done in reached if index in done}
        return bool(self._configurations) or self.is_too_large

    def _reachable(self):
        """All configurations that further requests taking effect lead to."""
        seen, unvisited = set(self._configurations), list(self._configurations)
        while unvisited:
            if len(seen) > MOST_CONFIGURATIONS:
                self.is_too_large = True
                break
            value, done = unvisited.pop()
            for after, index in self._steps(value, done):
                configuration = self._settled(after, done | {index})
                if configuration not in seen:
                    seen.add(configuration)
                    unvisited.append(configuration)
        return seen

    def _steps(self, value, done):
        """(the value afterwards, the request that took effect)."""
        for index in self._under_way - done:
            if self._may_go(index, done):
                after = self._effect(self._history[index], value)
                if after is not None:
                    yield after, index
        for version in self._needed(value):
            index = self._unanswered.get(version)
            if index is not None and index not in done:
                yield version, index

    @staticmethod
    def _effect(op, value):
        """The value afterwards; None when that makes no sense now."""
        if op.kind == GET:  # the value is lost now, and this sees it
            return NIL if op.version == NIL else None
        if op.kind == DEL:
            return NIL
        return op.version  # of a SETNX that found a value: None

    def _needed(self, value):
        """Which versions a request under way reads; all, if it found some value while none is
        there."""
        ops = [self._history[index] for index in self._under_way]
        if value == NIL and any(op.kind == SETNX and op.version is None for op in ops):
            return list(self._unanswered)
        return {op.version for op in ops if op.kind == GET}

    def _may_go(self, index, done):
        """Requests of one connection take effect in their order."""
        op = self._history[index]
        return not any(self._history[other].connection == op.connection
                       and self._history[other].seq < op.seq
                       for other in self._under_way - done if other != index)

    def _settled(self, value, done):
        """Whatever leaves the value as it is takes effect at once: later would be no better."""
        while True:
            more = {index for index in self._under_way - done
                    if self._leaves(self._history[index], value) and self._may_go(index, done)}
            if not more:
                return value, done
            done = done | more

    @staticmethod
    def _leaves(op, value):
        if op.kind == GET:
            return op.version == value
        if op.kind == DEL:
            return value == NIL
        return op.kind == SETNX and op.version is None and value != NIL
