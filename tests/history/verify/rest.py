"""P5 and P7: every request is answered once and in time, nothing is left when all is quiet, and then
all nodes agree."""

from typing import NamedTuple

from verify.events import LOST, Violation

# gets = the sum of these, exactly, at rest.
CLASSES = ("hits_main", "hits_hot", "hits_stale", "hits_negative", "loads", "refused")
# Which blocks an allocator keeps differs from one quiet time to the next.
MORE_RESIDENT = 8 << 20
LEFT = ("used_memory_flights", "used_memory_holders")


def late(ops, limit, pauses=()):
    """Replies that took longer than `limit` seconds. `pauses`: (node, begin, end) in which a node was
    stopped; what a request waited meanwhile does not count."""
    for op in ops:
        if op.outcome == LOST:
            continue
        took = op.end - op.begin
        if took <= limit:
            continue
        took -= sum(max(0, min(op.end, end) - max(op.begin, begin)) for _, begin, end in pauses)
        if took > limit:
            yield Violation("P5", f"answered after {took:.3f} s, more than {limit:.3f} s; {op}",
                            op.key, op.end)


def left_over(node, stats):
    """`stats`: a quiet node's /stats."""
    for name in LEFT:
        if stats["memory"][name] != 0:
            yield Violation("P5", f"node {node} is quiet, and {name} is {stats['memory'][name]}")
    if stats["stats"]["loads_in_flight"] != 0:
        yield Violation("P5", f"node {node} is quiet, and has "
                        f"{stats['stats']['loads_in_flight']} loads in flight")
    for group, counters in stats["groups"].items():
        total = sum(counters[name] for name in CLASSES)
        if counters["gets"] != total:
            yield Violation("P5", f"node {node}, group {group}: {counters['gets']} gets, but {total} "
                            f"by outcome: {({name: counters[name] for name in CLASSES})}")


class Usage(NamedTuple):
    """What a process has."""

    files: int  # without connections to backends, which are made when they are first needed
    resident: int  # bytes


def grown(before, after):
    """Both: {node: Usage} when all was quiet."""
    for node, then in before.items():
        now = after[node]
        if now.files > then.files:
            yield Violation("P5", f"node {node} had {then.files} open files, and has {now.files}")
        if now.resident > then.resident + MORE_RESIDENT:
            yield Violation("P5", f"node {node} had {then.resident} bytes resident, and has "
                            f"{now.resident}")


def disagreement(key, truth, answers):
    """P7. `answers`: what each node says of the key, by name; `truth`: what all must say."""
    wrong = {node: answer for node, answer in answers.items() if answer != truth}
    if wrong:
        yield Violation("P7", f"all should say {truth!r}, but: {wrong!r}", key)
