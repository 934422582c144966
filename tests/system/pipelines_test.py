#!/usr/bin/python3
"""Pipelines: replies in the requests' order, and a write between reads is where it stands."""

import threading

from harness.case import SystemTest, main
from harness.groups import plain_group, redis_group
from harness.resp import encode


class PipelinesTest(SystemTest):
    def test_replies_keep_the_order_of_hits_misses_and_errors(self):
        fake = self.fake_redis(delay_s=0.05)
        cluster = self.cluster(groups=[redis_group(fake)])
        (client,) = self.clients(cluster[0])
        client.pipeline([("GET", f"warm:{i}") for i in range(50)])
        requests, expected = [], []
        for i in range(50):
            requests += [("GET", f"cold:{i}"), ("ECHO", f"echo {i}"), ("GET", f"warm:{i}")]
            expected += [b"value of cold:%d" % i, b"echo %d" % i, b"value of warm:%d" % i]
        self.assertEqual(client.pipeline(requests), expected)

    def test_a_pipeline_of_misses_waits_for_the_backend_once(self):
        fake = self.fake_redis()
        cluster = self.cluster("a", groups=[redis_group(fake)])
        (client,) = self.clients(cluster[0])
        client.pipeline([("GET", f"cold:{i}") for i in range(100)])
        # All keys of one turn of the loop share a query; the reader may have cut the pipeline.
        self.assertLess(fake.queries(), 50)
        self.assertEqual(fake.asked_in_all(), 100)

    def test_hits_of_other_connections_do_not_wait_for_a_miss(self):
        fake = self.fake_redis()
        cluster = self.cluster("a", groups=[redis_group(fake)])
        waiting, other = self.clients(cluster[0], cluster[0])
        other.ask("GET", "warm")
        fake.park()
        waiting.send("GET", "cold")
        fake.wait_until_asked("cold")
        self.assertEqual(other.ask("GET", "warm"), b"value of warm")
        fake.release()
        self.assertEqual(waiting.read(), b"value of cold")

    def test_a_get_after_a_del_in_one_pipeline_reads_the_new(self):
        numbers = iter(range(1 << 30))
        lock = threading.Lock()

        def next_value(key):
            with lock:
                return b"%d" % next(numbers)

        cluster = self.cluster(groups=[redis_group(self.fake_redis(next_value), hot_sample=1)])
        clients = self.clients(*cluster)
        for turn in range(60):
            client = clients[turn % 3]
            old = int(client.ask("GET", "k"))
            deleted, new = client.pipeline([("DEL", "k"), ("GET", "k")])
            self.assertIsInstance(deleted, int)
            self.assertGreater(int(new), old)

    def test_a_get_before_a_set_in_one_pipeline_does_not_read_it(self):
        cluster = self.cluster(groups=[plain_group()])
        for number, client in enumerate(self.clients(*cluster) * 20):
            key = f"k{number}"
            self.assertEqual(
                client.pipeline([("GET", key), ("SET", key, "x"), ("GET", key), ("DEL", key),
                                 ("GET", key)]),
                [None, b"OK", b"x", 1, None])

    def test_mget_keeps_the_order_of_its_keys(self):
        fake = self.fake_redis(lambda key: None if key.startswith(b"no") else key * 2)
        cluster = self.cluster(groups=[redis_group(fake)])
        for client in self.clients(*cluster):
            for _ in range(2):
                keys = [f"{kind}{i}" for i in range(40) for kind in ("k", "no")]
                expected = [None if key.startswith("no") else key.encode() * 2 for key in keys]
                self.assertEqual(client.ask("MGET", *keys), expected)

    def test_mget_answers_one_error_when_a_key_fails(self):
        fake = self.fake_redis(
            lambda key: RuntimeError("ERR out of order") if key == b"bad" else b"v")
        cluster = self.cluster("a", groups=[redis_group(fake)])
        (client,) = self.clients(cluster[0])
        self.assert_error(client.ask("MGET", "good", "bad"), "BACKEND users: ")

    def test_a_request_that_arrives_in_pieces_is_one_request(self):
        cluster = self.cluster("a", groups=[redis_group(self.fake_redis())])
        (client,) = self.clients(cluster[0])
        for byte in encode("GET", "k"):
            client.send_raw(bytes([byte]))
        self.assertEqual(client.read(), b"value of k")

    def test_a_bad_request_gets_its_error_after_the_replies_before_it(self):
        cluster = self.cluster("a", groups=[redis_group(self.fake_redis(delay_s=0.05))])
        (client,) = self.clients(cluster[0])
        client.send_raw(encode("GET", "cold") + b"*1\r\n$x\r\n")
        self.assertEqual(client.read(), b"value of cold")
        self.assert_error(client.read(), "ERR Protocol error")
        self.assertTrue(client.is_closed_by_server())


if __name__ == "__main__":
    main()
