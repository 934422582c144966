#!/usr/bin/python3
"""Keys and values of every kind, from the backend through any node to the client and back."""

from harness.case import SystemTest, main
from harness.groups import plain_group, redis_group
from harness.resp import ReplyError

MIB = 1 << 20
ALL_BYTES = bytes(range(256))
LONGEST_KEY = 64 << 10


class ValuesTest(SystemTest):
    def everywhere(self, cluster, *words):
        return [client.ask(*words) for client in self.clients(*cluster)]

    def test_every_byte_may_stand_in_a_key_and_in_a_value(self):
        server = self.redis_server()
        values = {b"k" + ALL_BYTES: ALL_BYTES, ALL_BYTES[::-1]: ALL_BYTES * 3}
        values |= {bytes([byte]): bytes([byte]) * 2 for byte in range(256)}
        server.fill(values)
        cluster = self.cluster(groups=[redis_group(server)])
        for client in self.clients(*cluster):
            self.assertEqual(client.pipeline([("GET", key) for key in values]),
                             list(values.values()))

    def test_every_byte_survives_a_set(self):
        cluster = self.cluster(groups=[plain_group()])
        clients = self.clients(*cluster)
        for byte in range(256):
            key = bytes([byte]) + b"\r\n key"
            self.assertEqual(clients[byte % 3].ask("SET", key, ALL_BYTES[byte:]), b"OK")
            self.assertEqual(clients[(byte + 1) % 3].ask("GET", key), ALL_BYTES[byte:])

    def test_an_empty_value_is_a_value_and_not_an_absence(self):
        server = self.redis_server()
        server.fill({"empty": ""})
        cluster = self.cluster(groups=[redis_group(server)])
        for _ in range(2):  # loaded, then kept
            self.assertEqual(self.everywhere(cluster, "GET", "empty"), [b""] * 3)
            self.assertEqual(self.everywhere(cluster, "GET", "absent"), [None] * 3)
        self.assertEqual(self.everywhere(cluster, "EXISTS", "empty", "absent"), [1] * 3)
        self.assertEqual(self.everywhere(cluster, "STRLEN", "empty"), [0] * 3)

    def test_the_longest_key_is_64_kib(self):
        key = b"k" * LONGEST_KEY
        cluster = self.cluster(groups=[redis_group(self.fake_redis(lambda key: key[:9]))])
        self.assertEqual(self.everywhere(cluster, "GET", key), [b"k" * 9] * 3)
        for client in self.clients(*cluster):
            self.assertIsInstance(client.ask("GET", key + b"k"), ReplyError)

    def test_a_value_larger_than_its_group_is_answered_and_not_kept(self):
        small = {f"small:{i}": b"s" * 100 for i in range(300)}
        large = ALL_BYTES * (100 * MIB // 256)
        server = self.redis_server()
        server.fill(small | {"large": large})
        cluster = self.cluster(
            "a", "b", groups=[redis_group(server, memory="64MiB", hot_sample=0)],
            server={"memory": "1GiB", "request_timeout": "60s"},
            # Under a sanitizer a loop is held for seconds by so large a value.
            cluster={"dead_after": "30s"})
        clients = self.clients(*cluster)
        clients[0].pipeline([("GET", key) for key in small])
        items = cluster.total("users", "items")
        server.reset_counters()

        for client in clients * 2:
            # Not assertEqual: nobody wants to read the difference.
            self.assertTrue(client.ask("GET", "large") == large, "the value is another")
        self.assertEqual(server.keys_read(), 4)

        server.reset_counters()
        self.assertEqual(cluster.total("users", "evictions"), 0)
        self.assertEqual(cluster.total("users", "items"), items)
        for client in clients:
            self.assertEqual(set(client.pipeline([("GET", key) for key in small])), {b"s" * 100})
        self.assertEqual(server.keys_read(), 0)


if __name__ == "__main__":
    main()
