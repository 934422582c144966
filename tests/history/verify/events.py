"""What a history is made of. All times are CLOCK_MONOTONIC in seconds, taken by the client: `begin`
before it sends, `end` once it has the whole reply. So an operation took effect between the two."""

from typing import NamedTuple, Optional

NIL = -1  # the version of a reply that says "not found"
NEVER = float("inf")

# How an operation ended.
OK = "ok"
ERROR = "error"  # an error reply: of a write nothing is known
REFUSED = "refused"  # an error reply that says that nothing was done
LOST = "lost"  # the connection went before the reply came
BAD = "bad"  # a value that nobody wrote: another key's, or its checksum is wrong

GET, DEL, SET, SETNX = "get", "del", "set", "setnx"


class Op(NamedTuple):
    """One request of a client to a node. `seq` counts the requests of its connection. `version`: of
    a GET what it returned, of a SET what it wrote; of a SETNX that did not store, None."""

    connection: str
    seq: int
    node: str
    kind: str
    key: str  # of a flush: every key, EVERY
    begin: float
    end: float
    outcome: str
    version: Optional[int] = None
    detail: str = ""

    def is_ok(self):
        return self.outcome == OK


EVERY = "*"


class Write(NamedTuple):
    """A version that went to the backend itself. `is_deletion`: from then on the key is absent."""

    key: str
    version: int
    begin: float
    end: float
    is_deletion: bool = False


class Excuse(NamedTuple):
    """From `begin` to `end` neither of `nodes` may have heard the other (one that was stopped, or
    cut off from all, stands with each other node)."""

    nodes: frozenset
    begin: float
    end: float


class Violation(NamedTuple):
    rule: str  # "P1" ...
    what: str
    key: str = ""
    at: float = 0.0

    def __str__(self):
        return f"{self.rule} {self.key}: {self.what}"
