"""P4: without faults nothing is loaded twice."""

from verify.events import Violation


def violations(loads, invalidations, expiries=None, evictions=0, failed=0):
    """`loads`, `invalidations`: counts by key. `expiries`: how often each key may have expired.
    `evictions` and `failed` are known for all keys together, so they excuse so many loads in all."""
    expiries = expiries or {}
    spare = evictions + failed
    for key, count in sorted(loads.items()):
        least = 1 + invalidations.get(key, 0) + expiries.get(key, 0)
        over = max(0, count - least)
        if over > spare:
            yield Violation("P4", f"{count} loads; 1 + {invalidations.get(key, 0)} invalidations + "
                            f"{expiries.get(key, 0)} expiries, {evictions} evictions and {failed} "
                            "failed loads of all keys", key)
        spare = max(0, spare - over)
