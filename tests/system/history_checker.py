#!/usr/bin/python3
"""Three nodes, one redis-server whose answers are slow, writers that change it and say so, and
readers everywhere: does anybody see what an answered DEL has made impossible?

  history_checker.py                     fails at the first violation, or at any error reply
  history_checker.py --expect-violation  fails when there is none: for the programs that leave out
                                         a part of the promise (see CMakeLists.txt)

CISTERN_HISTORY_SECONDS says how long (20).
"""

import os
import sys
import time

from harness.cluster import Cluster
from harness.delay_proxy import DelayProxy
from harness.groups import redis_group
from harness.redis_server import RedisServer
from history.record import record
from history.verify import violations

KEYS_A_ROUND = 5
ROUND_S = 4
# Loads last so long at most: about as long as writers pause, so that loads and DELs overlap.
SLOWEST_ANSWER_S = 0.015


def run_rounds(cluster, redis, seconds):
    """Yields each round's history, with keys of its own."""
    addresses = [node.address for node in cluster]
    end = time.monotonic() + seconds
    number = 0
    while (left := end - time.monotonic()) > 0:
        keys = [f"history:{number}:{i}" for i in range(KEYS_A_ROUND)]
        yield record(min(ROUND_S, left), keys, redis.address, addresses)
        number += 1


def check(cluster, redis, seconds):
    """The violations, the errors, and how much was done."""
    found, errors = [], []
    done = {"writes": 0, "invalidations": 0, "reads": 0}
    for writes, invalidations, reads, some_errors in run_rounds(cluster, redis, seconds):
        found += violations(writes, invalidations, reads)
        errors += some_errors
        done["writes"] += len(writes)
        done["invalidations"] += len(invalidations)
        done["reads"] += len(reads)
        if found:
            break
    return found, errors, done


def proves_something(cluster, done):
    """Without copies and loads at every node a clean history would mean nothing."""
    hot = [node.stats("users")["hits_hot"] for node in cluster]
    loads = [node.stats("users")["loads"] for node in cluster]
    print(f"{done}, hits of leased copies by node: {hot}, loads: {loads}")
    return all(hot) and all(loads) and done["invalidations"] >= 100


def main():
    expects_violation = "--expect-violation" in sys.argv[1:]
    seconds = float(os.environ.get("CISTERN_HISTORY_SECONDS", "20"))
    redis = RedisServer()
    proxy = DelayProxy(redis.address, SLOWEST_ANSWER_S)
    # Every answer of an owner to another node carries a lease.
    cluster = Cluster(groups=[redis_group(proxy, hot_sample=1)])
    try:
        cluster.start()
        found, errors, done = check(cluster, redis, seconds)
        complaints = [str(violation) for violation in found[:10]]
        complaints += [f"error reply: {error}" for error in errors[:10]]
        if not proves_something(cluster, done) and not found:
            complaints.append("too little happened to prove anything")
        exit_codes = cluster.stop()
        if any(exit_codes.values()):
            complaints.append(f"exit codes: {exit_codes}")
        print(f"{len(found)} violations, {len(errors)} errors")
        print("\n".join(complaints))
        if expects_violation:
            sys.exit(0 if found else "no violation was found, though one was built in")
        if complaints:
            print(cluster.logs()[-10000:])
            sys.exit(1)
    finally:
        cluster.release()
        proxy.stop()
        redis.stop()


main()
