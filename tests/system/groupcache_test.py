#!/usr/bin/python3
"""groupcache's own tests and those of two of its forks, restated for a server.

GO is golang/groupcache, MG mailgun/groupcache, GX vimeo/galaxycache. What applies is below under
its name. What is proven elsewhere, or does not apply, and why:

GO  TestNoDedup                      the second look inside the flight is a unit test of cache/ (two
                                     callers are made to pass each other); the byte count is here
    TestTruncatingByteSliceTarget,   a caller's memory: our callers are in another process
    TestAllocatingByteSliceTarget
    TestGroupStatsAlignment          alignment of Go's atomics
    TestHashing, TestConsistency     unit tests of cluster/ (placement): any order of members, what
                                     a join moves
    lru Get, Remove, Evict           unit tests of cache/ (eviction policies)
MG  TestDoPanic                      no exceptions cross our code; what fails answers an error
    lru TestAdd_evictsOldAndReplaces,  unit tests of cache/, with an injected clock
    TestExpire
    TestDistribution                 asserts nothing; the shares are in cold_keys_test.py
    exporter tests                   numbers_test.py
GX  TestCachingWithExpiry,           a fake clock: unit tests of cache/; the black box is MG's
    TestCachingWithAutoExpiryNoJitter  TestCachingExpire below
    TestPromotion, from candidate    we sample requests; there is no table of candidates
    TestGalaxycacheGetWithPeek       there is no look-up at a previous owner yet
    TestPeersIncremental,            members are a static list
    TestUpdateCB, TestUpdateCBSelfRemove
    TestHashCollision, FuzzHashCollision, FuzzTypedAddRemove, TestExpiryTracker
                                     internals; the store compares whole keys (unit tests of cache/)
    TestGetReplicated, TestGetOwnwerRangeSummary   no replicas, no ranges
    TestFetchModeCompat              the peer wire's first version has no older one
    TestGetsParallelManyKeysWithGoroutines   cold_keys_test.py: 1,000 keys, 50 connections
"""

import time

from harness.case import SystemTest, main
from harness.groups import plain_group, redis_group
from harness.load import ask_at_once, ask_from_many
from harness.resp import ReplyError
from harness.waiting import eventually


class Go(SystemTest):
    def test_TestGetDupSuppress_two_gets_of_a_parked_key_are_one_load(self):
        fake = self.fake_redis()
        cluster = self.cluster("a", groups=[redis_group(fake)])
        first, second = self.clients(cluster[0], cluster[0])
        fake.park()
        first.send("GET", "k")
        fake.wait_until_asked("k")
        second.send("GET", "k")
        eventually(lambda: cluster[0].stats("users")["loads"] == 2, "both gets wait")
        fake.release()
        self.assertEqual([first.read(), second.read()], [b"value of k"] * 2)
        self.assertEqual(fake.asked("k"), 1)

    def test_TestCaching_ten_gets_one_fill(self):
        fake = self.fake_redis()
        cluster = self.cluster("a", groups=[redis_group(fake)])
        self.assertEqual([cluster[0].ask("GET", "k") for _ in range(10)], [b"value of k"] * 10)
        self.assertEqual(fake.asked("k"), 1)

    def test_TestCacheEviction_a_flood_evicts_and_the_key_needs_one_more_fill(self):
        fake = self.fake_redis(lambda key: key * 100)
        cluster = self.cluster("a", groups=[redis_group(fake, memory="1MiB")])
        (client,) = self.clients(cluster[0])
        client.ask("GET", "first")
        for start in range(0, 4000, 100):
            client.pipeline([("GET", f"flood:{start + i}") for i in range(100)])
        self.assertGreater(cluster[0].stats("users")["evictions"], 0)
        self.assertLessEqual(cluster[0].stats("users")["bytes"], 1 << 20)
        self.assertEqual(client.ask("GET", "first"), b"first" * 100)
        self.assertEqual(fake.asked("first"), 2)

    def test_TestPeers_each_key_is_asked_once_at_its_owner_and_then_nowhere(self):
        fake = self.fake_redis()
        cluster = self.cluster("a", "b", "c", "d", groups=[redis_group(fake)])
        keys = [f"k{i}" for i in range(200)]
        work = [(cluster[0].address, ("GET", key)) for key in keys]
        expected = [b"value of " + key.encode() for key in keys]
        self.assertEqual(ask_from_many(work, 4), expected)
        loads = [node.stats("users")["local_loads"] for node in cluster]
        asked = [node.stats("users")["server_requests"] for node in cluster]
        self.assertEqual(sum(loads), 200)
        self.assertEqual(loads[1:], asked[1:])
        self.assertTrue(all(20 < load < 90 for load in loads), loads)
        self.assertEqual(ask_from_many(work, 4), expected)
        self.assertEqual([node.stats("users")["local_loads"] for node in cluster], loads)

    def test_TestPeers_the_share_of_an_absent_peer_is_loaded_here(self):
        fake = self.fake_redis()
        cluster = self.cluster("a", "b", "c", groups=[redis_group(fake)])
        cluster[2].stop()
        (client,) = self.clients(cluster[0])
        keys = [f"k{i}" for i in range(200)]
        self.assertEqual(client.pipeline([("GET", key) for key in keys]),
                         [b"value of " + key.encode() for key in keys])
        mine, theirs = (node.stats("users")["local_loads"] for node in cluster.nodes[:2])
        self.assertEqual(mine + theirs, 200)
        self.assertGreater(mine, theirs)

    def test_TestPeers_the_value_still_comes_when_its_owner_is_killed_while_it_is_asked(self):
        fake = self.fake_redis()
        cluster = self.cluster("a", "b", groups=[redis_group(fake)])
        owner = cluster.owner_of("users", "k")
        other = next(node for node in cluster if node is not owner)
        (client,) = self.clients(other)
        times = fake.asked("k")
        fake.park()
        client.send("GET", "k")
        fake.wait_until_asked("k", times + 1)
        owner.kill()
        fake.wait_until_asked("k", times + 2)
        fake.release()
        self.assertEqual(client.read(), b"value of k")

    def test_TestNoDedup_racing_gets_leave_one_item_and_the_exact_byte_count(self):
        fake = self.fake_redis()
        cluster = self.cluster("a", groups=[redis_group(fake)])
        cluster[0].ask("GET", "k0")
        bytes_of_one = cluster[0].stats("users")["bytes"]
        for number in range(1, 10):
            ask_at_once([cluster[0].address] * 50, "GET", f"k{number}")
        stats = cluster[0].stats("users")
        self.assertEqual(stats["items"], 10)
        # The allocator may give an entry 16 bytes more than it was asked for, and they are charged.
        self.assertAlmostEqual(stats["bytes"], 10 * bytes_of_one, delta=10 * 16)
        self.assertEqual(fake.asked_in_all(), 10)

    def test_TestHTTPPool_a_hundred_keys_through_a_node_that_hardly_owns_any(self):
        fake = self.fake_redis()
        rows = {name: {"weight": 100} for name in "bcde"} | {"a": {"weight": 1}}
        members = {name: rows for name in "abcde"}
        cluster = self.cluster(*"abcde", groups=[redis_group(fake)], members=members)
        (client,) = self.clients(cluster["a"])
        keys = [f"k{i}" for i in range(100)]
        self.assertEqual(client.pipeline([("GET", key) for key in keys]),
                         [b"value of " + key.encode() for key in keys])
        loads = {node.name: node.stats("users")["local_loads"] for node in cluster}
        self.assertEqual(sum(loads.values()), 100)
        self.assertLess(loads["a"], 5)
        self.assertTrue(all(loads[name] > 5 for name in "bcde"), loads)

    def test_TestDoErr_an_error_is_answered_and_not_kept(self):
        replies = iter([RuntimeError("ERR broken"), b"mended"])
        fake = self.fake_redis(lambda key: next(replies))
        cluster = self.cluster("a", groups=[redis_group(fake)])
        self.assert_error(cluster[0].ask("GET", "k"), "BACKEND users: ")
        self.assertEqual(cluster[0].ask("GET", "k"), b"mended")


class Mailgun(SystemTest):
    def test_TestCachingExpire_three_gets_across_an_expiry_are_two_fills(self):
        fake = self.fake_redis()
        cluster = self.cluster("a", groups=[redis_group(fake, ttl="300ms", ttl_jitter=0)])
        (client,) = self.clients(cluster[0])
        client.pipeline([("GET", "k"), ("GET", "k")])
        self.assertEqual(fake.asked("k"), 1)
        eventually(lambda: client.ask("PTTL", "k") == -2, "the key has expired")
        self.assertEqual(client.ask("GET", "k"), b"value of k")
        self.assertEqual(fake.asked("k"), 2)

    def test_TestContextDeadlineOnPeer_a_slow_owner_is_an_error_and_no_local_load(self):
        fake = self.fake_redis()
        cluster = self.cluster("a", "b", groups=[redis_group(fake)],
                               server={"request_timeout": "300ms"})
        owner = cluster.owner_of("users", "k")
        other = next(node for node in cluster if node is not owner)
        before = other.stats("users")["local_loads"]
        asked = fake.asked("k")
        fake.park()
        begin = time.monotonic()
        with other.client() as client:
            self.assertIsInstance(client.ask("GET", "k"), ReplyError)
        self.assertGreater(time.monotonic() - begin, 0.25)
        self.assertEqual(fake.asked("k"), asked + 1)
        self.assertEqual(other.stats("users")["local_loads"], before)
        fake.release()
        eventually(lambda: other.ask("GET", "k") == b"value of k", "the key is there in the end")

    def test_TestEnsureSizeReportedCorrectly(self):
        cluster = self.cluster("a", groups=[plain_group()])
        sizes = []
        for value in ("x" * 1000, "x" * 10, "x" * 3000, "x" * 1000):
            cluster[0].ask("SET", "k", value)
            sizes.append(cluster[0].stats("plain")["bytes"])
        self.assertTrue(sizes[1] < sizes[0] < sizes[2], sizes)
        self.assertEqual(sizes[0], sizes[3])
        self.assertEqual(cluster[0].stats("plain")["items"], 1)
        cluster[0].ask("DEL", "k")
        self.assertEqual(cluster[0].stats("plain")["bytes"], 0)

    def test_TestEnsureUpdateExpiredValue_replacing_a_value_moves_its_expiry(self):
        cluster = self.cluster("a", groups=[plain_group()])
        (client,) = self.clients(cluster[0])
        client.pipeline([("SET", "short", "v", "PX", "50"), ("SET", "k", "old", "PX", "50"),
                         ("SET", "k", "new", "PX", "60000")])
        eventually(lambda: client.ask("GET", "short") is None, "what had 50 ms is gone")
        self.assertEqual(client.ask("GET", "k"), b"new")
        self.assertGreater(client.ask("PTTL", "k"), 10_000)

    def test_TestDoConcurrentPanic_ten_callers_of_a_failing_load_all_get_its_error(self):
        fake = self.fake_redis(lambda key: RuntimeError("ERR broken"))
        cluster = self.cluster("a", groups=[redis_group(fake)])
        fake.park()
        clients = self.clients(*[cluster[0]] * 10)
        for client in clients:
            client.send("GET", "k")
        eventually(lambda: cluster[0].stats("users")["loads"] == 10, "all ten wait")
        fake.wait_until_asked("k")
        fake.release()
        for client in clients:
            self.assert_error(client.read(), "BACKEND users: ")
        self.assertEqual(fake.asked("k"), 1)

    def test_TestHTTPPool_remove_then_get_is_a_second_fill(self):
        fake = self.fake_redis()
        cluster = self.cluster(groups=[redis_group(fake)])
        keys = [f"k{i}" for i in range(100)]
        for client in self.clients(*cluster):
            client.pipeline([("GET", key) for key in keys])
        self.assertEqual(set(fake.asked_keys().values()), {1})
        self.assertEqual(cluster[1].ask("DEL", *keys), 100)
        for client in self.clients(*cluster):
            client.pipeline([("GET", key) for key in keys])
        self.assertEqual(set(fake.asked_keys().values()), {2})

    def test_TestHTTPPool_what_was_set_is_got_without_a_fill(self):
        fake = self.fake_redis()
        cluster = self.cluster(groups=[redis_group(fake, writes="cache")])
        for number, node in enumerate(cluster):
            key = f"k{number}"
            self.assertEqual(node.ask("SET", key, "set"), b"OK")
            self.assertEqual([other.ask("GET", key) for other in cluster], [b"set"] * 3)
        self.assertEqual(fake.asked_in_all(), 0)

    def test_TestHTTPPool_odd_keys_survive(self):
        cluster = self.cluster(groups=[redis_group(self.fake_redis())])
        for key in ("a b/c,d", "a%20b", "{}", "ключ", "?x=1&y=2#z", " "):
            for node in cluster:
                self.assertEqual(node.ask("GET", key), b"value of " + key.encode())

    def test_TestHTTPPool_not_found_and_errors_arrive_from_the_owner_as_what_they_are(self):
        def value_of(key):
            return None if key.startswith(b"none") else RuntimeError("ERR it broke")

        cluster = self.cluster(groups=[redis_group(self.fake_redis(value_of))])
        for number in range(20):
            for node in cluster:
                self.assertIsNone(node.ask("GET", f"none{number}"))
                reply = node.ask("GET", f"bad{number}")
                self.assert_error(reply, "BACKEND users: ")
                self.assertIn("it broke", str(reply))


class Galaxycache(SystemTest):
    def test_TestCapExpiry_jitter_only_shortens_and_stays_in_its_range(self):
        fake = self.fake_redis()
        cluster = self.cluster("a", groups=[redis_group(fake, ttl="1000s", ttl_jitter=0.1)])
        (client,) = self.clients(cluster[0])
        keys = [f"k{i}" for i in range(300)]
        client.pipeline([("GET", key) for key in keys])
        left = client.pipeline([("PTTL", key) for key in keys])
        self.assertTrue(all(899_000 - 30_000 < ttl <= 1_000_000 for ttl in left), left)
        self.assertGreater(max(left) - min(left), 50_000)

    def test_TestPromotion_never_and_always(self):
        for sample in (0, 1):
            with self.subTest(hot_sample=sample):
                fake = self.fake_redis()
                cluster = self.cluster(groups=[redis_group(fake, hot_sample=sample,
                                                           hot_lease="3s")],
                                       cluster={"longest_lease": "3s"})
                (client,) = self.clients(cluster[0])
                for _ in range(2):
                    client.pipeline([("GET", f"k{i}") for i in range(60)])
                stats = cluster[0].stats("users")
                forwarded = 60 - stats["local_loads"]
                self.assertGreater(forwarded, 20)
                self.assertEqual(stats["hits_hot"], forwarded if sample else 0)

    def test_TestHTTPHandler_a_missing_group_is_not_a_missing_key(self):
        cluster = self.cluster(groups=[redis_group(self.fake_redis(lambda key: None),
                                                   name="odd-name_1.x", prefix="known:")])
        for node in cluster:
            self.assertIsNone(node.ask("GET", "known:k"))
            self.assert_error(node.ask("GET", "unknown:k"), "NOGROUP no group serves key")


if __name__ == "__main__":
    main()
