#!/usr/bin/python3
"""P4, P5, P7: the judges of loads, of replies and of what is left when all is quiet."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from verify import loads, rest  # noqa: E402
from verify.events import GET, LOST, OK, Op  # noqa: E402


def over(*args, **more):
    """The keys that were loaded too often."""
    return [violation.key for violation in loads.violations(*args, **more)]


class Loads(unittest.TestCase):
    def test_each_key_once(self):
        self.assertEqual(over({"k": 1, "l": 1}, {}), [])
        self.assertEqual(over({"k": 2, "l": 1}, {}), ["k"])

    def test_and_once_an_invalidation_of_its_own(self):
        self.assertEqual(over({"k": 3}, {"k": 2}), [])
        self.assertEqual(over({"k": 3}, {"k": 1, "l": 9}), ["k"])

    def test_and_once_an_expiry_of_its_own(self):
        self.assertEqual(over({"k": 3}, {}, {"k": 2}), [])
        self.assertEqual(over({"k": 3}, {}, {"l": 2}), ["k"])

    def test_evictions_and_failures_excuse_so_many_loads_in_all(self):
        self.assertEqual(over({"k": 2, "l": 2}, {}, evictions=1, failed=1), [])
        self.assertEqual(over({"k": 2, "l": 2}, {}, evictions=1), ["l"])


def answered(begin, end, outcome=OK):
    return Op("c", 0, "a", GET, "k", begin, end, outcome, 1)


class Replies(unittest.TestCase):
    def late(self, *ops, pauses=()):
        return len(list(rest.late(ops, 5, pauses)))

    def test_in_time(self):
        self.assertEqual(self.late(answered(0, 5)), 0)

    def test_too_late(self):
        self.assertEqual(self.late(answered(0, 5.1), answered(3, 4)), 1)

    def test_a_stopped_node_has_the_time_of_its_stop_on_top(self):
        self.assertEqual(self.late(answered(0, 6.9), pauses=[("b", 1, 3)]), 0)
        self.assertEqual(self.late(answered(0, 7.1), pauses=[("b", 1, 3)]), 1)
        self.assertEqual(self.late(answered(0, 5.5), pauses=[("b", 5.4, 9)]), 1)

    def test_who_lost_its_connection_waits_for_nothing(self):
        self.assertEqual(self.late(answered(0, 9, LOST)), 0)


def stats(gets=3, loads_in_flight=0, flights=0, holders=0):
    group = dict.fromkeys(rest.CLASSES, 0) | {"gets": gets, "hits_main": 1, "loads": 2}
    return {"groups": {"g": group}, "stats": {"loads_in_flight": loads_in_flight},
            "memory": {"used_memory_flights": flights, "used_memory_holders": holders}}


class Quiet(unittest.TestCase):
    def left(self, **more):
        return len(list(rest.left_over("a", stats(**more))))

    def test_nothing_is_left(self):
        self.assertEqual(self.left(), 0)

    def test_a_load_a_flight_or_a_holder_is(self):
        self.assertEqual(self.left(loads_in_flight=1), 1)
        self.assertEqual(self.left(flights=200), 1)
        self.assertEqual(self.left(holders=96), 1)

    def test_a_get_that_was_counted_twice_or_never(self):
        self.assertEqual(self.left(gets=2), 1)
        self.assertEqual(self.left(gets=4), 1)

    def test_all_nodes_agree_with_the_truth(self):
        self.assertEqual(len(list(rest.disagreement("k", b"1", {"a": b"1", "b": b"1"}))), 0)
        self.assertEqual(len(list(rest.disagreement("k", b"1", {"a": b"1", "b": b"2"}))), 1)
        self.assertEqual(len(list(rest.disagreement("k", b"1", {"a": b"2", "b": b"2"}))), 1)
        self.assertEqual(len(list(rest.disagreement("k", None, {"a": None, "b": b"2"}))), 1)


class Leaks(unittest.TestCase):
    BEFORE = {"a": rest.Usage(30, 50 << 20), "b": rest.Usage(30, 50 << 20)}

    def grown(self, **more):
        after = self.BEFORE | {"b": self.BEFORE["b"]._replace(**more)}
        return len(list(rest.grown(self.BEFORE, after)))

    def test_what_is_as_it_was_has_not_grown(self):
        self.assertEqual(self.grown(), 0)
        self.assertEqual(self.grown(files=29, resident=40 << 20), 0)

    def test_one_open_file_more_is_one_too_many(self):
        self.assertEqual(self.grown(files=31), 1)

    def test_memory_may_differ_by_what_an_allocator_keeps(self):
        self.assertEqual(self.grown(resident=57 << 20), 0)
        self.assertEqual(self.grown(resident=59 << 20), 1)


if __name__ == "__main__":
    unittest.main()
