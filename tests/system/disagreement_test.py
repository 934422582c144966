#!/usr/bin/python3
"""Nodes that disagree about who owns a key ask each other, and answer all the same."""

import time

from harness.case import SystemTest, main
from harness.groups import redis_group
from harness.load import ask_from_many

KEYS = [f"user:{i}" for i in range(300)]


class DisagreementTest(SystemTest):
    def assert_answers(self, cluster):
        """Both nodes, the same keys, at the same time."""
        work = [(node.address, ("GET", key)) for key in KEYS for node in cluster]
        begin = time.monotonic()
        replies = ask_from_many(work, 50)
        expected = [b"value of " + words[1].encode() for _, words in work]
        self.assertEqual(replies, expected)
        # A deadlock would end with the request's timeout of 20 s.
        self.assertLess(time.monotonic() - begin, 15)

    def start(self, a, b):
        self.fake = self.fake_redis(delay_s=0.01)
        return self.cluster("a", "b", groups=[redis_group(self.fake)], members={"a": a, "b": b},
                            server={"request_timeout": "20s"})

    def test_each_takes_the_other_for_the_owner_of_nearly_everything(self):
        cluster = self.start(a={"a": {"weight": 1}, "b": {"weight": 50}},
                             b={"a": {"weight": 50}, "b": {"weight": 1}})
        self.assert_answers(cluster)
        for node in cluster:
            # They did ask each other.
            self.assertGreater(node.stats("users")["server_requests"], 0)

    def test_each_takes_itself_for_the_owner_of_nearly_everything(self):
        self.assert_answers(self.start(a={"a": {"weight": 50}, "b": {"weight": 1}},
                                       b={"a": {"weight": 1}, "b": {"weight": 50}}))

    def test_one_knows_the_other_and_is_not_known_by_it(self):
        self.assert_answers(self.start(a={"a": {}, "b": {}}, b={"b": {}}))

    def test_a_del_says_that_it_is_done_or_that_it_is_not(self):
        cluster = self.start(a={"a": {"weight": 1}, "b": {"weight": 50}},
                             b={"a": {"weight": 50}, "b": {"weight": 1}})
        for node in cluster:
            for key in KEYS[:20]:
                reply = node.ask("DEL", key)
                self.assertTrue(isinstance(reply, int) or str(reply).startswith("PEER"), reply)


if __name__ == "__main__":
    main()
