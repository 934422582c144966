#!/usr/bin/python3
"""While a key's owner is dead the other nodes answer by themselves, and only so long."""

import collections

from harness.case import SystemTest, main
from harness.groups import plain_group, redis_group
from harness.waiting import eventually

LEASE = "10s"  # longer than the test: what is loaded once stays
KEYS = [b"key %d" % number for number in range(300)]


class DeadOwnerTest(SystemTest):
    def start(self):
        """Three nodes; all keys are loaded, and the owner of about a third of them is killed."""
        self.fake = self.fake_redis()
        cluster = self.cluster("a", "b", "c",
                               groups=[redis_group(self.fake, hot_lease=LEASE, hot_sample=0),
                                       plain_group(prefix="plain:")],
                               cluster={"longest_lease": LEASE})
        for key in KEYS:
            cluster["b"].ask("GET", key)
        cluster["a"].kill()
        return cluster

    def loads(self):
        return collections.Counter({key: self.fake.asked(key) for key in KEYS})

    def test_each_of_its_keys_is_loaded_once_a_node_and_lease(self):
        cluster = self.start()
        before = self.loads()
        clients = self.clients(cluster["b"], cluster["c"])
        for _ in range(3):
            for key in KEYS:
                for client in clients:
                    self.assertEqual(client.ask("GET", key), b"value of " + key)
        orphans = self.loads() - before
        self.assertGreater(len(orphans), len(KEYS) // 6)
        self.assertEqual(set(orphans.values()), {2}, "by each of the two nodes that are left")
        self.assertEqual(cluster["b"].stats("users")["degraded_loads"], len(orphans))

    def test_a_group_without_a_backend_says_who_is_missing(self):
        cluster = self.start()
        replies = {str(cluster["b"].ask("GET", b"plain:%d" % number)) for number in range(30)}
        self.assertTrue(any(reply.startswith("PEER owner a cannot be reached")
                            for reply in replies), replies)

    def test_an_owner_that_is_back_is_asked_at_once(self):
        cluster = self.start()
        (client,) = self.clients(cluster["b"])
        before = self.loads()
        for key in KEYS:
            client.ask("GET", key)
        orphan = next(iter(self.loads() - before))
        self.fake.value_of = lambda key: b"new"
        self.assertEqual(client.ask("GET", orphan), b"value of " + orphan, "its copy is kept")
        cluster["a"].start()
        eventually(lambda: client.ask("GET", orphan) == b"new", "the copy went with the hello")
        asked = lambda: client.ask("GET", orphan) and cluster["a"].is_ready() and \
            cluster["a"].stats("users")["server_requests"] > 0
        eventually(asked, "the owner answers again")


if __name__ == "__main__":
    main()
