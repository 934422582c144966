#!/usr/bin/python3
"""A popular key is mirrored where it is asked for, and a DEL takes every mirror away."""

from harness.case import SystemTest, main
from harness.groups import plain_group, redis_group
from harness.load import ask_one_by_one
from harness.waiting import eventually

MANY = 100_000


class HotKeysTest(SystemTest):
    def start(self, **rows):
        """Two nodes; a key, its owner and the other node."""
        self.fake = self.fake_redis()
        cluster = self.cluster("a", "b", groups=[redis_group(self.fake, **rows)],
                               cluster={"longest_lease": rows.get("hot_lease", "1s")})
        owner = cluster.owner_of("users", "hot")
        other = next(node for node in cluster if node is not owner)
        return owner, other

    def forwarded(self, owner, other, times):
        before = owner.stats("users")["server_requests"]
        (client,) = self.clients(other)
        self.assertEqual(ask_one_by_one(client, times, "GET", "hot"), {b"value of hot"})
        return owner.stats("users")["server_requests"] - before

    def test_under_one_percent_of_the_gets_of_a_hot_key_go_to_its_owner(self):
        owner, other = self.start()
        self.assertLess(self.forwarded(owner, other, MANY), MANY // 100)
        self.assertGreater(other.stats("users")["hits_hot"], MANY * 99 // 100)

    def test_without_hot_copies_every_get_goes_to_the_owner(self):
        owner, other = self.start(hot_sample=0)
        self.assertEqual(self.forwarded(owner, other, MANY // 10), MANY // 10)
        self.assertEqual(other.stats("users")["hits_hot"], 0)

    def test_a_copy_ends_with_its_lease_where_nobody_asks_for_it(self):
        owner, other = self.start(hot_sample=1, hot_lease="200ms")
        (client,) = self.clients(other)
        client.ask("GET", "hot")
        before = owner.stats("users")["server_requests"]

        def asks_again():
            # Renewal needs a hit in the lease's last quarter: the waits in between let it run out.
            client.ask("GET", "hot")
            return owner.stats("users")["server_requests"] > before

        eventually(asks_again, "the owner is asked again")

    def test_a_del_at_any_node_removes_every_copy(self):
        owner, other = self.start(hot_sample=1, hot_lease="3s")
        self.fake.value_of = lambda key: b"first"
        owner_client, other_client = self.clients(owner, other)
        for number, deleter in enumerate((owner_client, other_client) * 10):
            value = b"value %d" % number
            self.fake.value_of = lambda key: value
            self.assertIsInstance(deleter.ask("DEL", "hot"), int)
            for client in (other_client, owner_client):
                self.assertEqual(client.ask("GET", "hot"), value)

    def test_a_set_removes_every_copy(self):
        cluster = self.cluster(groups=[plain_group(hot_sample=1, hot_lease="3s")],
                               cluster={"longest_lease": "3s"})
        clients = self.clients(*cluster)
        for number in range(30):
            value = b"value %d" % number
            self.assertEqual(clients[number % 3].ask("SET", "k", value), b"OK")
            self.assertEqual([client.ask("GET", "k") for client in clients], [value] * 3)


if __name__ == "__main__":
    main()
