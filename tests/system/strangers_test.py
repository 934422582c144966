#!/usr/bin/python3
"""Strangers at the doors: a thousand connections that never say who they are cost little memory,
keep no file open, and hold up neither peers nor clients."""

import contextlib
import os
import resource

from harness.case import SystemTest, main
from harness.groups import redis_group
from harness.resp import connect
from harness.waiting import eventually

STRANGERS = 1000
MORE_MEMORY = 64 << 20
SANITIZED = bool(os.environ.get("CISTERN_SANITIZE"))


def raise_open_files():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4 * STRANGERS
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def varint(number):
    encoded = b""
    while number >= 0x80:
        encoded += bytes([number & 0x7F | 0x80])
        number >>= 7
    return encoded + bytes([number])


def send_what_is_taken(connection, data):
    """What the kernel and the node take, and nothing is waited for."""
    connection.setblocking(False)
    with contextlib.suppress(OSError):
        while data:
            data = data[connection.send(data):]


class StrangersTest(SystemTest):
    def setUp(self):
        raise_open_files()
        self.nodes = self.cluster("a", "b", groups=[redis_group(self.fake_redis())],
                                  server={"password": "open sesame"})
        for node in self.nodes:
            self.assert_works(node)
        self.process = self.nodes["a"].process
        self.files = self.process.open_files()
        self.memory = self.process.resident_bytes()

    def assert_works(self, node):
        with node.client() as client:
            self.assertEqual(client.ask("AUTH", "open sesame"), b"OK")
            for key in range(20):  # of both nodes
                self.assertEqual(client.ask("GET", key), b"value of %d" % key)
                self.assertEqual(client.ask("DEL", key), 1)

    def attack(self, address, data):
        """All of them at once, while the others go on."""
        with contextlib.ExitStack() as stack:
            for _ in range(STRANGERS):
                with contextlib.suppress(OSError):
                    connection = stack.enter_context(connect(address, 30))
                    send_what_is_taken(connection, data)
            for node in self.nodes:
                self.assert_works(node)
            if not SANITIZED:
                self.assertLess(self.process.resident_bytes() - self.memory, MORE_MEMORY)
        eventually(lambda: self.process.open_files() <= self.files + 2, "files are closed")
        for node in self.nodes:
            self.assert_works(node)
            self.assertTrue(node.is_ready())

    def test_frames_of_512_kib_at_the_peer_port(self):
        self.attack(self.nodes["a"].peer_address, varint(512 << 10) + b"\x42" * (500 << 10))

    def test_the_longest_frames_that_are_taken_at_the_peer_port(self):
        # A hello of an unknown field, nearly whole.
        self.attack(self.nodes["a"].peer_address, varint(15 << 10) + b"\x42" * (14 << 10))

    def test_silence_at_the_peer_port(self):
        self.attack(self.nodes["a"].peer_address, b"")


if __name__ == "__main__":
    main()
