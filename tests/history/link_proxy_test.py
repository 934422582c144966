#!/usr/bin/python3
"""The proxy between nodes: which connections its rules are for, and what they do."""

import pathlib
import socket
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "system")]

from harness.ports import ReservedPort  # noqa: E402
from rig.link_proxy import PASS, LinkProxy, Rule, kind_of_hello  # noqa: E402


def hello(kind):
    """The bytes of Frame{epoch, hello{identity{}, kind, nonce}} with their length in front."""
    body = bytes([10, 0, 16, kind, 26, 3]) + b"non"
    frame = bytes([17]) + bytes(8) + bytes([66, len(body)]) + body
    return bytes([len(frame)]) + frame


CONTROL, DATA = hello(1), hello(2)


class Hellos(unittest.TestCase):
    def test_the_kind_is_in_the_first_frame(self):
        self.assertEqual(kind_of_hello(CONTROL), "control")
        self.assertEqual(kind_of_hello(DATA + b"and more"), "data")

    def test_it_is_waited_for(self):
        for length in range(len(CONTROL)):
            self.assertIsNone(kind_of_hello(CONTROL[:length]))


class LinkProxyTest(unittest.TestCase):
    def setUp(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.server.settimeout(20)
        self.addCleanup(self.server.close)
        self.proxy = LinkProxy({("a", "b"): "127.0.0.1:%d" % self.server.getsockname()[1]})
        self.addCleanup(self.proxy.stop)

    def dial(self, first):
        host, port = self.proxy.addresses["a", "b"].rsplit(":", 1)
        dialler = socket.create_connection((host, int(port)), 20)
        self.addCleanup(dialler.close)
        dialler.sendall(first)
        return dialler

    def connect(self, first=CONTROL):
        """Both ends; the first frame has passed."""
        dialler = self.dial(first)
        dialled, _ = self.server.accept()
        dialled.settimeout(20)
        self.addCleanup(dialled.close)
        self.assertEqual(self.read(dialled, len(first)), first)
        return dialler, dialled

    def read(self, connection, size):
        data = b""
        while len(data) < size:
            more = connection.recv(size - len(data))
            self.assertNotEqual(more, b"", "the connection was closed")
            data += more
        return data

    def pass_through(self, sender, receiver, data=b"x"):
        """How long it took."""
        begin = time.monotonic()
        sender.sendall(data)
        self.assertEqual(self.read(receiver, len(data)), data)
        return time.monotonic() - begin

    def assert_closed(self, connection):
        try:
            self.assertEqual(connection.recv(1), b"")
        except ConnectionResetError:
            pass

    def test_bytes_pass_both_ways(self):
        dialler, dialled = self.connect()
        self.pass_through(dialler, dialled, b"y" * 300_000)
        self.pass_through(dialled, dialler, b"z" * 300_000)

    def test_a_delay_is_of_one_direction_and_one_kind(self):
        control, data = self.connect(CONTROL), self.connect(DATA)
        self.proxy.set_rule("a", "b", "control", "forth", Rule(delay=0.3))
        self.assertGreaterEqual(self.pass_through(control[0], control[1]), 0.3)
        self.pass_through(control[1], control[0])
        self.pass_through(*data)
        self.proxy.set_rule("a", "b", "control", "forth", PASS)
        self.pass_through(control[0], control[1])

    def test_what_is_held_comes_when_it_is_let_go_and_in_order(self):
        dialler, dialled = self.connect()
        self.proxy.set_rule("a", "b", "control", "back", Rule(held=True))
        dialled.sendall(b"1")
        dialler.settimeout(0.2)
        with self.assertRaises(TimeoutError):
            dialler.recv(1)
        dialler.settimeout(20)
        self.proxy.set_rule("a", "b", "control", "back", PASS)
        dialled.sendall(b"2")
        self.assertEqual(self.read(dialler, 2), b"12")

    def test_a_reset_ends_connections_and_new_ones_are_made(self):
        dialler, dialled = self.connect()
        other, other_end = self.connect(DATA)
        self.proxy.reset("a", "b", "control")
        self.assert_closed(dialler)
        self.assert_closed(dialled)
        self.pass_through(other, other_end)
        self.connect()

    def test_what_is_refused_is_closed_at_once_until_the_rule_goes(self):
        dialler, _ = self.connect()
        self.proxy.set_rule("a", "b", "control", "forth", Rule(refused=True))
        self.assert_closed(dialler)
        self.assert_closed(self.dial(CONTROL))
        self.connect(DATA)
        self.proxy.set_rule("a", "b", "control", "forth", PASS)
        self.connect()

    def test_an_end_passes_too(self):
        dialler, dialled = self.connect()
        dialled.close()
        self.assert_closed(dialler)

    def test_who_is_not_there_cannot_be_reached(self):
        port = ReservedPort()
        self.addCleanup(port.release)
        self.proxy = LinkProxy({("a", "b"): port.address})
        self.addCleanup(self.proxy.stop)
        self.assert_closed(self.dial(CONTROL))


if __name__ == "__main__":
    unittest.main()
