#!/usr/bin/python3
"""SIGTERM: what is in flight is answered, then the node is gone, with exit code 0."""

import signal

from harness.case import SystemTest, main
from harness.groups import plain_group, redis_group
from harness.resp import Client
from harness.waiting import eventually


class ShutdownTest(SystemTest):
    def test_idle_connections_do_not_hold_it_up(self):
        cluster = self.cluster(groups=[plain_group()], server={"drain_timeout": "60s"})
        self.clients(*cluster, *cluster)
        for node in cluster:
            self.assertEqual(node.stop(), 0)

    def test_a_get_in_flight_is_answered_and_nobody_new_is_let_in(self):
        fake = self.fake_redis()
        cluster = self.cluster("a", groups=[redis_group(fake)], server={"drain_timeout": "60s"})
        node = cluster[0]
        (client,) = self.clients(node)
        fake.park()
        client.send("GET", "k")
        fake.wait_until_asked("k")
        node.process.signal(signal.SIGTERM)

        def is_closed():
            try:
                Client(node.address).close()
                return False
            except ConnectionResetError:
                return False  # it was in the queue of the socket as that was closed
            except ConnectionRefusedError:
                return True

        eventually(is_closed, "the listening socket is closed")
        fake.release()
        self.assertEqual(client.read(), b"value of k")
        self.assertEqual(node.process.wait(30), 0)

    def test_a_backend_that_never_answers_holds_it_up_no_longer_than_the_drain_timeout(self):
        fake = self.fake_redis()
        cluster = self.cluster("a", groups=[redis_group(fake)], server={"drain_timeout": "200ms"})
        (client,) = self.clients(cluster[0])
        fake.park()
        client.send("GET", "k")
        fake.wait_until_asked("k")
        self.assertEqual(cluster[0].stop(), 0)

    def test_a_second_signal_is_not_needed_and_does_no_harm(self):
        cluster = self.cluster("a", groups=[plain_group()])
        cluster[0].process.signal(signal.SIGTERM)
        if cluster[0].process.is_running():
            cluster[0].process.signal(signal.SIGTERM)
        self.assertEqual(cluster[0].process.wait(30), 0)

    def test_what_other_nodes_have_asked_is_answered_before_it_goes(self):
        fake = self.fake_redis()
        cluster = self.cluster("a", "b", groups=[redis_group(fake)],
                               server={"drain_timeout": "60s"})
        key = next(key for key in map(str, range(1000))
                   if cluster.owner_of("users", key) is cluster["b"])
        (client,) = self.clients(cluster["a"])
        fake.park()
        client.send("GET", "in flight")
        client.send("GET", key)
        fake.wait_until_asked(key, 2)
        cluster["b"].process.signal(signal.SIGTERM)
        eventually(lambda: "node 'b' says goodbye" in cluster["a"].process.log(), "a goodbye")
        self.assertTrue(cluster["b"].process.is_running())
        fake.release()
        self.assertEqual(client.read(), b"value of in flight")
        self.assertEqual(client.read(), b"value of " + key.encode())
        self.assertEqual(cluster["b"].process.wait(30), 0)
        self.assertEqual(fake.asked(key), 2, "once to find its owner, and once")
        self.assertEqual(cluster["a"].stats("users")["peer_errors"], 0)

    def test_nodes_that_stop_together_do_not_wait_for_each_other(self):
        cluster = self.cluster(groups=[plain_group()], server={"drain_timeout": "60s"})
        for node in cluster:
            node.process.signal(signal.SIGTERM)
        for node in cluster:
            self.assertEqual(node.process.wait(30), 0)

    def test_the_others_go_on(self):
        fake = self.fake_redis()
        cluster = self.cluster(groups=[redis_group(fake)])
        self.assertEqual(cluster[2].stop(), 0)
        (client,) = self.clients(cluster[0])
        keys = [f"k{i}" for i in range(200)]
        self.assertEqual(client.pipeline([("GET", key) for key in keys]),
                         [b"value of " + key.encode() for key in keys])


if __name__ == "__main__":
    main()
