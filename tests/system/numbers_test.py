#!/usr/bin/python3
"""What a node says about itself, and that it adds up."""

import collections
import random

from prometheus_client.parser import text_string_to_metric_families

from harness.case import SystemTest, main
from harness.groups import plain_group, redis_group
from harness.load import ask_from_many
from harness.waiting import eventually

COUNTERS = ("gets", "hits_main", "hits_hot", "hits_stale", "hits_negative", "loads",
            "loads_deduped", "peer_loads", "peer_errors", "local_loads", "degraded_loads", "local_load_errors",
            "refused", "server_requests", "evictions", "expirations", "invalidations")
GAUGES = ("bytes", "items")
OUTCOMES = ("hits_main", "hits_hot", "hits_stale", "hits_negative", "loads", "refused")


def value_of(key):
    if key.startswith(b"none"):
        return None
    return RuntimeError("ERR broken") if key.startswith(b"bad") else b"v" * 30000


class NumbersTest(SystemTest):
    def start(self):
        """A cluster after some traffic of every kind, at rest; how many keys were asked for."""
        self.fake = self.fake_redis(value_of, delay_s=0.001)
        cluster = self.cluster(
            groups=[redis_group(self.fake, prefix="", ttl="400ms", negative_ttl="100ms",
                                hot_sample=2, memory="1MiB", max_loads=20),
                    plain_group(prefix="plain:")])
        random.seed(5)
        kinds = ["user:%d"] * 6 + ["none:%d", "bad:%d"]
        work, asked = [], 0
        for _ in range(6000):
            node = random.choice(cluster.nodes)
            keys = [random.choice(kinds) % int(random.paretovariate(0.5) % 2000)
                    for _ in range(random.choice((1, 1, 1, 5)))]
            command = random.choices(("MGET", "DEL"), (30, 1))[0]
            work.append((node.address, (command, *keys)))
            asked += len(keys) if command == "MGET" else 0
        ask_from_many(work, 60)
        return cluster, asked

    def test_every_get_has_exactly_one_outcome(self):
        cluster, asked = self.start()
        for node in cluster:
            stats = node.stats("users")
            with self.subTest(node.name, **stats):
                self.assertEqual(stats["gets"], sum(stats[name] for name in OUTCOMES))
        self.assertEqual(cluster.total("users", "gets"), asked)

    def test_what_was_loaded_is_what_the_backend_was_asked(self):
        cluster, _ = self.start()
        self.assertEqual(cluster.total("users", "local_loads"), self.fake.asked_in_all())
        self.assertEqual(cluster.total("plain", "gets"), 0)

    def test_every_counter_that_can_move_has_moved(self):
        cluster, _ = self.start()
        # Without faults no peer fails, and stale values are not configured.
        still = {"peer_errors", "degraded_loads", "hits_stale", "refused"}
        for name in set(COUNTERS + GAUGES) - still:
            with self.subTest(name):
                self.assertGreater(cluster.total("users", name), 0)
        self.assertEqual(cluster.total("users", "peer_errors"), 0)

    def test_prometheus_reads_every_metric(self):
        cluster, _ = self.start()
        for node in cluster:
            status, text = node.admin("/metrics")
            self.assertEqual(status, 200)
            families = list(text_string_to_metric_families(text))
            self.assertTrue(all(family.documentation for family in families))
            # What is kept still expires, so the two readings are compared until they are of one moment.
            eventually(lambda: self.metrics(node) == self.stats(node), "both show the same")

    def test_info_stats_and_metrics_are_one_table(self):
        cluster, _ = self.start()
        for node in cluster:
            eventually(lambda: self.info_equals_stats(node), "both show the same")

    def metrics(self, node):
        sums = collections.Counter()
        for family in text_string_to_metric_families(node.admin("/metrics")[1]):
            for sample in family.samples:
                if sample.labels.get("group") == "users":
                    kind = sample.labels.get("kind")  # hits of one family
                    sums[f"{family.name}_{kind}" if kind else family.name] += sample.value
        return {name: sums[f"cistern_{name}"] for name in COUNTERS + GAUGES}

    def stats(self, node):
        stats = node.stats("users")
        return {name: stats[name] for name in COUNTERS + GAUGES}

    def info_equals_stats(self, node):
        lines = node.ask("INFO", "groups").decode().splitlines()
        (users,) = [line for line in lines if line.startswith("users:")]
        fields = dict(field.split("=") for field in users[len("users:"):].split(","))
        self.assertLessEqual({"gets", "hits_hot", "loads", "items_main"}, set(fields))
        stats = node.stats("users")
        return {name: int(value) for name, value in fields.items()} == \
            {name: stats[name] for name in fields}


class ResetTest(SystemTest):
    def test_config_resetstat_sets_counters_to_zero_and_leaves_what_is_kept(self):
        cluster = self.cluster("a", groups=[redis_group(self.fake_redis())])
        cluster[0].ask("GET", "k")
        self.assertEqual(cluster[0].ask("CONFIG", "RESETSTAT"), b"OK")
        stats = cluster[0].stats("users")
        self.assertEqual((stats["gets"], stats["loads"], stats["items"]), (0, 0, 1))


class HealthTest(SystemTest):
    def test_a_running_node_is_healthy_and_ready(self):
        cluster = self.cluster("a", groups=[plain_group()])
        self.assertEqual(cluster[0].admin("/healthz")[0], 200)
        self.assertEqual(cluster[0].admin("/readyz")[0], 200)
        self.assertEqual(cluster[0].admin("/nothing")[0], 404)

    def test_a_node_that_drains_is_healthy_and_not_ready(self):
        fake = self.fake_redis()
        cluster = self.cluster("a", groups=[redis_group(fake)])
        (client,) = self.clients(cluster[0])
        fake.park()
        client.send("GET", "k")
        fake.wait_until_asked("k")
        cluster[0].process.signal(15)
        eventually(lambda: cluster[0].admin("/readyz")[0] == 503, "the node is not ready")
        self.assertEqual(cluster[0].admin("/healthz")[0], 200)
        fake.release()
        self.assertEqual(client.read(), b"value of k")


if __name__ == "__main__":
    main()
