#!/usr/bin/python3
"""P6: the judge of registers, on made-up histories and beside a search through all orders."""

import itertools
import pathlib
import random
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from verify.events import (  # noqa: E402
    DEL, ERROR, GET, LOST, NIL, OK, REFUSED, SET, SETNX, Op)
from verify.register import violations  # noqa: E402


def op(kind, version, begin, end, outcome=OK, connection=None, seq=0):
    return Op(connection or f"{kind}{begin}", seq, "a", kind, "k", begin, end, outcome, version)


def get(version, begin, end, **more):
    return op(GET, version, begin, end, **more)


def stored(version, begin, end, **more):
    return op(SET, version, begin, end, **more)


def deleted(begin, end, **more):
    return op(DEL, None, begin, end, **more)


def nx(version, begin, end, **more):
    """`version` None: there was a value already."""
    return op(SETNX, version, begin, end, **more)


def is_linearizable(*history):
    return not list(violations("k", list(history)))


class Registers(unittest.TestCase):
    def assert_good(self, *history):
        self.assertTrue(is_linearizable(*history))

    def assert_bad(self, *history):
        self.assertFalse(is_linearizable(*history))

    def test_nothing_happened(self):
        self.assert_good()

    def test_a_value_that_was_stored_is_read(self):
        self.assert_good(stored(1, 0, 1), get(1, 2, 3))

    def test_a_value_that_nobody_stored_is_not(self):
        self.assert_bad(get(1, 2, 3))

    def test_a_value_may_be_lost_at_any_time(self):
        self.assert_good(stored(1, 0, 1), get(1, 2, 3), get(NIL, 4, 5), get(NIL, 6, 7))

    def test_what_was_lost_does_not_come_back(self):
        self.assert_bad(stored(1, 0, 1), get(NIL, 2, 3), get(1, 4, 5))

    def test_what_was_deleted_does_not_come_back(self):
        self.assert_bad(stored(1, 0, 1), deleted(2, 3), get(1, 4, 5))

    def test_what_was_replaced_does_not_come_back(self):
        self.assert_bad(stored(1, 0, 1), stored(2, 2, 3), get(1, 4, 5))

    def test_reads_at_one_time_see_one_order(self):
        self.assert_bad(stored(1, 0, 1), stored(2, 2, 9), get(2, 3, 4), get(1, 5, 6))

    def test_a_write_takes_effect_once_within_its_time(self):
        self.assert_good(stored(1, 0, 1), stored(2, 2, 9), get(1, 3, 4), get(2, 5, 6))

    def test_two_writes_at_one_time_may_come_in_either_order(self):
        self.assert_good(stored(1, 0, 9), stored(2, 0, 9), get(2, 10, 11))
        self.assert_good(stored(1, 0, 9), stored(2, 0, 9), get(1, 10, 11))
        self.assert_bad(stored(1, 0, 9), stored(2, 0, 9), get(1, 10, 11), get(2, 12, 13))

    def test_a_write_of_unknown_outcome_may_come_at_any_later_time(self):
        for outcome in (ERROR, LOST):
            self.assert_good(stored(1, 0, 1, outcome=outcome), stored(2, 2, 3), get(2, 4, 5),
                             get(1, 6, 7))

    def test_or_never_but_not_twice(self):
        self.assert_good(stored(1, 0, 1, outcome=LOST), get(NIL, 2, 3))
        self.assert_bad(stored(1, 0, 1, outcome=LOST), get(1, 2, 3), stored(2, 4, 5), get(1, 6, 7))

    def test_a_write_that_was_refused_never_comes(self):
        self.assert_bad(stored(1, 0, 1, outcome=REFUSED), get(1, 2, 3))

    def test_many_writes_of_unknown_outcome_are_no_hindrance(self):
        unknown = [stored(n, n, n + 0.5, outcome=LOST) for n in range(200)]
        self.assert_good(*unknown, stored(300, 300, 301), nx(None, 302, 303), get(300, 302, 303),
                         get(7, 304, 305))
        self.assert_bad(*unknown, stored(300, 300, 301), nx(None, 302, 303), get(7, 302, 303),
                        get(300, 304, 305))

    def test_nor_are_many_deletions_at_one_time(self):
        storm = [deleted(10 + n / 100, 20, connection=f"s{n}") for n in range(40)]
        self.assert_good(stored(1, 0, 1), *storm, stored(2, 11, 12), get(2, 13, 14),
                         stored(3, 15, 16), get(3, 17, 18), get(NIL, 21, 22))
        self.assert_bad(stored(1, 0, 1), *storm, get(1, 21, 22))

    def test_nx_stores_where_nothing_is_or_was_lost(self):
        self.assert_good(nx(1, 0, 1), get(1, 2, 3))
        self.assert_good(stored(1, 0, 1), nx(2, 2, 3), get(2, 4, 5))
        self.assert_bad(stored(1, 0, 1), nx(2, 2, 3), get(1, 4, 5))

    def test_nx_that_found_a_value_needs_one(self):
        self.assert_good(stored(1, 0, 1), nx(None, 2, 3), get(1, 4, 5))
        self.assert_bad(nx(None, 2, 3))
        self.assert_bad(stored(1, 0, 1), deleted(2, 3), nx(None, 4, 5))

    def test_requests_of_one_connection_keep_their_order(self):
        pipeline = {"connection": "c"}
        self.assert_good(get(NIL, 0, 9, seq=0, **pipeline), stored(1, 0, 9, seq=1, **pipeline),
                         get(1, 0, 9, seq=2, **pipeline))
        self.assert_bad(get(1, 0, 9, seq=0, **pipeline), stored(1, 0, 9, seq=1, **pipeline))
        self.assert_bad(stored(1, 0, 9, seq=0, **pipeline), stored(2, 0, 9, seq=1, **pipeline),
                        get(1, 0, 9, seq=2, **pipeline))


class BesideAllOrders(unittest.TestCase):
    """A judge that tries every order must come to the same end."""

    def test_random_histories(self):
        rand = random.Random(1)
        good = 0
        for _ in range(3000):
            history = _random_history(rand)
            expected = _some_order_explains(history)
            good += expected
            self.assertEqual(is_linearizable(*history), expected, history)
        self.assertTrue(500 < good < 2500, f"{good} of 3000 are good: too much of one kind")


def _random_history(rand):
    history = []
    for number in range(rand.randint(2, 6)):
        begin = rand.randint(0, 12)
        end = begin + rand.randint(1, 6)
        # No two moments at one time: what that means is another question.
        begin, end = begin + number / 100, end + number / 100 + 0.005
        outcome = LOST if rand.random() < 0.15 else OK
        kind = rand.choice((GET, GET, SET, SET, SETNX, DEL))
        version = number if kind in (SET, SETNX) else None
        if kind == SETNX and outcome == OK and rand.random() < 0.4:
            version = None
        if kind == GET:
            version, outcome = rand.choice((NIL, *range(6))), OK
        history.append(op(kind, version, begin, end, outcome, f"c{number}"))
    return history


def _some_order_explains(history):
    unknown = [op for op in history if op.outcome == LOST]
    known = [op for op in history if op.outcome == OK]
    for count in range(len(unknown) + 1):
        for taken in itertools.combinations(unknown, count):
            ops = known + [op._replace(end=float("inf")) for op in taken]
            for order in itertools.permutations(ops):
                if _keeps_time(order) and _makes_sense(order):
                    return True
    return False


def _keeps_time(order):
    return all(later.end > earlier.begin for i, earlier in enumerate(order)
               for later in order[i + 1 :])


def _makes_sense(order):
    value = NIL
    for op in order:
        if op.kind == GET:
            if op.version not in (NIL, value):
                return False
            value = op.version
        elif op.kind == DEL:
            value = NIL
        elif op.kind == SETNX and op.version is None:
            if value == NIL:
                return False
        else:
            value = op.version
    return True


if __name__ == "__main__":
    unittest.main()
