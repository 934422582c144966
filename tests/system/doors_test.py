#!/usr/bin/python3
"""Who is let in, and what a node refuses to start with."""

import subprocess
import tempfile

import redis

from harness import toml
from harness.case import SystemTest, main
from harness.cluster import binary
from harness.groups import plain_group, redis_group
from harness.resp import Client


class UnixSocketTest(SystemTest):
    def test_answers_like_tcp(self):
        cluster = self.cluster("a", "b", groups=[redis_group(self.fake_redis())])
        for node in cluster:
            with Client(node.unix_address) as client:
                self.assertEqual(client.ask("GET", "k"), b"value of k")

    def test_is_there_again_after_a_kill(self):
        cluster = self.cluster("a", groups=[plain_group()])
        cluster[0].kill()
        cluster.start()
        with Client(cluster[0].unix_address) as client:
            self.assertEqual(client.ask("PING"), b"PONG")


class PasswordTest(SystemTest):
    def setUp(self):
        self.nodes = self.cluster("a", "b", groups=[redis_group(self.fake_redis())],
                                  server={"password": "open sesame"})

    def test_nothing_is_answered_without_it(self):
        for client in self.clients(*self.nodes):
            for words in (("GET", "k"), ("DEL", "k"), ("INFO",), ("PING",), ("CONFIG", "GET", "*")):
                self.assert_error(client.ask(*words), "NOAUTH")
            self.assert_error(client.ask("AUTH", "wrong"), "WRONGPASS")
            self.assert_error(client.ask("GET", "k"), "NOAUTH")
            self.assertEqual(client.ask("AUTH", "open sesame"), b"OK")
            self.assertEqual(client.ask("GET", "k"), b"value of k")

    def test_hello_may_carry_it(self):
        a, b = self.clients(*self.nodes)
        self.assert_error(a.ask("HELLO", "3"), "NOAUTH")
        self.assertEqual(a.ask("HELLO", "3", "AUTH", "default", "open sesame")[b"proto"], 3)
        self.assertEqual(a.ask("GET", "k"), b"value of k")
        self.assert_error(b.ask("HELLO", "3", "AUTH", "default", "wrong"), "WRONGPASS")
        self.assert_error(b.ask("GET", "k"), "NOAUTH")

    def test_clients_know_how(self):
        host, port = self.nodes[0].address.split(":")
        with redis.Redis(host=host, port=int(port), password="open sesame") as client:
            self.assertEqual(client.get("k"), b"value of k")
        with redis.Redis(host=host, port=int(port)) as client:
            with self.assertRaises(redis.AuthenticationError):
                client.get("k")


class StrangeClientsTest(SystemTest):
    def test_a_browser_is_sent_away(self):
        cluster = self.cluster("a", groups=[plain_group()])
        for line in (b"POST / HTTP/1.1\r\n", b"Host: localhost\r\n"):
            (client,) = self.clients(cluster[0])
            client.send_raw(line + b"SET k v\r\n")
            self.assertTrue(client.is_closed_by_server())
        self.assertIsNone(cluster[0].ask("GET", "k"))

    def test_clients_above_the_limit_are_refused_and_the_others_go_on(self):
        cluster = self.cluster("a", groups=[plain_group()], server={"max_clients": 5})
        clients = self.clients(*[cluster[0]] * 5)
        self.assertEqual([client.ask("PING") for client in clients], [b"PONG"] * 5)
        with cluster[0].client() as late:
            self.assert_error(late.read(), "ERR max number of clients reached")
        self.assertEqual([client.ask("PING") for client in clients], [b"PONG"] * 5)


class RefusedStartsTest(SystemTest):
    """Each node is refused: it exits with an error that names the trouble."""

    def assert_refused(self, cluster, *words):
        cluster[0].start()
        process = cluster[0].process
        self.assertNotIn(process.wait(20), (0, -9), process.log())
        for word in words:
            self.assertIn(word, process.log())

    def test_self_is_not_among_the_members(self):
        self.assert_refused(
            self.unstarted_cluster("a", "b", groups=[plain_group()], members={"a": {"b": {}}}), "a")

    def test_two_members_have_one_name(self):
        self.assert_refused(
            self.unstarted_cluster("a", "b", groups=[plain_group()],
                                   members={"a": {"a": {}, "b": {"name": "a"}}}), "a")

    def test_two_members_have_one_address(self):
        self.assert_refused(
            self.unstarted_cluster("a", "b", groups=[plain_group()], members={
                "a": {"a": {"peer": "127.0.0.1:1"}, "b": {"peer": "127.0.0.1:1"}}}), "127.0.0.1:1")

    def test_a_port_is_taken(self):
        taken = self.redis_server().address
        for own in ({"server": {"listen": [taken]}}, {"admin": {"listen": taken}},
                    {"cluster": {"listen": taken}}):
            with self.subTest(own):
                # Two members: a cluster of one opens no peer port.
                cluster = self.unstarted_cluster("a", "b", groups=[plain_group()],
                                                 nodes={"a": own})
                self.assert_refused(cluster, taken)

    def test_a_client_port_that_another_node_serves_is_taken_too(self):
        running = self.cluster("a", groups=[plain_group()])
        self.assert_refused(
            self.unstarted_cluster("a", groups=[plain_group()],
                                   nodes={"a": {"server": {"listen": [running[0].address]}}}),
            running[0].address)

    def test_a_group_without_a_name(self):
        self.assert_refused(self.unstarted_cluster("a", groups=[{"prefix": "x"}]), "name")


class ProtectedModeTest(SystemTest):
    """By `cistern check`: nothing here listens on an address that others reach."""

    def check(self, server):
        config = {"node": {"name": "a"}, "server": server}
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write(toml.dumps(config))
            file.flush()
            done = subprocess.run([binary(), "check", file.name], text=True, capture_output=True,
                                  timeout=30)
        return done.returncode, done.stdout + done.stderr

    def test_without_a_password_only_loopback_is_listened_on(self):
        code, said = self.check({"listen": ["0.0.0.0:6379"]})
        self.assertNotEqual(code, 0)
        self.assertIn("protected_mode", said)
        for address in ("127.0.0.1:6379", "unix:/tmp/cistern.sock"):
            with self.subTest(address):
                code, said = self.check({"listen": [address]})
                self.assertEqual(code, 0, said)

    def test_a_password_opens_the_other_addresses(self):
        code, said = self.check({"listen": ["0.0.0.0:6379"], "password": "x"})
        self.assertEqual(code, 0, said)

    def test_or_saying_so_in_so_many_words(self):
        code, said = self.check({"listen": ["0.0.0.0:6379"], "protected_mode": False})
        self.assertEqual(code, 0, said)


if __name__ == "__main__":
    main()
