#!/usr/bin/python3
"""Redis's own clients, as they are: redis-cli and redis-py."""

import subprocess

import redis

from harness.case import SystemTest, main
from harness.groups import plain_group, redis_group
from harness.waiting import eventually


def redis_cli(node, *words):
    host, port = node.address.split(":")
    return subprocess.run(["redis-cli", "-h", host, "-p", port, *words], text=True,
                          capture_output=True, check=True, timeout=30).stdout


def redis_py(node, **options):
    host, port = node.address.split(":")
    return redis.Redis(host=host, port=int(port), **options)


class RedisCliTest(SystemTest):
    def test_asks_and_is_answered(self):
        cluster = self.cluster(groups=[redis_group(self.fake_redis(
            lambda key: None if key == b"none" else b"v"))])
        for node in cluster:
            self.assertEqual(redis_cli(node, "--no-raw", "GET", "k"), '"v"\n')
            self.assertEqual(redis_cli(node, "--no-raw", "GET", "none"), "(nil)\n")
            self.assertEqual(redis_cli(node, "--no-raw", "DEL", "none"), "(integer) 0\n")
            self.assertEqual(redis_cli(node, "--no-raw", "SET", "k", "x")[:16], "(error) NOWRITE ")
            self.assertIn("redis_version:7.4.0", redis_cli(node, "INFO"))
            self.assertIn("unknown command", redis_cli(node, "NONSENSE", "k"))

    def test_speaks_resp3(self):
        (node,) = self.cluster("a", groups=[plain_group()])
        self.assertEqual(redis_cli(node, "-3", "--no-raw", "GET", "none"), "(nil)\n")
        hello = redis_cli(node, "-3", "HELLO", "3")
        self.assertIn("proto", hello)

    def test_reads_a_script_of_commands(self):
        (node,) = self.cluster("a", groups=[plain_group()])
        host, port = node.address.split(":")
        script = "".join(f"SET k{i} v{i}\n" for i in range(500))
        piped = subprocess.run(["redis-cli", "-h", host, "-p", port, "--pipe"], input=script,
                               text=True, capture_output=True, check=True, timeout=30).stdout
        self.assertIn("errors: 0, replies: 500", piped)


class RedisPyTest(SystemTest):
    def test_reads_what_the_backend_has(self):
        server = self.redis_server()
        server.fill({f"user:{i}": f"value {i}" for i in range(100)})
        cluster = self.cluster(groups=[redis_group(server)])
        for node in cluster:
            with redis_py(node) as client:
                self.assertTrue(client.ping())
                self.assertEqual(client.get("user:1"), b"value 1")
                self.assertIsNone(client.get("user:none"))
                self.assertEqual(client.mget(["user:2", "user:none"]), [b"value 2", None])
                self.assertEqual(client.exists("user:3", "user:none"), 1)
                self.assertEqual(client.strlen("user:4"), 7)
                self.assertEqual(client.type("user:5"), b"string")
                with self.assertRaisesRegex(redis.ResponseError, "NOWRITE"):
                    client.set("user:1", "x")

    def test_writes_where_writes_are_taken(self):
        cluster = self.cluster(groups=[plain_group()])
        clients = [redis_py(node, decode_responses=True) for node in cluster]
        a, b, c = clients
        self.assertTrue(a.set("k", "1"))
        self.assertEqual([client.get("k") for client in clients], ["1"] * 3)
        self.assertIsNone(b.set("k", "2", nx=True))
        self.assertTrue(b.set("k", "3", xx=True))
        self.assertIsNone(b.set("none", "3", xx=True))
        self.assertTrue(c.set("k", "4", ex=100))
        self.assertTrue(0 < a.ttl("k") <= 100)
        self.assertTrue(0 < a.pttl("k") <= 100_000)
        self.assertEqual(c.delete("k", "none"), 1)
        self.assertEqual([client.get("k") for client in clients], [None] * 3)
        self.assertEqual(a.ttl("k"), -2)
        for client in clients:
            client.close()

    def test_a_written_value_expires(self):
        cluster = self.cluster(groups=[plain_group()])
        with redis_py(cluster[0]) as a, redis_py(cluster[1]) as b:
            a.set("k", "v", px=150)
            self.assertIn(b.get("k"), (b"v", None))
            for client in (b, a):
                eventually(lambda client=client: client.get("k") is None, "k has expired")

    def test_pipelines_and_connection_commands(self):
        (node,) = self.cluster("a", groups=[plain_group()])
        with redis_py(node, client_name="tester") as client:
            pipeline = client.pipeline(transaction=False)
            for i in range(200):
                pipeline.set(f"k{i}", i).get(f"k{i}")
            replies = pipeline.execute()
            self.assertEqual(replies[1::2], [b"%d" % i for i in range(200)])
            self.assertEqual(client.dbsize(), 200)
            self.assertEqual(client.client_getname(), "tester")
            self.assertEqual(client.echo("x"), b"x")
            self.assertEqual(len(client.time()), 2)
            self.assertGreater(client.command_count(), 20)
            self.assertEqual(client.info("server")["redis_version"], "7.4.0")
            self.assertIn("maxmemory", client.config_get("maxmemory"))


if __name__ == "__main__":
    main()
