#!/usr/bin/python3
"""Clients that misbehave cost themselves, and neither the node's memory nor the other clients."""

import time

from harness.case import SystemTest, main
from harness.groups import plain_group
from harness.misbehaving import Misbehaving, allow_files
from harness.resp import encode
from harness.waiting import eventually

MIB = 1 << 20
MEMORY = 1024 * MIB  # the default


def part_of(clients):
    """Fewer where this machine allows fewer open files."""
    return min(clients, (allow_files(15_000) - 1000) * clients // 14_000)


class MisbehavingClientsTest(SystemTest):
    def start(self, **server):
        (node,) = self.cluster("a", groups=[plain_group()],
                               server={"memory": "1GiB", "max_clients": 14_000} | server)
        return node

    def fill(self, node):
        """With entries, to the brim."""
        with node.client() as client:
            value = b"v" * 2000
            for start in range(0, 600_000, 2000):
                client.pipeline([("SET", f"k{i}", value) for i in range(start, start + 2000)])
        self.assertNotIn("evicted_keys:0\r\n", node.ask("INFO").decode())

    def use(self, node, seconds):
        """What others do meanwhile: every request is answered, and answered right."""
        with node.client() as client:
            self.assertEqual(client.ask("SET", "mine", "v"), b"OK")
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                self.assertEqual(client.ask("PING"), b"PONG")
                self.assertEqual(client.ask("GET", "mine"), b"v")
                time.sleep(0.005)

    def assert_within_memory(self, node):
        peak = node.process.most_resident_bytes()
        print(f"most resident: {peak / MEMORY:.1%} of memory", flush=True)
        self.assertLess(peak, MEMORY * 1.1)

    def assert_recovers(self, node):
        """Its clients are gone, and what they cost."""
        def is_quiet():
            stats = node.ask("INFO").decode()
            clients = int(stats.split("used_memory_clients:")[1].split()[0])
            return "connected_clients:1\r\n" in stats and clients < 1 * MIB
        eventually(is_quiet, "what the clients cost is given back")

    def test_ten_thousand_that_send_and_never_read(self):
        node = self.start()
        self.fill(node)
        with Misbehaving(node.address) as crowd:
            crowd.flood(part_of(10_000), encode("GET", "k599999"))
            self.use(node, 10)
            self.assertGreater(crowd.counts()["sent"], 0)
            self.assert_within_memory(node)
        self.assert_recovers(node)

    def test_two_thousand_that_trickle(self):
        node = self.start()
        self.fill(node)
        with Misbehaving(node.address) as crowd:
            crowd.trickle(part_of(2_000), b"*2\r\n$4\r\nECHO\r\n$1000000\r\n")
            self.use(node, 5)
            self.assertEqual(crowd.counts()["closed"], 0)  # they cost next to nothing
            self.assert_within_memory(node)
        self.assert_recovers(node)

    def test_two_hundred_that_read_a_large_reply_slowly(self):
        node = self.start()
        self.fill(node)
        with Misbehaving(node.address) as crowd, node.client() as writer:
            for number in range(200):
                # Each pins a version of its own: together three times the memory.
                value = bytes([number]) * (16 * MIB)
                eventually(lambda v=value: writer.ask("SET", "large", v) == b"OK",
                           "there is room for the next version")
                crowd.slow_readers(1, encode("GET", "large"), 64 << 10)
            self.use(node, 5)
            self.assert_within_memory(node)
        self.assert_recovers(node)

    def test_all_of_them_at_once(self):
        node = self.start()
        self.fill(node)
        with node.client() as writer:
            writer.ask("SET", "large", b"x" * (16 * MIB))
        with Misbehaving(node.address) as crowd:
            crowd.slow_readers(200, encode("GET", "large"), 64 << 10)
            crowd.trickle(part_of(2_000), b"*2\r\n$4\r\nECHO\r\n$1000000\r\n")
            crowd.flood(part_of(10_000), encode("GET", "k599999"))
            self.use(node, 10)
            self.assert_within_memory(node)
        self.assert_recovers(node)


class UnauthenticatedTest(SystemTest):
    """Who has not said who it is raises the memory of a node by 64 MiB at most."""

    def test_ten_thousand_of_them(self):
        (node,) = self.cluster("a", groups=[plain_group()],
                               server={"password": "secret", "max_clients": 14_000})
        with node.client() as known:
            self.assertEqual(known.ask("AUTH", "secret"), b"OK")
            before = node.process.most_resident_bytes()
            largest = b"x" * 16384
            held = b"*10\r\n" + b"".join(b"$16384\r\n%b\r\n" % largest for _ in range(9))
            with Misbehaving(node.address) as crowd:
                crowd.flood(part_of(5_000), encode("PING"))
                crowd.flood(part_of(5_000), b"x", first=held + b"$16384\r\n")
                end = time.monotonic() + 8
                while time.monotonic() < end:
                    self.assertEqual(known.ask("PING"), b"PONG")
                    time.sleep(0.005)
                with node.client() as late:
                    self.assertEqual(late.ask("AUTH", "secret"), b"OK")
                raised = node.process.most_resident_bytes() - before
                print(f"raised by {raised / MIB:.1f} MiB", flush=True)
                self.assertLess(raised, 64 * MIB)


if __name__ == "__main__":
    main()
