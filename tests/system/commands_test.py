#!/usr/bin/python3
"""Commands that write, and those about lives, beside a real redis-server: both are sent the same
requests, one after the other, ours through any node of a cluster; the replies must be the same,
error texts included. Every key that is read is copied, so a write that recalled no copy would show."""

import random
import threading
import time

from harness.case import SystemTest, main
from harness.groups import plain_group, redis_group
from harness.resp import ReplyError

NOW = int(time.time())
SOON, LATER = NOW + 5000, NOW + 50000  # ends that no test lives to see
LARGEST = 2**63 - 1
NUMBERS = ["x", "", "1.5", " 1", "+1", "01", "-", "0", "-1", "-100000", LARGEST, -LARGEST - 1,
           LARGEST + 1, LARGEST // 1000, LARGEST // 1000 + 1, -(LARGEST // 1000) - 1]

# What each sequence shows: requests of one key space, which is empty when it begins.
SEQUENCES = {
    "SET NX and XX": [
        "SET k 1 XX", "GET k", "SET k 1 NX", "SET k 2 NX", "GET k", "SET k 3 XX", "GET k",
        "SET k 4 nx", "SET k 5 xX"],
    "SET GET": [
        "SET k 1 GET", "SET k 2 GET", "SET k 3 NX GET", "GET k", "SET k 4 XX GET", "GET k",
        "DEL k", "SET k 5 XX GET", "EXISTS k", "SET k 6 NX GET", "GET k"],
    "SET and the life of what was there": [
        "SET k 1 EX 100", "SET k 2", "TTL k", "SET k 3 EX 100", "SET k 4 KEEPTTL", "TTL k",
        "SET k 5 KEEPTTL GET", "TTL k", "SET new 1 KEEPTTL", "TTL new", "GETSET k 6", "TTL k"],
    "SET with ends": [
        "SET k 1 PX 100000", "TTL k", f"SET k 2 EXAT {SOON}", "EXPIRETIME k", "PEXPIRETIME k",
        f"SET k 3 PXAT {SOON}123", "EXPIRETIME k", "PEXPIRETIME k", "SET k 4 EX 100 EX 200",
        "TTL k"],
    "SET with an end that has passed deletes": [
        "SET k 1", "SET k 2 EXAT 1", "EXISTS k", "SET k 3 PXAT 1", "GET k", "SET k 4",
        "SET k 5 PXAT 1 GET", "GET k"],
    "SET refuses": [
        "SET", "SET k", "SET k 1 EX", "SET k 1 PX", "SET k 1 EXAT", "SET k 1 NX XX",
        "SET k 1 EX 10 PX 10", "SET k 1 EX 10 KEEPTTL", "SET k 1 KEEPTTL EX 10",
        "SET k 1 EXAT 10 PXAT 10", "SET k 1 PERSIST", "SET k 1 FOO", "SET k 1 EX 10 20",
        "SET k 1 GET GET", "SET k 1 KEEPTTL KEEPTTL", "EXISTS k"],
    "SETNX": ["SETNX k 1", "SETNX k 2", "GET k", "DEL k", "SETNX k 3", "TTL k", "SETNX k",
              "SETNX k 1 2"],
    "SETEX and PSETEX": [
        "SETEX k 100 1", "TTL k", "GET k", "PSETEX k 200000 2", "TTL k", "GET k", "SETEX k 0 1",
        "PSETEX k 0 1", "SETEX k -1 1", "PSETEX k x 1", "SETEX k 100", "PSETEX k 1 2 3", "GET k"],
    "GETSET": ["GETSET k 1", "GETSET k 2", "EXPIRE k 100", "GETSET k 3", "TTL k", "GETSET k"],
    "GETDEL": ["GETDEL k", "SET k 1", "GETDEL k", "GET k", "GETDEL k", "GETDEL", "GETDEL k 1"],
    "GETEX": [
        "GETEX k", "GETEX k EX 100", "SET k 1", "GETEX k", "TTL k", "GETEX k EX 100", "TTL k",
        "GETEX k", "TTL k", "GETEX k PERSIST", "TTL k", "GETEX k PX 200000", "TTL k",
        f"GETEX k EXAT {SOON}", "EXPIRETIME k", f"GETEX k PXAT {SOON}456", "PEXPIRETIME k",
        "GETEX k EXAT 1", "GET k", "SET k 2", "GETEX k PXAT 1", "EXISTS k"],
    "GETEX refuses": [
        "GETEX k EX", "GETEX k FOO", "GETEX k EX x", "GETEX k EX 0", "SET k 1", "GETEX k EX",
        "GETEX k EX x", "GETEX k EX 0", "GETEX k EX -1", "GETEX k EX 1 PERSIST",
        "GETEX k PERSIST EX 1", "GETEX k NX", "GETEX k KEEPTTL", "GETEX k GET",
        "GETEX k PERSIST PERSIST", "GETEX k EX 10 PX 10", "GETEX", "TTL k"],
    "MSET": [
        "MSET a 1", "MSET a 1 b 2 c 3 d 4 e 5 f 6", "MGET a b c d e f g", "MSET a 7 a 8", "GET a",
        "EXPIRE b 100", "MSET b 9 c 9", "TTL b", "MSET", "MSET a", "MSET a 1 b", "MGET a b"],
    "EXPIRE": [
        "EXPIRE k 100", "SET k 1", "EXPIRE k 100", "TTL k", "PEXPIRE k 200000", "TTL k",
        "EXPIRE k 0", "EXISTS k", "SET k 1", "EXPIRE k -1", "GET k", "SET k 1", "PEXPIRE k -1",
        "GET k", "EXPIRE k 0"],
    "EXPIREAT and what shows it": [
        f"EXPIREAT k {SOON}", "SET k 1", f"EXPIREAT k {SOON}", "EXPIRETIME k", "PEXPIRETIME k",
        f"PEXPIREAT k {LATER}499", "EXPIRETIME k", "PEXPIRETIME k", f"PEXPIREAT k {LATER}500",
        "EXPIRETIME k", "EXPIREAT k 1", "EXISTS k", "EXPIRETIME k", "PEXPIRETIME k", "SET k 1",
        "EXPIRETIME k", "PEXPIRETIME k", "PEXPIREAT k 1", "GET k", "SET k 1", "EXPIREAT k -5",
        "GET k"],
    "EXPIRE NX and XX": [
        "EXPIRE k 100 NX", "SET k 1", "EXPIRE k 100 XX", "TTL k", "EXPIRE k 100 NX", "TTL k",
        "EXPIRE k 200 NX", "TTL k", "EXPIRE k 300 XX", "TTL k", "EXPIRE k 300 xx XX"],
    "EXPIRE GT and LT": [
        "SET k 1", "EXPIRE k 100 GT", "TTL k", "EXPIRE k 200 LT", "TTL k", "EXPIRE k 300 LT",
        "TTL k", "EXPIRE k 300 GT", "TTL k", "EXPIRE k 200 GT", "EXPIRE k 100 LT", "TTL k",
        "EXPIRE k 200 XX GT", "TTL k", "EXPIRE k 100 XX LT", "TTL k", "EXPIRE k -1 GT", "TTL k",
        "EXPIRE k -1 LT", "EXISTS k"],
    "an equal end is neither greater nor less": [
        "SET k 1", f"EXPIREAT k {SOON}", f"EXPIREAT k {SOON} GT", f"EXPIREAT k {SOON} LT",
        f"PEXPIREAT k {SOON}001 GT", f"PEXPIREAT k {SOON}001 GT", f"PEXPIREAT k {SOON}001 LT",
        f"PEXPIREAT k {SOON}000 LT"],
    "EXPIRE refuses": [
        "EXPIRE", "EXPIRE k", "EXPIRE k 1 FOO", "SET k 1", "EXPIRE k 1 NX XX", "EXPIRE k 1 NX GT",
        "EXPIRE k 1 LT NX", "EXPIRE k 1 GT LT", "EXPIRE k x NX GT", "EXPIRE k x FOO",
        "PEXPIREAT k 1 2", "EXPIREAT k 1.5", "PEXPIRE k x", "TTL k", "EXPIRETIME", "PEXPIRETIME k 1",
        "PERSIST", "PERSIST k 1"],
    "PERSIST": ["PERSIST k", "SET k 1", "PERSIST k", "EXPIRE k 100", "PERSIST k", "TTL k",
                "PERSIST k"],
    "INCR and its kin": [
        "INCR k", "INCR k", "DECR k", "INCRBY k 40", "DECRBY k 50", "GET k", "INCRBY k -5",
        "DECRBY k -5", "EXPIRE k 100", "INCR k", "TTL k", "DECRBY new 7", "GET new",
        f"SET k {LARGEST}", "INCR k", "INCRBY k 1", "DECRBY k -1", "DECR k", f"INCRBY k {LARGEST}",
        f"SET k {-LARGEST - 1}", "DECR k", f"DECRBY k {-LARGEST - 1}", f"INCRBY k {-LARGEST - 1}",
        f"DECRBY k {LARGEST}", "GET k"],
    "INCR refuses": [
        "SET k x", "INCR k", "DECR k", "INCRBY k 1", "INCRBY k x", "GET k", "SET k 1.5", "INCR k",
        "SET k 01", "INCR k", "SET k +1", "INCR k", "SET k -0", "INCR k", "SET k 1", "INCRBY k 1.5",
        "INCRBY k 01", f"INCRBY k {LARGEST + 1}", "INCRBY k", "INCR", "INCR k 1", "DECRBY k x",
        "GET k"],
    "INCRBYFLOAT": [
        "INCRBYFLOAT k 1.5", "INCRBYFLOAT k 1.5", "INCRBYFLOAT k -3", "INCRBYFLOAT k 0.1",
        "INCRBYFLOAT k 0.2", "INCRBYFLOAT k 1e3", "INCRBYFLOAT k 5.0e3", "INCRBYFLOAT k -1e-5",
        "INCRBYFLOAT k 1e30", "GET k", "SET k 3.0e3", "INCRBYFLOAT k 200", "SET k -0.1",
        "INCRBYFLOAT k 0.1", "EXPIRE k 100", "INCRBYFLOAT k .5", "TTL k", "INCRBYFLOAT k 0x10",
        "INCRBYFLOAT k 1e4000", "INCRBYFLOAT k 1e-4000", "GET k"],
    "INCRBYFLOAT refuses": [
        "INCRBYFLOAT k x", "INCRBYFLOAT k nan", "INCRBYFLOAT k inf", "INCRBYFLOAT k -inf",
        "INCRBYFLOAT k 1e5000", "INCRBYFLOAT k 1x", "EXISTS k", "SET k x", "INCRBYFLOAT k 1",
        "INCRBYFLOAT k x", "INCRBYFLOAT k", "GET k", "SET k 1e4932", "INCRBYFLOAT k 1e4932"],
    "APPEND": ["APPEND k abc", "APPEND k def", "GET k", "EXPIRE k 100", "APPEND k ghi", "TTL k",
               "STRLEN k", "APPEND k", "APPEND"],
    "SETRANGE": [
        "SETRANGE k 5 abc", "GET k", "SETRANGE k 0 xyz", "GET k", "SETRANGE k 6 1234", "GET k",
        "EXPIRE k 100", "SETRANGE k 1 _", "TTL k", "GET k", "SETRANGE k -1 x", "SETRANGE k x x",
        "SETRANGE k 1.5 x", f"SETRANGE k {512 << 20} x", f"SETRANGE k {(512 << 20) - 1} xx",
        f"SETRANGE k {LARGEST} x", f"SETRANGE k {LARGEST + 1} x", "SETRANGE k 0", "GET k"],
    "GETRANGE": [
        "GETRANGE k 0 -1", "SET k 0123456789",
        *[f"{name} k {first} {last}" for name in ("GETRANGE", "SUBSTR")
          for first in (0, 3, 9, 10, 99, -1, -3, -10, -11, -99, LARGEST, -LARGEST - 1)
          for last in (0, 3, 9, 10, 99, -1, -3, -10, -11, -99, LARGEST, -LARGEST - 1)],
        "GETRANGE k x 1", "GETRANGE k 1 x", "GETRANGE k 1", "SUBSTR k 1 2 3"],
    "SETBIT and GETBIT": [
        "GETBIT k 0", "SETBIT k 7 1", "GET k", "SETBIT k 7 1", "SETBIT k 7 0", "GET k",
        "SETBIT k 100 0", "STRLEN k", "SETBIT k 100 1", "GETBIT k 100", "GETBIT k 101",
        "GETBIT k 5000000", "EXPIRE k 100", "SETBIT k 3 1", "TTL k", "GET k", "SETBIT k -1 1",
        "SETBIT k x 1", f"SETBIT k {1 << 32} 1", "SETBIT k 1 2", "SETBIT k 1 -1", "SETBIT k 1 x",
        "GETBIT k -1", "GETBIT k x", f"GETBIT k {1 << 32}", f"GETBIT k {(1 << 32) - 1}", "SETBIT k 1",
        "GETBIT k", "GETBIT k 1 1"],
    "BITCOUNT and BITPOS": [
        "BITCOUNT k", "BITPOS k 0", "BITPOS k 1", "SET k " + "foobar\u00ff\u0000\u00ff" * 5,
        *[f"{name} {first} {last} {unit}" for name in ("BITCOUNT k", "BITPOS k 0", "BITPOS k 1")
          for first in (0, 1, 7, 9, 60, 500, -1, -3, -64, -500, LARGEST, -LARGEST - 1)
          for last in (0, 1, 7, 63, 66, 500, -1, -3, -64, -500, LARGEST, -LARGEST - 1)
          for unit in ("", "BYTE", "bit")],
        "BITCOUNT k", "BITPOS k 0", "BITPOS k 1", "BITPOS k 0 40", "BITPOS k 1 -2", "BITPOS k 1 900",
        "SETRANGE zeros 99 \u0000", "BITPOS zeros 1", "BITPOS zeros 1 3", "BITPOS zeros 1 0 -1",
        "BITPOS zeros 0 900"],
    "BITCOUNT and BITPOS refuse": [
        "SET k v", "BITCOUNT k 1", "BITCOUNT k x 1", "BITCOUNT k 1 x", "BITCOUNT k 0 1 FOO",
        "BITCOUNT k 0 1 BIT 2", "BITCOUNT", "BITPOS k", "BITPOS k 2", "BITPOS k -1", "BITPOS k x",
        "BITPOS k 1 x", "BITPOS k 1 0 x", "BITPOS k 1 0 1 FOO", "BITPOS k 1 0 1 BIT 2"],
    "counts": [f"{name} k {number}" for name in ("EXPIRE", "PEXPIRE", "EXPIREAT", "PEXPIREAT")
               for number in ("x", "1.5", LARGEST + 1)],
}


def numbers_everywhere():
    """Every count that may go wrong, wherever one may stand."""
    for number in map(str, NUMBERS):
        for option in ("EX", "PX", "EXAT", "PXAT"):
            yield ("DEL", "k")
            yield ("SET", "k", "1", option, number)
            yield ("EXISTS", "k")
            yield ("SET", "k", "2")
            yield ("GETEX", "k", option, number)
            yield ("EXISTS", "k")
        for name in ("SETEX", "PSETEX"):
            yield (name, "k", number, "1")
        for name in ("EXPIRE", "PEXPIRE", "EXPIREAT", "PEXPIREAT"):
            yield ("SET", "k", "3")
            yield (name, "k", number)
            yield ("EXISTS", "k")


def random_requests(dice, count):
    """Requests of all kinds on a few keys. Relative ends are never the same twice, and none is near
    another, so that milliseconds between the two servers do not matter."""
    lives = iter(range(10**6, 10**9, 977))

    def seconds():
        return dice.choice([next(lives)] * 9 + [-1, 0])

    def at():
        return dice.choice([SOON, LATER, LATER + 1, 1])

    def end():
        return dice.choice([("EX", next(lives)), ("PX", next(lives) * 1000), ("EXAT", at()),
                            ("PXAT", at() * 1000), ("EX", 0), ("PX", "x")])

    def some(words):
        return [word for word in words if dice.random() < 0.3]

    def key():
        return dice.choice("abcd")

    def value():
        return dice.choice(["", "v", "w" * 100, "x" * 5000])

    def flat(pairs):
        return [word for pair in pairs for word in pair]

    def number():
        return dice.choice([0, 1, -1, 7, 8, 63, 64, 99, 5000, -8, -100, -5000])

    def bits():
        return dice.choice([(), (number(), number()), (number(), number(), "BIT"),
                            (number(), number(), "BYTE")])

    kinds = [
        lambda: ("INCRBY", key(), number()),
        lambda: (dice.choice(["INCR", "DECR"]), key()),
        lambda: ("DECRBY", key(), number()),
        lambda: ("INCRBYFLOAT", key(), number() / 8),
        lambda: ("SET", key(), number()),
        lambda: ("APPEND", key(), value()),
        lambda: ("SETRANGE", key(), number(), value()),
        lambda: ("SETBIT", key(), number(), dice.choice([0, 1])),
        lambda: ("GETBIT", key(), number()),
        lambda: ("GETRANGE", key(), number(), number()),
        lambda: ("BITCOUNT", key(), *bits()),
        lambda: ("BITPOS", key(), dice.choice([0, 1]), *bits()),
        lambda: ("SET", key(), value(), *some(["NX", "XX", "GET", "KEEPTTL"])),
        lambda: ("SET", key(), value(), *end(), *some(["NX", "XX", "GET"])),
        lambda: ("SETNX", key(), value()),
        lambda: ("SETEX", key(), seconds(), value()),
        lambda: ("PSETEX", key(), seconds() * 1000, value()),
        lambda: ("GETSET", key(), value()),
        lambda: ("GETDEL", key()),
        lambda: ("GETEX", key(), *dice.choice([(), ("PERSIST",), end(), end()])),
        lambda: ("MSET", *flat((key(), value()) for _ in range(dice.randint(1, 5)))),
        lambda: ("MGET", "a", "b", "c", "d"),
        lambda: ("DEL", key(), key()),
        lambda: ("EXPIRE", key(), seconds(), *some(["NX", "XX", "GT", "LT"])),
        lambda: ("PEXPIRE", key(), seconds() * 1000, *some(["NX", "XX", "GT", "LT"])),
        lambda: ("EXPIREAT", key(), at(), *some(["NX", "XX", "GT", "LT"])),
        lambda: ("PEXPIREAT", key(), at() * 1000, *some(["NX", "XX", "GT", "LT"])),
        lambda: ("PERSIST", key()),
        *[lambda: ("GET", key())] * 8,
        lambda: (dice.choice(["TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME", "GET", "EXISTS", "STRLEN",
                              "TYPE"]), key()),
    ]
    for _ in range(count):
        yield dice.choice(kinds)()


class BesideRedis(SystemTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dice = random.Random(20261121)

    def setUp(self):
        self.cluster_under_test = self.cluster(groups=[plain_group(ttl="0s", hot_sample=1)])
        self.ours = self.clients(*self.cluster_under_test)
        server = self.redis_server()
        self.theirs = server.client()
        self.addCleanup(self.theirs.close)

    def forget(self, keys):
        self.theirs.ask("FLUSHALL")
        self.ours[0].ask("DEL", *keys)

    def compare(self, requests):
        done = []
        for request in requests:
            wanted = self.theirs.ask(*request)
            got = self.dice.choice(self.ours).ask(*request)
            done.append((request, wanted))
            if not self.is_same(request, wanted, got):
                self.fail(f"{request}: redis-server answers {wanted!r}, we {got!r}, after "
                          + "".join(f"\n  {r} -> {w!r}" for r, w in done[-20:-1]))
        return done

    @staticmethod
    def is_same(request, wanted, got):
        """What is left, or an end counted from now, may differ by what passes meanwhile."""
        shows_life = request[0] in ("TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME")
        if shows_life and isinstance(wanted, int) and wanted > 0:
            ends_now_on = request[0].endswith("TTL") or wanted not in (
                SOON, LATER, LATER + 1, SOON * 1000, LATER * 1000, (LATER + 1) * 1000)
            slack = (2000 if request[0].startswith("P") else 2) if ends_now_on else 0
            # Our longest life is 200 years.
            longest = 200 * 365 * 86400 * (1000 if request[0].startswith("P") else 1)
            return isinstance(got, int) and (abs(wanted - got) <= slack or wanted > longest)
        return type(wanted) is type(got) and wanted == got

    def test_every_sequence_is_answered_as_by_redis(self):
        for name, requests in SEQUENCES.items():
            with self.subTest(name):
                self.forget("kabcdefg" + " ")
                self.ours[0].ask("DEL", "new", "zeros")
                self.compare(request.split() for request in requests)

    def test_every_count_that_may_go_wrong_goes_wrong_as_in_redis(self):
        done = self.compare(numbers_everywhere())
        errors = {str(reply) for _, reply in done if isinstance(reply, ReplyError)}
        self.assertIn("ERR value is not an integer or out of range", errors)
        self.assertIn("ERR invalid expire time in 'getex' command", errors)
        self.assertIn("ERR invalid expire time in 'pexpire' command", errors)

    def test_ten_thousand_random_requests_are_answered_as_by_redis(self):
        done = self.compare(random_requests(self.dice, 10_000))
        found = [reply for request, reply in done if request[0] == "GET" and reply is not None]
        self.assertGreater(len(found), 1000, "hardly any key lived")
        copied = self.cluster_under_test.total("plain", "hits_hot")
        self.assertGreater(copied, 100, "hardly any copy had to be recalled")

    def test_a_value_beyond_the_groups_limit_is_refused_and_what_was_there_stays(self):
        ours = self.ours[0]
        ours.ask("SET", "k", "v")
        for request in (("SETRANGE", "k", 16 << 20, "x"), ("SETBIT", "k", (16 << 20) * 8, 1)):
            reply = ours.ask(*request)
            self.assertIsInstance(reply, ReplyError)
            self.assertIn("16777216", str(reply))
        self.assertEqual(ours.ask("GET", "k"), b"v")
        self.assertEqual(ours.ask("SETRANGE", "k", (16 << 20) - 1, "x"), 16 << 20)

    def test_increments_through_all_nodes_lose_none(self):
        def count(node):
            with node.client() as client:
                client.pipeline([("INCR", "counter")] * 200)

        threads = [threading.Thread(target=count, args=(node,))
                   for node in list(self.cluster_under_test) * 17]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual({client.ask("GET", "counter") for client in self.ours},
                         {b"%d" % (len(threads) * 200)})

    def test_lives_end(self):
        self.compare([("SET", "a", "1", "PX", "30"), ("SET", "b", "1"), ("PEXPIRE", "b", "30"),
                      ("PSETEX", "c", "30", "1"), ("SET", "d", "1"), ("GETEX", "d", "PX", "30")])
        time.sleep(0.05)
        self.compare([("MGET", "a", "b", "c", "d"), ("PERSIST", "a"), ("SETNX", "b", "2"),
                      ("TTL", "b"), ("EXPIRE", "c", "100"), ("GETDEL", "d")])


class GroupWithABackend(SystemTest):
    """It takes no writes; what it has loaded lives for 100 s."""

    def setUp(self):
        self.server = self.redis_server()
        self.server.fill({f"k{i}": f"v{i}" for i in range(9)})
        self.nodes = self.cluster(groups=[
            redis_group(self.server, ttl="100s", ttl_jitter=0, hot_sample=1)])
        self.ours = self.clients(*self.nodes)

    def test_getex_and_getdel_of_cold_keys_load_like_get_from_any_node(self):
        for i, client in enumerate(self.ours):
            with self.subTest(node=i):
                self.assertEqual(client.ask("GETEX", f"k{i}", "EX", "50"), b"v%d" % i)
                self.assertIn(client.ask("TTL", f"k{i}"), range(46, 51))  # a started owner confirms late
                self.assertEqual(client.ask("GETDEL", f"k{i + 3}"), b"v%d" % (i + 3))
                self.assertEqual(client.ask("TTL", f"k{i + 3}"), -2)
                self.assertEqual(client.ask("GETDEL", "absent"), None)
                self.assertEqual(client.ask("GETEX", "absent", "EX", "50"), None)

    def test_getdel_drops_every_nodes_copy_and_not_the_backends_value(self):
        for client in self.ours * 2:
            self.assertEqual(client.ask("GET", "k1"), b"v1")
        self.server.fill({"k1": "newer"})
        self.assertEqual(self.ours[0].ask("GETDEL", "k1"), b"v1")
        self.assertEqual([client.ask("GET", "k1") for client in self.ours], [b"newer"] * 3)

    def test_lives_may_be_shortened_and_not_lengthened(self):
        for i, client in enumerate(self.ours):
            with self.subTest(node=i):
                key = f"k{i}"
                self.assertEqual(client.ask("EXPIRE", key, "50"), 0, "it is not held yet")
                client.ask("GET", key)
                self.assertEqual(client.ask("EXPIRE", key, "200"), 0)
                self.assertEqual(client.ask("PERSIST", key), 0)
                self.assertEqual(client.ask("GETEX", key, "PERSIST"), b"v%d" % i)
                self.assertIn(client.ask("TTL", key), (99, 100))
                self.assertEqual(client.ask("EXPIRE", key, "50"), 1)
                self.assertIn(client.ask("TTL", key), range(46, 51))  # a started owner confirms late

    def test_expiring_a_key_drops_every_nodes_copy(self):
        for client in self.ours * 2:
            client.ask("GET", "k1")
        self.server.fill({"k1": "newer"})
        self.assertEqual(self.ours[1].ask("PEXPIREAT", "k1", "1"), 1)
        self.assertEqual([client.ask("GET", "k1") for client in self.ours], [b"newer"] * 3)

    def test_what_would_store_a_value_is_refused(self):
        for words in (("SET", "k1", "x"), ("SETNX", "k1", "x"), ("SETEX", "k1", "9", "x"),
                      ("PSETEX", "k1", "9", "x"), ("GETSET", "k1", "x"), ("MSET", "k1", "x"),
                      ("MSET", "k1", "x", "k2", "x", "k3", "x")):
            for client in self.ours:
                self.assert_error(client.ask(*words), "NOWRITE group 'users' takes no writes")
        self.assertEqual(self.ours[0].ask("GET", "k1"), b"v1")


class LostOwner(SystemTest):
    def test_an_mset_is_an_error_if_one_owner_did_not_confirm(self):
        cluster = self.cluster("a", "b", groups=[plain_group(ttl="0s")])
        (client,) = self.clients(cluster[0])
        pairs = [word for i in range(40) for word in (f"k{i}", "v")]
        self.assertEqual(client.ask("MSET", *pairs), b"OK")
        cluster["b"].process.kill()
        self.assert_error(client.ask("MSET", *pairs), "PEER ")
        held = [client.ask("GET", f"k{i}") for i in range(40)]
        self.assertIn(b"v", held, "this node's keys are stored")
        self.assertTrue(any(isinstance(reply, ReplyError) for reply in held))


if __name__ == "__main__":
    main()
