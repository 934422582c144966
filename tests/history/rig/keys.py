"""The kinds of keys, each a group with rules of its own, and the group tables for them."""

import dataclasses

from harness.groups import plain_group, redis_group


@dataclasses.dataclass(frozen=True)
class Kind:
    name: str
    prefix: str
    is_filled: bool  # from the backend; else stored by SET
    count: int
    size: int = 0
    deletions: float = 0.0  # of so many of its versions the key is absent
    is_register: bool = False  # judged by P6 instead of P1 to P3

    def keys(self):
        return [f"{self.prefix}{i}" for i in range(self.count)]


PLAIN = Kind("plain", "o:", True, 6)  # entries live until evicted
ABSENT = Kind("absent", "n:", True, 3, deletions=0.5)
SHORT = Kind("short", "s:", True, 3, deletions=0.2)  # expires soon
TINY = Kind("tiny", "t:", True, 60, size=40_000)  # does not fit its group's memory
LARGE = Kind("large", "l:", True, 2, size=20_000)  # values outside of their entries
STORED = Kind("stored", "h:", False, 3)  # with leased copies
REGISTER = Kind("register", "p:", False, 3, is_register=True)

KINDS = (PLAIN, ABSENT, SHORT, TINY, LARGE, STORED, REGISTER)
FILLED = tuple(kind for kind in KINDS if kind.is_filled)
BY_PREFIX = {kind.prefix: kind for kind in KINDS}

SHORT_TTL_S = 0.2
SHORT_JITTER = 0.1


WRITTEN_TINY = 2  # the others only need room


def kind_of(key):
    return BY_PREFIX[key[:2]]


def is_filling(key):
    """Whether it is there to push others out, and is never written again."""
    return kind_of(key) is TINY and int(key[2:]) >= WRITTEN_TINY


def groups(backend, lease_s):
    """Every answer of an owner to another node carries a lease, but for registers."""
    lease = {"hot_lease": f"{round(lease_s * 1000)}ms", "hot_sample": 1}
    short = {"ttl": f"{round(SHORT_TTL_S * 1000)}ms", "ttl_jitter": SHORT_JITTER,
             "negative_ttl": f"{round(SHORT_TTL_S * 1000)}ms"}
    endless = {"ttl": "0s", "negative_ttl": "1h"}
    rows = {PLAIN: endless, ABSENT: endless, SHORT: short, LARGE: endless,
            TINY: endless | {"memory": "1MiB"}}
    filled = [redis_group(backend, kind.name, kind.prefix, strip_prefix=False, **lease,
                          **rows[kind]) for kind in FILLED]
    return filled + [
        plain_group(STORED.name, STORED.prefix, ttl="0s", **lease),
        plain_group(REGISTER.name, REGISTER.prefix, ttl="0s", **lease | {"hot_sample": 0})]
