#!/usr/bin/python3
"""TLS at the client ports and between the nodes."""

import signal
import ssl
import subprocess
import tempfile

import redis

from harness import toml
from harness.case import SystemTest, main
from harness.certificates import Authority
from harness.cluster import binary
from harness.groups import plain_group, redis_group
from harness.ports import ReservedPort
from harness.resp import Client
from harness.waiting import eventually


class TlsTest(SystemTest):
    @classmethod
    def setUpClass(cls):
        cls.authority = Authority("the authority")
        cls.stranger = Authority("a stranger")
        cls.addClassCleanup(cls.authority.remove)
        cls.addClassCleanup(cls.stranger.remove)

    def tls_port(self):
        port = ReservedPort()
        self.addCleanup(port.release)
        return port

    def tls_node(self, port, *plain, **rows):
        """A node that serves TLS at `port`, and without it at the addresses `plain`."""
        server = {"listen": [f"tls:{port.address}", *plain],
                  "tls": self.authority.issue("server") | rows}
        return self.cluster("a", groups=[plain_group()], nodes={"a": {"server": server}})[0]

    def connect(self, port, own=None):
        """A client that trusts the authority and, where it has one, shows its certificate."""
        context = ssl.create_default_context(cafile=self.authority.ca)
        context.check_hostname = False
        if own:
            context.load_cert_chain(own["cert"], own["key"])
        client = Client(port.address)
        self.addCleanup(client.close)
        client._input.close()
        client.socket = context.wrap_socket(client.socket)
        client._input = client.socket.makefile("rb", buffering=1 << 16)
        return client

    @staticmethod
    def read_to_end(client):
        try:
            return client._input.read()
        except ConnectionResetError:
            return b""

    @staticmethod
    def redis_cli(port, *words):
        done = subprocess.run(
            ["redis-cli", "-h", "127.0.0.1", "-p", str(port.number), *map(str, words)],
            capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL)
        return (done.stdout + done.stderr).strip()


class ClientPortTest(TlsTest):
    def test_redis_cli_and_redis_py_speak_it(self):
        port = self.tls_port()
        self.tls_node(port)
        tls = ("--tls", "--cacert", self.authority.ca)
        self.assertEqual(self.redis_cli(port, *tls, "SET", "k", "v"), "OK")
        self.assertEqual(self.redis_cli(port, *tls, "GET", "k"), "v")
        with redis.Redis(port=port.number, ssl=True, ssl_ca_certs=str(self.authority.ca),
                         ssl_check_hostname=False) as client:
            self.assertEqual(client.get("k"), b"v")

    def test_a_client_that_trusts_another_authority_does_not(self):
        port = self.tls_port()
        self.tls_node(port)
        said = self.redis_cli(port, "--tls", "--cacert", self.stranger.ca, "PING")
        self.assertIn("certificate verify failed", said)

    def test_plain_and_tls_clients_are_served_side_by_side(self):
        port, plain = self.tls_port(), self.tls_port()
        self.tls_node(port, plain.address)
        with self.connect(port) as secret, Client(plain.address) as open_one:
            self.assertEqual(secret.ask("SET", "k", "v"), b"OK")
            self.assertEqual(open_one.ask("GET", "k"), b"v")

    def test_large_values_and_deep_pipelines_stay_whole(self):
        port = self.tls_port()
        self.tls_node(port)
        client = self.connect(port)
        large = bytes(range(256)) * (5 * 4096)
        self.assertEqual(client.ask("SET", "large", large), b"OK")
        self.assertEqual(client.ask("GET", "large"), large)
        client.pipeline([("SET", f"k{i}", f"v{i}") for i in range(10000)])
        got = client.pipeline([("GET", f"k{i}") for i in range(10000)])
        self.assertEqual(got, [b"v%d" % i for i in range(10000)])

    def test_whoever_speaks_no_tls_or_an_old_one_is_closed_and_counted(self):
        port = self.tls_port()
        node = self.tls_node(port)
        with Client(port.address) as client:
            client.send("PING")
            self.assertNotIn(b"PONG", self.read_to_end(client))
        old = subprocess.run(
            ["openssl", "s_client", "-connect", port.address, "-tls1_1",
             "-cipher", "DEFAULT@SECLEVEL=0"], capture_output=True, timeout=30,
            stdin=subprocess.DEVNULL)
        self.assertNotEqual(old.returncode, 0)
        both = 'cistern_clients_closed_total{reason="tls"} 2\n'
        eventually(lambda: both in node.admin("/metrics")[1], "both are counted")

    def test_a_client_that_stays_silent_is_closed(self):
        port = self.tls_port()
        self.tls_node(port, handshake_timeout="100ms")
        with Client(port.address) as client:
            self.assertEqual(self.read_to_end(client), b"")


class ClientCertificateTest(TlsTest):
    def test_required_it_must_be_there_and_of_the_authority(self):
        port = self.tls_port()
        self.tls_node(port, client_auth="yes")
        mine = self.authority.issue("client")
        theirs = self.stranger.issue("client")
        tls = ("--tls", "--cacert", self.authority.ca)
        self.assertEqual(self.redis_cli(port, *tls, "--cert", mine["cert"], "--key", mine["key"],
                                        "PING"), "PONG")
        for more in ((), ("--cert", theirs["cert"], "--key", theirs["key"])):
            self.assertNotIn("PONG", self.redis_cli(port, *tls, *more, "PING"))

    def test_optional_it_may_be_missing_but_not_foreign(self):
        port = self.tls_port()
        self.tls_node(port, client_auth="optional")
        theirs = self.stranger.issue("client")
        tls = ("--tls", "--cacert", self.authority.ca)
        self.assertEqual(self.redis_cli(port, *tls, "PING"), "PONG")
        self.assertNotIn("PONG", self.redis_cli(port, *tls, "--cert", theirs["cert"],
                                                "--key", theirs["key"], "PING"))


class ReloadTest(TlsTest):
    @staticmethod
    def serial(client):
        return client.socket.getpeercert()["serialNumber"]

    def test_new_clients_see_the_new_certificate_and_old_ones_stay(self):
        port = self.tls_port()
        node = self.tls_node(port)
        before = self.connect(port)
        self.assertEqual(before.ask("SET", "k", "v"), b"OK")
        self.authority.issue("server")
        node.process.signal(signal.SIGHUP)
        eventually(lambda: "server.tls: from now on" in node.process.log(), "it is reloaded")
        after = self.connect(port)
        self.assertNotEqual(self.serial(after), self.serial(before))
        self.assertEqual(after.ask("GET", "k"), b"v")
        self.assertEqual(before.ask("GET", "k"), b"v")

    def test_what_cannot_be_read_changes_nothing_and_is_told(self):
        port = self.tls_port()
        node = self.tls_node(port)
        before = self.connect(port)
        key = self.authority.folder / "server.key"
        key.write_text("no key")
        node.process.signal(signal.SIGHUP)
        eventually(lambda: f"server.tls: {key}: holds no private key" in node.process.log(),
                   "the log names the file")
        after = self.connect(port)
        self.assertEqual(self.serial(after), self.serial(before))
        self.assertEqual(after.ask("PING"), b"PONG")


class PeerTest(TlsTest):
    def test_three_nodes_with_certificates_are_a_cluster(self):
        names = ("a", "b", "c")
        nodes = {name: {"cluster": {"tls": self.authority.issue(name)}} for name in names}
        cluster = self.cluster(*names, groups=[redis_group(self.redis_server())],
                               cluster={"secret": ""}, nodes=nodes)
        clients = self.clients(*cluster)
        for i in range(30):
            self.assertEqual([client.ask("GET", f"k{i}") for client in clients], [None] * 3)
        self.assertGreater(cluster.total("users", "peer_loads"), 0)
        lost = cluster.logs().count("is not connected")  # some began before others
        for name in names:
            self.authority.issue(name)
            cluster[name].process.signal(signal.SIGHUP)
            eventually(lambda: "cluster.tls: from now on" in cluster[name].process.log(),
                       "it is reloaded")
        for i in range(30):
            self.assertEqual([client.ask("DEL", f"k{i}") for client in clients], [0] * 3)
        self.assertEqual(cluster.logs().count("is not connected"), lost)

        # A node that comes back connects with what it read last, to nodes that read it last.
        cluster["c"].kill()
        cluster["c"].start()
        eventually(cluster["c"].is_ready, "node c is there again")
        with cluster["c"].client() as client:
            self.assertEqual(client.ask("DEL", "k1"), 0)

    def test_a_node_with_a_foreign_certificate_is_refused(self):
        nodes = {name: {"cluster": {"tls": self.authority.issue(name)}} for name in ("a", "b")}
        foreign = self.stranger.issue("c") | {"ca": str(self.authority.ca)}
        nodes["c"] = {"cluster": {"tls": foreign}}
        cluster = self.unstarted_cluster("a", "b", "c", groups=[redis_group(self.redis_server())],
                                         nodes=nodes)
        # Only the first failure of a link is told, so c has to be there when it is dialled.
        cluster["c"].start()
        eventually(lambda: "serves clients" in cluster["c"].process.log(), "c is there")
        for name in ("a", "b"):
            cluster[name].start()
        for name in ("a", "b"):
            log = cluster[name].process.log
            eventually(lambda: "certificate verify failed" in log(), f"{name} refuses c")
            eventually(lambda: "node 'c' is not connected: TLS: " in log(), f"{name} says so")
            self.assertNotIn("node 'c' is connected", log())
        eventually(lambda: "node 'b' is connected" in cluster["a"].process.log(), "a knows b")
        self.assertNotIn(" is connected", cluster["c"].process.log())

    def test_a_node_without_tls_is_refused(self):
        cluster = self.unstarted_cluster(
            "a", "b", groups=[plain_group()],
            nodes={"a": {"cluster": {"tls": self.authority.issue("a")}}})
        for name in ("b", "a"):
            cluster[name].start()
            eventually(lambda: "serves clients" in cluster[name].process.log(), "it is there")
        eventually(lambda: "node 'b' is not connected: TLS: " in cluster["a"].process.log(),
                   "a finds no TLS at b")
        eventually(lambda: "node 'a' is not connected" in cluster["b"].process.log(),
                   "b is closed by a")


class CheckTest(TlsTest):
    """`cistern check`, which opens no port, says what is wrong with the files."""

    def check(self, table, rows, **server):
        config = {"node": {"name": "a"}, "server": server}
        config.setdefault(table, {})["tls"] = rows
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write(toml.dumps(config))
            file.flush()
            done = subprocess.run([binary(), "check", file.name], text=True, capture_output=True,
                                  timeout=30)
        return done.returncode, done.stdout + done.stderr

    def test_each_bad_file_is_named(self):
        good = self.authority.issue("node")
        other = self.authority.issue("other")
        listen = ["tls:127.0.0.1:6380"]
        for table, server in (("server", {"listen": listen}), ("cluster", {})):
            self.assertEqual(self.check(table, good, **server), (0, ""))
            for row, path, why in (
                    ("cert", "/no/such.pem", "No such file or directory"),
                    ("key", other["key"], "is not the key of the certificate"),
                    ("ca", other["key"], "holds no certificate in PEM form")):
                with self.subTest(table=table, row=row):
                    code, said = self.check(table, good | {row: path}, **server)
                    self.assertEqual(code, 1)
                    self.assertIn(f"{table}.tls.{row}: {path}: {why}", said)

    def test_certificates_of_clients_protect_as_a_password_does(self):
        rows = self.authority.issue("node")
        listen = ["tls:0.0.0.0:6380"]
        for client_auth, code in (("yes", 0), ("optional", 1), ("no", 1)):
            with self.subTest(client_auth):
                got, said = self.check("server", rows | {"client_auth": client_auth}, listen=listen)
                self.assertEqual(got, code, said)


if __name__ == "__main__":
    main()
