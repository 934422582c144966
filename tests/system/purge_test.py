#!/usr/bin/python3
"""FLUSHALL and CISTERN PURGE at any node take what they name from every node."""

from harness.case import SystemTest, main
from harness.groups import plain_group, redis_group
from harness.resp import ReplyError

KEYS = [b"key %d" % number for number in range(200)]


class PurgeTest(SystemTest):
    def start(self):
        """Three nodes that hold every key: what they own, and copies of the rest."""
        self.fake = self.fake_redis()
        self.fake.value_of = lambda key: b"old"
        cluster = self.cluster("a", "b", "c",
                               groups=[redis_group(self.fake, hot_sample=1, hot_lease="3s"),
                                       plain_group(prefix="plain:")],
                               cluster={"longest_lease": "3s"})
        self.nodes = self.clients(*cluster)
        for client in self.nodes:
            for key in KEYS:
                self.assertEqual(client.ask("GET", key), b"old")
        self.fake.value_of = lambda key: b"new"
        return cluster

    def values(self):
        return {client.ask("GET", key) for client in self.nodes for key in KEYS}

    def test_flushall_leaves_nothing_older_anywhere(self):
        cluster = self.start()
        self.assertEqual(self.nodes[1].ask("FLUSHALL"), b"OK")
        for client in self.nodes:
            self.assertEqual(client.ask("DBSIZE"), 0)
        self.assertEqual(self.values(), {b"new"})
        self.assertEqual(sum(node.stats("users")["evictions"] for node in cluster), 0)

    def test_flushdb_waits_for_the_writes_of_its_pipeline(self):
        self.start()
        client = self.nodes[2]
        client.send("DEL", KEYS[0])
        client.send("FLUSHDB", "ASYNC")
        client.send("GET", KEYS[0])
        self.assertEqual([client.read() for _ in range(3)], [1, b"OK", b"new"])

    def test_a_group_is_purged_and_no_other(self):
        self.start()
        for number in range(30):
            self.nodes[0].ask("SET", b"plain:%d" % number, "kept")
        self.assertEqual(self.nodes[2].ask("CISTERN", "PURGE", "GROUP", "users"), b"OK")
        self.assertEqual(self.values(), {b"new"})
        kept = {self.nodes[1].ask("GET", b"plain:%d" % number) for number in range(30)}
        self.assertEqual(kept, {b"kept"})
        self.assertEqual(str(self.nodes[0].ask("CISTERN", "PURGE", "GROUP", "user")),
                         "NOGROUP no group is named 'user'")

    def test_a_prefix_is_purged_and_nothing_else(self):
        self.start()
        self.assertEqual(self.nodes[0].ask("CISTERN", "PURGE", "PREFIX", "key 1"), b"OK")
        for key in KEYS:
            expected = b"new" if key.startswith(b"key 1") else b"old"
            self.assertEqual({client.ask("GET", key) for client in self.nodes}, {expected}, key)

    def test_a_node_that_does_not_confirm_is_named(self):
        cluster = self.start()
        cluster["c"].kill()
        reply = self.nodes[0].ask("FLUSHALL")
        self.assertIsInstance(reply, ReplyError)
        self.assertEqual(str(reply), "PEER node c did not confirm")

    def test_words_that_are_not_understood_are_syntax_errors(self):
        self.start()
        for words in (("FLUSHALL", "NOW"), ("FLUSHDB", "SYNC", "x"),
                      ("CISTERN", "PURGE", "KEYS", "k")):
            self.assertEqual(str(self.nodes[0].ask(*words)), "ERR syntax error", words)


if __name__ == "__main__":
    main()
