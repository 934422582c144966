#!/usr/bin/python3
"""The judge of histories, on made-up good and bad ones."""

import unittest

from history.verify import NOT_FOUND, Invalidation, Read, Write, violations


def write(version, begin, end, key="k"):
    return Write(key, version, begin, end)


def invalidated(version, begin, end, key="k", ok=True):
    return Invalidation(key, version, begin, end, ok)


def read(version, begin, end, key="k", **more):
    return Read("c", key, version, begin, end, **more)


def judged(*history):
    """What each violation says, for a history in any order."""
    kinds = {kind: [event for event in history if isinstance(event, kind)]
             for kind in (Write, Invalidation, Read)}
    return [v.what for v in violations(kinds[Write], kinds[Invalidation], kinds[Read])]


OLDER = "older than an invalidation that was answered"
OWN = "older than the connection's own invalidation"
EARLY = "not yet written"
SWAPPED = "another request's reply"

# Version 1 is written at 10..20 and invalidated at 30..40.
ONE_CHANGE = (write(1, 10, 20), invalidated(1, 30, 40))


class GoodHistories(unittest.TestCase):
    def assert_good(self, *history):
        self.assertEqual(judged(*history), [])

    def test_nothing_happened(self):
        self.assert_good()

    def test_the_first_version_may_be_read_before_any_write(self):
        self.assert_good(*ONE_CHANGE, read(0, 1, 5))

    def test_while_the_invalidation_is_unanswered_old_and_new_may_be_read_in_any_order(self):
        self.assert_good(*ONE_CHANGE, read(1, 31, 32), read(0, 33, 34), read(1, 35, 36))

    def test_a_read_that_began_before_the_answer_may_end_after_it_with_the_old(self):
        self.assert_good(*ONE_CHANGE, read(0, 39, 90))

    def test_a_read_that_began_at_the_instant_of_the_answer_may_be_old(self):
        self.assert_good(*ONE_CHANGE, read(0, 40, 41))

    def test_the_new_may_be_read_as_soon_as_its_write_has_begun(self):
        self.assert_good(*ONE_CHANGE, read(1, 1, 10))

    def test_a_newer_version_than_the_invalidated_one_is_right(self):
        self.assert_good(*ONE_CHANGE, write(2, 50, 60), read(2, 61, 62))

    def test_without_an_invalidation_the_old_stays_for_ever(self):
        self.assert_good(write(1, 10, 20), read(0, 1000, 1001))

    def test_an_invalidation_that_failed_promises_nothing(self):
        self.assert_good(write(1, 10, 20), invalidated(1, 30, 40, ok=False), read(0, 50, 51))

    def test_another_keys_invalidation_does_not_count(self):
        self.assert_good(*ONE_CHANGE, read(0, 50, 51, key="other"))

    def test_an_error_is_no_version(self):
        self.assert_good(*ONE_CHANGE, read(None, 50, 51))

    def test_a_read_after_the_own_invalidation_returns_what_it_invalidated(self):
        self.assert_good(*ONE_CHANGE, read(1, 30, 45, after_own=1, answered_key="k"))


class BadHistories(unittest.TestCase):
    def assert_bad(self, what, *history):
        self.assertEqual(judged(*history), [what])

    def test_the_old_after_an_answered_invalidation(self):
        self.assert_bad(OLDER, *ONE_CHANGE, read(0, 41, 42))

    def test_the_old_long_after(self):
        self.assert_bad(OLDER, *ONE_CHANGE, write(2, 50, 60), invalidated(2, 70, 80),
                        read(1, 1000, 1001))

    def test_two_versions_behind(self):
        self.assert_bad(OLDER, *ONE_CHANGE, write(2, 50, 60), invalidated(2, 70, 80),
                        read(0, 75, 76))

    def test_not_found_after_an_answered_invalidation(self):
        self.assert_bad(OLDER, *ONE_CHANGE, read(NOT_FOUND, 41, 42))

    def test_not_found_though_the_key_has_always_been_there(self):
        self.assert_bad(OLDER, read(NOT_FOUND, 1, 2), write(1, 10, 20))

    def test_the_floor_does_not_sink_when_a_slow_invalidation_of_an_older_version_ends_later(self):
        self.assert_bad(OLDER, write(1, 10, 11), write(2, 12, 13), invalidated(2, 20, 30),
                        invalidated(1, 15, 40), read(1, 50, 51))

    def test_a_version_before_its_write_began(self):
        self.assert_bad(EARLY, *ONE_CHANGE, read(1, 1, 9))

    def test_a_version_that_was_never_written(self):
        self.assert_bad(EARLY, *ONE_CHANGE, read(7, 50, 51))

    def test_the_old_after_the_own_invalidation_though_its_answer_was_not_there_yet(self):
        self.assert_bad(OWN, *ONE_CHANGE, read(0, 30, 45, after_own=1))

    def test_the_reply_of_another_request(self):
        self.assert_bad(SWAPPED, *ONE_CHANGE, read(1, 50, 51, answered_key="other"))

    def test_every_bad_read_is_reported(self):
        self.assertEqual(judged(*ONE_CHANGE, read(0, 41, 42), read(1, 43, 44), read(0, 45, 46)),
                         [OLDER, OLDER])


if __name__ == "__main__":
    unittest.main()
