#!/usr/bin/python3
"""Nodes are stopped and started one after the other, and nobody gets an error."""

import threading
import time

from harness.case import SystemTest, main
from harness.groups import redis_group
from harness.resp import Client, encode
from harness.waiting import eventually

KEYS = [b"key %d" % number for number in range(500)]
PIPELINE = b"".join(encode("GET", key) for key in KEYS[:16])


class Load(threading.Thread):
    """GETs on connections to one node, one after the other, until told to stop."""

    def __init__(self, node, start):
        super().__init__(daemon=True)
        self._node = node
        self._next = start
        self._stopping = threading.Event()
        self._wrong = []
        self.answered = 0
        self.start()

    def run(self):
        client = Client(self._node.address)
        while not self._stopping.is_set():
            self._next = (self._next + 7) % len(KEYS)
            key = KEYS[self._next]
            try:
                reply = client.ask("GET", key)
            except OSError as error:
                reply = error
            if reply != b"value of " + key:
                self._wrong.append((time.monotonic(), key, repr(reply)))
                return
            self.answered += 1
        client.close()

    def wrong(self):
        self._stopping.set()
        self.join()
        return self._wrong


class RollingRestartTest(SystemTest):
    def start(self):
        self.fake = self.fake_redis()
        return self.cluster("a", "b", "c",
                            groups=[redis_group(self.fake, ttl="200ms", hot_sample=10)])

    def test_clients_of_the_other_nodes_see_no_error(self):
        cluster = self.start()
        for node in cluster:
            loads = [Load(other, start) for other in cluster if other is not node
                     for start in range(4)]
            for act in (node.stop, node.start):
                moved = [load.answered for load in loads]
                act()
                eventually(lambda: all(load.answered > before + 100
                                       for load, before in zip(loads, moved)), "clients go on")
            eventually(node.is_ready, "the node is back")
            for load in loads:
                self.assertEqual(load.wrong(), [])

    def test_clients_of_the_stopping_node_see_closed_connections_only_between_replies(self):
        cluster = self.start()
        node = cluster["a"]
        expected = b"".join(b"$%d\r\nvalue of %b\r\n" % (9 + len(key), key) for key in KEYS[:16])
        clients = self.clients(*[node] * 8)
        received = [b""] * len(clients)

        def run(index):
            connection = clients[index].socket
            try:
                while True:
                    connection.sendall(PIPELINE)
                    while data := connection.recv(1 << 16):
                        received[index] += data
                        if len(received[index]) % len(expected) == 0:
                            break
                    if not data:
                        return
            except OSError:
                return

        threads = [threading.Thread(target=run, args=(index,)) for index in range(len(clients))]
        for thread in threads:
            thread.start()
        eventually(lambda: all(received), "all have been answered")
        self.assertEqual(node.stop(), 0)
        for thread in threads:
            thread.join()
        for data in received:
            rest = data[len(data) // len(expected) * len(expected):]
            # A pipeline may have been cut, but between two of its replies.
            self.assertTrue(expected.startswith(rest))
            self.assertTrue(rest == b"" or rest.endswith(b"\r\n") and rest.count(b"\r\n") % 2 == 0,
                            rest[-40:])


if __name__ == "__main__":
    main()
