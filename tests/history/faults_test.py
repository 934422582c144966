#!/usr/bin/python3
"""Schedules of faults can be made again, and excuse no more than they must."""

import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "system")]

from rig import faults, values  # noqa: E402
from rig.faults import (  # noqa: E402
    BLACKHOLE, CUT, DELAY, KILL, ONE_WAY, RESET, SLOW, STOP, Applied, Fault, Plan)

NODES = ("a", "b", "c")
LEASE, DEAD_AFTER = 0.25, 1.0


def schedule(seed, plan=Plan()):
    return faults.schedule(seed, 60, NODES, LEASE, ["k"], plan)


class Schedules(unittest.TestCase):
    def test_the_same_seed_makes_the_same(self):
        self.assertEqual(schedule(7), schedule(7))
        self.assertNotEqual(schedule(7), schedule(8))

    def test_every_fault_comes_and_all_end(self):
        made = [fault for seed in range(5) for fault in schedule(seed)]
        self.assertEqual({fault.kind for fault in made}, set(faults.WEIGHTS))
        self.assertTrue(all(0 <= fault.at and fault.end() < 60 for fault in made))

    def test_lengths_are_in_leases(self):
        stops = [fault for seed in range(5) for fault in schedule(seed) if fault.kind == STOP]
        self.assertTrue(all(0.1 * LEASE <= fault.length <= 3 * LEASE for fault in stops))

    def test_two_nodes_always_run(self):
        for seed in range(5):
            ends = 0
            for fault in schedule(seed):
                if fault.kind in (STOP, KILL):
                    self.assertGreaterEqual(fault.at, ends)
                    ends = fault.end()

    def test_no_fault_takes_back_one_that_still_holds(self):
        for seed in range(5):
            holds = {}
            for fault in schedule(seed):
                if fault.pair and fault.kind != RESET:
                    pair = frozenset(fault.pair)
                    self.assertGreaterEqual(fault.at, holds.get(pair, 0))
                    holds[pair] = fault.end()

    def test_what_a_node_says_goes_forth_where_it_dials_and_back_where_it_is_dialled(self):
        fault = Fault(DELAY, 0, pair=("a", "b"), diallers=("a", "b"), links=("control",))
        self.assertEqual(sorted(fault.wires()),
                         [("a", "b", "control", "forth"), ("b", "a", "control", "back")])
        self.assertEqual(len(list(fault._replace(both_ways=True).wires())), 4)
        self.assertEqual(list(fault._replace(diallers=("b",)).wires()),
                         [("b", "a", "control", "back")])


def excuses(*applied, stalls=()):
    return [(frozenset(e.nodes), round(e.begin, 3), round(e.end, 3))
            for e in faults.excuses(applied, NODES, LEASE, DEAD_AFTER, stalls)]


def on_link(kind, begin, end, delay=0.0, both_ways=True):
    return Applied(Fault(kind, 0, pair=("b", "a"), delay=delay, both_ways=both_ways,
                         diallers=("a",)), begin, end)


AB, AC, BC = frozenset("ab"), frozenset("ac"), frozenset("bc")


class Excuses(unittest.TestCase):
    def test_a_cut_excuses_its_pair_until_it_has_healed_and_a_lease_is_over(self):
        self.assertEqual(excuses(on_link(CUT, 10, 10.1)), [(AB, 10, 10.85)])

    def test_what_is_held_for_long_is_cut_off(self):
        for kind in (ONE_WAY, BLACKHOLE):
            self.assertEqual(excuses(on_link(kind, 10, 11)), [(AB, 10, 11.75)])
            self.assertEqual(excuses(on_link(kind, 10, 10.5)), [])

    def test_a_long_delay_does_both_ways_together(self):
        self.assertEqual(excuses(on_link(DELAY, 10, 12, 0.2)), [])
        self.assertEqual(excuses(on_link(DELAY, 10, 12, 0.4, both_ways=False)), [])
        self.assertEqual(excuses(on_link(DELAY, 10, 12, 0.4)), [(AB, 10, 13.15)])

    def test_a_node_that_was_stopped_for_long_has_an_excuse_with_every_other(self):
        stopped = Applied(Fault(STOP, 0, node="a"), 10, 11)
        self.assertEqual(excuses(stopped), [(AB, 10, 11.75), (AC, 10, 11.75)])
        self.assertEqual(excuses(stopped._replace(end=10.5)), [])

    def test_short_ones_that_overlap_add_up(self):
        stopped = Applied(Fault(STOP, 0, node="a"), 10.2, 10.6)
        self.assertEqual(excuses(on_link(BLACKHOLE, 10, 10.3), stopped),
                         [(AB, 9.9, 11.65)])
        self.assertEqual(excuses(on_link(BLACKHOLE, 9, 9.3), stopped), [])

    def test_short_halts_far_apart_do_not(self):
        self.assertEqual(excuses(on_link(DELAY, 10, 30, 0.2, both_ways=False),
                                 stalls=[(n, n + 0.2) for n in (11, 14, 17, 20)]), [])

    def test_one_after_the_other_they_do_not(self):
        self.assertEqual(excuses(on_link(DELAY, 10, 11, 0.4, both_ways=False),
                                 on_link(DELAY, 11.1, 12, 0.4, both_ways=False)), [])

    def test_kills_resets_and_slow_backends_excuse_nobody(self):
        self.assertEqual(excuses(Applied(Fault(KILL, 0, node="a"), 10, 15), on_link(RESET, 10, 10),
                                 Applied(Fault(SLOW, 0), 10, 15)), [])

    def test_a_machine_that_was_held_up_is_no_fault_of_the_nodes(self):
        self.assertEqual(excuses(stalls=[(10, 11)]), [(AB, 10, 11.75), (AC, 10, 11.75),
                                                      (BC, 10, 11.75)])
        self.assertEqual(excuses(stalls=[(10, 10.3)]), [])


class Values(unittest.TestCase):
    def test_a_value_tells_its_version(self):
        self.assertEqual(values.decode("k", values.encode("k", 7)), (7, None))
        large = values.encode("k", 8, 5000)
        self.assertEqual(len(large), 5000)
        self.assertEqual(values.decode("k", large), (8, None))

    def test_another_keys_value_and_a_broken_one_are_noticed(self):
        self.assertIsNone(values.decode("l", values.encode("k", 7))[0])
        self.assertIsNone(values.decode("k", values.encode("k", 7)[:-1])[0])
        self.assertIsNone(values.decode("k", values.encode("k", 7).replace(b"7", b"8", 1))[0])


if __name__ == "__main__":
    unittest.main()
