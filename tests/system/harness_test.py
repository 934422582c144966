#!/usr/bin/python3
"""The harness itself: a fake that lies would prove anything."""

import tempfile
import tomllib
import unittest

from harness import toml
from harness.case import SystemTest, main
from harness.ports import ReservedPort
from harness.resp import Client, ReplyError


class RedisServerTest(SystemTest):
    def test_counts_the_keys_that_readers_looked_up(self):
        server = self.redis_server()
        server.fill({"a": "1", "b": "2"})
        server.reset_counters()
        with server.client() as client:
            self.assertEqual(client.ask("MGET", "a", "b", "missing"), [b"1", b"2", None])
        self.assertEqual(server.keys_read(), 3)

    def test_is_gone_when_stopped(self):
        server = self.redis_server()
        server.stop()
        with self.assertRaises(OSError):
            Client(server.address)


class ClientTest(SystemTest):
    def test_returns_errors_and_keeps_the_order_of_a_pipeline(self):
        with self.redis_server().client() as client:
            replies = client.pipeline([("SET", "k", b"\x00\r\n\xff"), ("INCR", "k"), ("GET", "k")])
        self.assertEqual(replies[0], b"OK")
        self.assertIsInstance(replies[1], ReplyError)
        self.assertEqual(replies[2], b"\x00\r\n\xff")

    def test_speaks_over_a_unix_socket(self):
        with tempfile.TemporaryDirectory() as folder:
            self.redis_server("--unixsocket", f"{folder}/sock")
            with Client(f"unix:{folder}/sock") as client:
                self.assertEqual(client.ask("PING"), b"PONG")


class FakeRedisTest(SystemTest):
    def test_counts_keys_and_queries(self):
        fake = self.fake_redis(lambda key: None if key == b"none" else b"v")
        with Client(fake.address) as client:
            self.assertEqual(client.ask("GET", "a"), b"v")
            self.assertEqual(client.ask("MGET", "a", "none"), [b"v", None])
        self.assertEqual(fake.asked_keys(), {b"a": 2, b"none": 1})
        self.assertEqual((fake.asked_in_all(), fake.queries()), (3, 2))

    def test_answers_an_exception_as_an_error(self):
        fake = self.fake_redis(lambda key: RuntimeError("LOADING wait"))
        with Client(fake.address) as client:
            self.assertEqual(client.ask("GET", "a"), ReplyError("LOADING wait"))

    def test_a_parked_answer_is_what_was_known_when_it_was_asked(self):
        values = {b"k": b"old"}
        fake = self.fake_redis(values.get)
        fake.park()
        with Client(fake.address) as client:
            client.send("GET", "k")
            fake.wait_until_asked("k")
            values[b"k"] = b"new"
            fake.release()
            self.assertEqual(client.read(), b"old")
            self.assertEqual(client.ask("GET", "k"), b"new")

    def test_pings_pass_while_values_are_parked(self):
        fake = self.fake_redis()
        fake.park()
        with Client(fake.address) as client:
            self.assertEqual(client.ask("PING"), b"PONG")

    def test_comes_back_on_the_same_port(self):
        fake = self.fake_redis()
        with Client(fake.address) as client:
            client.ask("PING")
            fake.go_down()
            self.assertTrue(client.is_closed_by_server())
        with self.assertRaises(OSError):
            Client(fake.address)
        fake.come_back()
        with Client(fake.address) as client:
            self.assertEqual(client.ask("GET", "a"), b"value of a")


class ReservedPortTest(unittest.TestCase):
    def test_no_two_are_the_same_while_they_live(self):
        ports = [ReservedPort() for _ in range(200)]
        self.assertEqual(len({port.number for port in ports}), 200)
        for port in ports:
            port.release()


class TomlTest(unittest.TestCase):
    def test_what_is_written_is_what_is_read(self):
        config = {
            "node": {"name": 'quote " backslash \\'},
            "server": {"listen": ["a", "b"], "protected_mode": False, "hot_share": 0.125},
            "cluster": {"nodes": [{"name": "a", "weight": 1}, {"name": "b", "weight": 2}]},
            "group": [{"name": "x", "backend": {"type": "none"}}, {"name": "y", "ttl": "1s"}],
        }
        self.assertEqual(tomllib.loads(toml.dumps(config)), config)


if __name__ == "__main__":
    main()
