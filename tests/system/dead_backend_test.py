#!/usr/bin/python3
"""A redis-server behind a group is killed, and started again; or it is only slow."""

import time

from harness.case import SystemTest, main
from harness.groups import redis_group
from harness.resp import ReplyError
from harness.waiting import eventually

KEYS = 1000
VALUES = {str(key): f"value of {key}" for key in range(KEYS)}
BACK_AFTER_S = 5  # a load tries at least once a second


class DeadBackendTest(SystemTest):
    def node(self, **backend):
        self.backend = self.redis_server()
        self.backend.fill(VALUES)
        group = redis_group(self.backend)
        group["backend"] |= backend
        (node,) = self.cluster("a", groups=[group])
        (self.client,) = self.clients(node)
        self.assertEqual(self.client.ask("GET", 0), b"value of 0")

    def get_one_by_one(self, keys):
        return [self.client.ask("GET", key) for key in keys]

    def test_while_it_is_dead_gets_fail_at_once_and_say_since_when(self):
        self.node(timeout="20s", connect_timeout="20s")
        self.backend.kill()
        began = time.monotonic()
        replies = self.get_one_by_one(range(1, KEYS))
        # Far less than one load's time.
        self.assertLess(time.monotonic() - began, 10)
        for reply in replies:
            self.assertIsInstance(reply, ReplyError)
            self.assert_error(reply, "BACKEND users: ")
        told = [reply for reply in replies
                if str(reply).startswith(f"BACKEND users: {self.backend.address} has been down for ")]
        self.assertGreater(len(told), KEYS // 2)
        self.assertEqual(self.client.ask("GET", 0), b"value of 0", "what is kept is served")

    def test_when_it_is_back_so_are_its_keys(self):
        self.node()
        self.backend.kill()
        self.get_one_by_one(range(1, 100))
        self.backend.start()
        self.backend.fill(VALUES)
        eventually(lambda: self.client.ask("GET", 1) == b"value of 1", "the backend is asked again",
                   patience_s=BACK_AFTER_S)
        self.assertEqual(self.get_one_by_one(VALUES), [value.encode() for value in VALUES.values()])

    def test_one_that_is_only_slow_is_asked_all_the_same(self):
        self.node(timeout="200ms")
        self.backend.pause()
        for reply in self.get_one_by_one(range(1, 6)):
            self.assertEqual(str(reply), "BACKEND users: timeout after 200 ms")
        self.backend.resume()
        eventually(lambda: self.client.ask("GET", 1) == b"value of 1", "it answers again")


if __name__ == "__main__":
    main()
