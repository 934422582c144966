#!/usr/bin/python3
"""P1, P2, P3: the judge of reads, on made-up good and bad histories."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from verify.events import (  # noqa: E402
    BAD, DEL, ERROR, EVERY, GET, LOST, NIL, OK, SET, Excuse, Op, Write)
from verify.reads import Excuses, violations  # noqa: E402


def write(version, begin, end, key="k", is_deletion=False):
    return Write(key, version, begin, end, is_deletion)


def op(kind, version, begin, end, key="k", outcome=OK, node="a", connection="c", seq=0, detail=""):
    return Op(connection, seq, node, kind, key, begin, end, outcome, version, detail)


def deleted(begin, end, **more):
    return op(DEL, None, begin, end, connection="deleter", **more)


def stored(version, begin, end, connection="writer", **more):
    return op(SET, version, begin, end, connection=connection, **more)


def read(version, begin, end, **more):
    return op(GET, version, begin, end, **more)


def judged(*history, **more):
    """The rules that a history breaks; it may come in any order."""
    writes = [event for event in history if isinstance(event, Write)]
    ops = [event for event in history if isinstance(event, Op)]
    return [violation.rule for violation in violations(ops, writes, **more)]


# Version 1 was there before; version 2 is written at 10..20 and a DEL invalidates it at 30..40.
FIRST = write(1, 0, 0)
ONE_CHANGE = (FIRST, write(2, 10, 20), deleted(30, 40))


class Judged(unittest.TestCase):
    def assert_good(self, *history, **more):
        self.assertEqual(judged(*history, **more), [])

    def assert_bad(self, rule, *history, **more):
        self.assertEqual(judged(*history, **more), [rule])


class GoodReads(Judged):
    def test_nothing_happened(self):
        self.assert_good()

    def test_the_first_version_may_be_read_before_any_other_is_written(self):
        self.assert_good(*ONE_CHANGE, read(1, 1, 5))

    def test_while_the_del_is_unanswered_old_and_new_may_be_read_in_any_order(self):
        self.assert_good(*ONE_CHANGE, read(2, 31, 32), read(1, 33, 34), read(2, 35, 36))

    def test_a_read_that_began_before_the_answer_may_end_after_it_with_the_old(self):
        self.assert_good(*ONE_CHANGE, read(1, 39, 90))

    def test_a_read_that_began_at_the_instant_of_the_answer_may_be_old(self):
        self.assert_good(*ONE_CHANGE, read(1, 40, 41))

    def test_the_new_may_be_read_as_soon_as_its_write_has_begun(self):
        self.assert_good(*ONE_CHANGE, read(2, 1, 10))

    def test_a_newer_version_than_the_invalidated_one_is_right(self):
        self.assert_good(*ONE_CHANGE, write(3, 50, 60), read(3, 61, 62))

    def test_without_a_del_the_old_stays_for_ever(self):
        self.assert_good(FIRST, write(2, 10, 20), read(1, 1000, 1001))

    def test_a_version_written_while_the_del_ran_need_not_be_seen(self):
        self.assert_good(FIRST, write(2, 10, 31), deleted(30, 40), read(1, 50, 51))

    def test_a_del_that_failed_promises_nothing(self):
        self.assert_good(FIRST, write(2, 10, 20), deleted(30, 40, outcome=ERROR), read(1, 50, 51))

    def test_a_del_whose_answer_was_lost_promises_nothing(self):
        self.assert_good(FIRST, write(2, 10, 20), deleted(30, 40, outcome=LOST), read(1, 50, 51))

    def test_another_keys_del_does_not_count(self):
        self.assert_good(*ONE_CHANGE, write(1, 0, 0, key="other"), read(1, 50, 51, key="other"))

    def test_an_error_is_no_version(self):
        self.assert_good(*ONE_CHANGE, read(None, 50, 51, outcome=ERROR))

    def test_nil_is_right_once_a_deletion_has_begun(self):
        self.assert_good(*ONE_CHANGE, write(3, 50, 60, is_deletion=True), read(NIL, 45, 50))

    def test_nil_stays_until_a_del_is_answered(self):
        self.assert_good(FIRST, write(2, 10, 20, is_deletion=True), write(3, 30, 40),
                         read(NIL, 100, 101))


class BadReads(Judged):
    def test_the_old_after_an_answered_del(self):
        self.assert_bad("P1", *ONE_CHANGE, read(1, 41, 42))

    def test_the_old_long_after(self):
        self.assert_bad("P1", *ONE_CHANGE, write(3, 50, 60), deleted(70, 80), read(2, 1000, 1001))

    def test_two_versions_behind(self):
        self.assert_bad("P1", *ONE_CHANGE, write(3, 50, 60), deleted(70, 80), read(1, 75, 76))

    def test_the_old_after_a_flush(self):
        self.assert_bad("P1", FIRST, write(2, 10, 20), deleted(30, 40, key=EVERY), read(1, 41, 42))

    def test_nil_though_the_key_has_always_been_there(self):
        self.assert_bad("P1", *ONE_CHANGE, read(NIL, 41, 42))

    def test_nil_of_a_deletion_that_a_newer_version_has_replaced(self):
        self.assert_bad("P1", FIRST, write(2, 10, 20, is_deletion=True), write(3, 30, 40),
                        deleted(50, 60), read(NIL, 61, 62))

    def test_the_least_does_not_sink_when_a_slow_del_ends_later(self):
        self.assert_bad("P1", FIRST, write(2, 10, 11), write(3, 12, 13), deleted(20, 30),
                        deleted(11.5, 40), read(2, 50, 51))

    def test_a_version_before_its_write_began(self):
        self.assert_bad("P2", *ONE_CHANGE, read(2, 1, 9))

    def test_a_version_that_was_never_written(self):
        self.assert_bad("P2", *ONE_CHANGE, read(7, 50, 51))

    def test_a_broken_value_or_another_keys(self):
        self.assert_bad("P2", *ONE_CHANGE, read(None, 50, 51, outcome=BAD, detail="of another"))

    def test_every_bad_read_is_reported(self):
        self.assertEqual(judged(*ONE_CHANGE, read(1, 41, 42), read(2, 43, 44), read(1, 45, 46)),
                         ["P1", "P1"])


class ReadsOfStoredKeys(Judged):
    def test_nil_is_always_right(self):
        self.assert_good(stored(1, 0, 1), read(NIL, 2, 3))

    def test_after_an_answered_set_the_older_is_wrong(self):
        self.assert_bad("P1", stored(1, 0, 1), stored(2, 2, 3), read(1, 4, 5))

    def test_while_the_set_is_unanswered_the_older_is_right(self):
        self.assert_good(stored(1, 0, 1), stored(2, 2, 6), read(1, 4, 5))

    def test_after_an_answered_del_what_was_there_before_is_wrong(self):
        self.assert_bad("P1", stored(1, 0, 1), deleted(2, 3), read(1, 4, 5))

    def test_a_set_that_overlaps_the_del_may_come_after_it(self):
        self.assert_good(stored(1, 0, 2.5), deleted(2, 3), read(1, 4, 5))

    def test_a_set_that_was_not_answered_may_be_stored_at_any_later_time(self):
        self.assert_good(stored(1, 0, 1, outcome=LOST), stored(2, 2, 3), read(2, 4, 5),
                         read(1, 6, 7))

    def test_a_version_before_its_set_began(self):
        self.assert_bad("P2", read(1, 0, 1), stored(1, 2, 3))


class Order(Judged):
    """P3: what one connection sends without waiting."""

    def test_a_get_behind_its_own_del_sees_it(self):
        self.assert_bad("P3", FIRST, write(2, 10, 20), deleted(30, 40)._replace(connection="c"),
                        read(1, 30, 41, seq=1))

    def test_a_get_ahead_of_its_own_del_need_not(self):
        self.assert_good(FIRST, write(2, 10, 20), read(1, 30, 41, seq=0),
                         deleted(30, 40, seq=1)._replace(connection="c"))

    def test_another_connections_del_gives_no_order(self):
        self.assert_good(FIRST, write(2, 10, 20), deleted(30, 40), read(1, 30, 41, seq=1))

    def test_a_del_that_failed_gives_no_order(self):
        self.assert_good(FIRST, write(2, 10, 20),
                         deleted(30, 40, outcome=ERROR)._replace(connection="c"),
                         read(1, 30, 41, seq=1))

    def test_a_get_behind_its_own_set_sees_it(self):
        self.assert_bad("P3", stored(1, 0, 1), stored(2, 10, 12, connection="c", seq=0),
                        read(1, 10, 13, seq=1))

    def test_a_get_ahead_of_its_own_set_does_not_see_it(self):
        self.assert_bad("P3", stored(1, 0, 1), read(2, 10, 13, seq=0),
                        stored(2, 10, 12, connection="c", seq=1))

    def test_whoever_is_excused_may_lag_behind_its_own_del(self):
        self.assert_good(FIRST, write(2, 10, 20), deleted(30, 40)._replace(connection="c"),
                         read(1, 30, 41, seq=1), lease=5,
                         excuses=Excuses([Excuse(frozenset("ab"), 25, 50)], {"k": "b"}))


class Excused(Judged):
    """Node a reads, node b owns k."""

    def judge(self, excuse, *history, owners={"k": "b"}):
        return judged(*history, lease=5, excuses=Excuses([excuse], owners))

    def test_who_could_not_hear_the_owner_may_lag(self):
        excuse = Excuse(frozenset("ab"), 30, 60)
        self.assertEqual(self.judge(excuse, *ONE_CHANGE, read(1, 41, 42)), [])

    def test_but_by_no_more_than_a_lease(self):
        excuse = Excuse(frozenset("ab"), 30, 60)
        self.assertEqual(self.judge(excuse, *ONE_CHANGE, read(1, 45.1, 46)), ["P1"])

    def test_and_no_longer_than_the_excuse(self):
        excuse = Excuse(frozenset("ab"), 30, 41)
        self.assertEqual(self.judge(excuse, *ONE_CHANGE, read(1, 41.5, 42)), ["P1"])

    def test_another_pair_is_no_excuse(self):
        for pair in ("ac", "bc"):
            excuse = Excuse(frozenset(pair), 30, 60)
            self.assertEqual(self.judge(excuse, *ONE_CHANGE, read(1, 41, 42)), ["P1"])

    def test_the_owner_itself_has_no_excuse(self):
        excuse = Excuse(frozenset("ab"), 30, 60)
        self.assertEqual(self.judge(excuse, *ONE_CHANGE, read(1, 41, 42), owners={"k": "a"}),
                         ["P1"])

    def test_where_owners_change_any_excuse_of_the_node_counts(self):
        excuse = Excuse(frozenset("ac"), 30, 60)
        self.assertEqual(self.judge(excuse, *ONE_CHANGE, read(1, 41, 42), owners=None), [])


if __name__ == "__main__":
    unittest.main()
