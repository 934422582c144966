#!/usr/bin/python3
"""A cold key is loaded once in the whole cluster, whoever asks, wherever, however many at once."""

import os
import random
import sqlite3

from harness.case import SystemTest, main
from harness.groups import redis_group, sqlite_group
from harness.load import ask_at_once, ask_from_many
from harness.resp import connect, encode
from harness.waiting import eventually

KEYS = 1000
CONNECTIONS = 50


class ColdKeysTest(SystemTest):
    def ask_everywhere(self, cluster, keys):
        """Every key at three random nodes; {key: set of replies}."""
        work = [(random.choice(cluster.nodes).address, ("GET", key)) for key in keys * 3]
        random.shuffle(work)
        answers = {}
        for (_, words), reply in zip(work, ask_from_many(work, CONNECTIONS)):
            answers.setdefault(words[1], set()).add(reply)
        return answers

    def test_redis_is_asked_once_for_every_key_and_then_never_again(self):
        values = {f"user:{i}": f"value {i}".encode() for i in range(KEYS)}
        server = self.redis_server()
        server.fill(values)
        cluster = self.cluster(groups=[redis_group(server)])
        server.reset_counters()
        expected = {key: {value} for key, value in values.items()}

        self.assertEqual(self.ask_everywhere(cluster, list(values)), expected)
        self.assertEqual(server.keys_read(), KEYS)
        self.assertEqual(cluster.total("users", "local_loads"), KEYS)

        server.reset_counters()
        self.assertEqual(self.ask_everywhere(cluster, list(values)), expected)
        self.assertEqual(server.keys_read(), 0)

    def test_sqlite_is_asked_once_for_every_key_and_then_never_again(self):
        path = os.environ["CISTERN_COUNTRIES"]
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            rows = dict(database.execute("SELECT code, body FROM countries"))
        cluster = self.cluster(groups=[sqlite_group(path)])
        expected = {f"country:{code}": {body.encode()} for code, body in rows.items()}

        self.assertEqual(self.ask_everywhere(cluster, list(expected)), expected)
        self.assertEqual(cluster.total("countries", "local_loads"), len(rows))
        self.assertEqual(self.ask_everywhere(cluster, list(expected)), expected)
        self.assertEqual(cluster.total("countries", "local_loads"), len(rows))

    def test_every_node_owns_a_share_of_the_keys(self):
        fake = self.fake_redis()
        cluster = self.cluster(groups=[redis_group(fake)])
        cluster[0].ask("MGET", *[f"user:{i}" for i in range(KEYS)])
        shares = [node.stats("users")["local_loads"] for node in cluster]
        self.assertEqual(sum(shares), KEYS)
        # A third is 333; a sample of 1,000 out of fair slots stays far inside these bounds.
        self.assertTrue(all(240 < share < 430 for share in shares), shares)

    def test_a_thousand_gets_of_one_cold_key_cost_one_load_and_two_messages_a_node(self):
        fake = self.fake_redis()
        cluster = self.cluster(groups=[redis_group(fake)])
        owner = cluster.owner_of("users", "cold")
        fake.delay_s = 0.2
        asked_before = fake.asked("cold")
        before = {node.name: node.stats("users") for node in cluster}

        addresses = [cluster[i % 3].address for i in range(1000)]
        replies = ask_at_once(addresses, "GET", "cold")

        self.assertEqual(set(replies), {b"value of cold"})
        self.assertEqual(fake.asked("cold") - asked_before, 1)
        messages = owner.stats("users")["server_requests"] - before[owner.name]["server_requests"]
        self.assertLessEqual(messages, 4)
        for node in cluster:
            asked = node.stats("users")["peer_loads"] - before[node.name]["peer_loads"]
            self.assertLessEqual(asked, 0 if node is owner else 2, node.name)

    def test_clients_that_go_while_their_key_lands_leave_nothing_behind(self):
        """Each worker has clients that wait for the same load, and lands it, or sees them go."""
        fake = self.fake_redis()
        cluster = self.cluster(groups=[redis_group(fake)], server={"workers": 2})
        for i in range(150):
            fake.delay_s = random.uniform(0, 0.001)
            clients = [connect(node.address, timeout_s=10) for node in cluster for _ in range(6)]
            for client in clients:
                client.sendall(encode("GET", f"user:{i}"))
            for client in clients:
                client.close()
        fake.delay_s = 0
        for node in cluster:
            eventually(lambda: "loads_in_flight:0\r\n" in node.ask("INFO", "stats").decode(),
                       "no load is under way")
            self.assertEqual(node.ask("GET", "user:0"), b"value of user:0")


if __name__ == "__main__":
    main()
