#!/usr/bin/python3
"""A Redis backend that answers to do harm. Whatever it says, clients get a clear error (or the
value) in time; other keys do not notice; once it is well again its keys are, too; nothing stays
behind: no open file, no load under way, no memory."""

import itertools
import os
import re
import time
import unittest

from harness.cluster import Cluster
from harness.fake_redis import FakeRedis
from harness.groups import redis_group
from harness.hostile_redis import CLOSE, HANG, RESET, HostileRedis
from harness.resp import ReplyError
from harness.waiting import eventually

# A load takes no longer, whatever comes; a test waits a little longer than that.
TIMEOUT_MS = 400
SANITIZED = bool(os.environ.get("CISTERN_SANITIZE"))
IN_TIME_S = 20 if SANITIZED else 3
MAX_REPLY = 8 << 20
MORE_MEMORY = 64 << 20

ENDLESS = itertools.repeat(b"x" * 65536)
TIMED_OUT = f"BACKEND users: timeout after {TIMEOUT_MS} ms"
PROTOCOL = "BACKEND users: protocol error: "
NO_SUCH_ARRAY = PROTOCOL + "an array that nobody asked for"
WRONG_TYPE = "BACKEND users: unexpected type of reply"
WRONG_MGET = "BACKEND users: unexpected reply to MGET"
LOST = "BACKEND users: "

# What stands before the reason when nobody has asked the backend this time.
DOWN = re.compile(r"(?<=^BACKEND users: )\S+ has been down for \d+ ms: ")

# What answers a GET, and what the client then gets: a value, None, or how the error begins.
GETS = {
    "an_integer": ([b":1\r\n"], WRONG_TYPE),
    "a_status": ([b"+OK\r\n"], WRONG_TYPE),
    "an_array": ([b"*1\r\n$1\r\nx\r\n"], WRONG_TYPE),
    "an_empty_array": ([b"*0\r\n"], WRONG_TYPE),
    "a_null_array_is_no_value": ([b"*-1\r\n"], None),
    "an_error": ([b"-ERR no\r\n"], "BACKEND users: ERR no"),
    "an_error_without_words": ([b"-\r\n"], "BACKEND users: "),
    "the_wrong_kind_of_key": ([b"-WRONGTYPE Operation against a key\r\n"],
                              "BACKEND users: WRONGTYPE Operation"),
    "loading": ([b"-LOADING Redis is loading\r\n"], "BACKEND users: LOADING Redis"),
    "moved": ([b"-MOVED 1 127.0.0.1:1\r\n"], "BACKEND users: MOVED 1"),
    "a_master_that_is_down": ([b"-MASTERDOWN Link\r\n"], "BACKEND users: MASTERDOWN"),
    "authentication_that_is_wanted_again": ([b"-NOAUTH Authentication required.\r\n"],
                                            "BACKEND users: NOAUTH"),
    "an_error_of_control_characters": ([b"-ERR a\x1b[31m\nb\x00c\r\n"],
                                       "BACKEND users: ERR a.[31m.b.c"),
    "an_error_of_10_kb_is_cut": ([b"-ERR " + b"x" * 10000 + b"\r\n"], "BACKEND users: ERR xxxx"),
    "an_endless_bulk": (itertools.chain([b"$9000000000\r\n"], ENDLESS),
                        f"BACKEND users: a reply above {MAX_REPLY} bytes"),
    "an_endless_line": (ENDLESS, PROTOCOL),
    "an_endless_status": (itertools.chain([b"+"], ENDLESS), PROTOCOL + "a line without end"),
    "an_endless_length": (itertools.chain([b"$"], itertools.repeat(b"1" * 65536)),
                          PROTOCOL + "a line without end"),
    "an_endless_integer": (itertools.chain([b":"], itertools.repeat(b"1" * 65536)),
                           PROTOCOL + "a line without end"),
    "a_huge_bulk_that_does_not_come": ([b"$536870912\r\nx", HANG], TIMED_OUT),
    "a_bulk_of_64_bits": ([b"$9223372036854775807\r\nx", HANG], LOST),
    "a_length_above_64_bits": ([b"$18446744073709551617\r\nx\r\n"], PROTOCOL),
    "a_length_far_above_64_bits": ([b"$" + b"9" * 40 + b"\r\n"], PROTOCOL),
    "a_length_below_minus_one": ([b"$-2\r\n"], PROTOCOL),
    "the_lowest_length": ([b"$-9223372036854775808\r\n"], PROTOCOL),
    "a_length_with_letters": ([b"$3x\r\nabc\r\n"], PROTOCOL),
    "an_empty_length": ([b"$\r\nabc\r\n", HANG], LOST),
    # Its own word for how long the value is; what follows is nonsense.
    "a_value_longer_than_its_length": ([b"$2\r\nabc\r\n"], b"ab"),
    "a_value_shorter_than_its_length": ([b"$10\r\nabc\r\n", HANG], TIMED_OUT),
    "half_a_value_and_the_end": ([b"$10\r\nabc", CLOSE], LOST),
    "half_a_length_and_the_end": ([b"$1", CLOSE], LOST),
    "half_a_value_and_a_reset": ([b"$10\r\nabc", RESET], LOST),
    "no_reply_but_the_end": ([CLOSE], LOST),
    "no_reply_but_a_reset": ([RESET], LOST),
    "no_reply": ([HANG], TIMED_OUT),
    "a_byte_now_and_then": (itertools.chain([b"$1000\r\n"], itertools.cycle([b"x", 0.02])),
                            TIMED_OUT),
    "a_byte_now_and_then_but_in_time": (
        itertools.chain.from_iterable((bytes([byte]), 0.005) for byte in b"$5\r\nhello\r\n"),
        b"hello"),
    "a_reply_too_many": ([b"$1\r\nx\r\n$1\r\ny\r\n"], b"x"),
    "a_thousand_replies_too_many": ([b"$1\r\nx\r\n" * 1000], b"x"),
    "an_error_behind_the_value": ([b"$1\r\nx\r\n-ERR bye\r\n"], b"x"),
    "a_push_of_resp3": ([b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n"], PROTOCOL),
    "a_null_of_resp3": ([b"_\r\n"], PROTOCOL),
    "a_map_of_resp3": ([b"%1\r\n$1\r\nk\r\n$1\r\nv\r\n"], PROTOCOL),
    "a_carriage_return_without_line_feed": ([b"$1\rx\r\n", HANG], LOST),
    "line_feeds_alone": ([b"$1\nx\n", HANG], LOST),
    "zeros": ([b"\0" * 1000], PROTOCOL),
    "http": ([b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"], PROTOCOL),
    "an_empty_line": ([b"\r\n"], PROTOCOL),
    "an_array_of_two_billion": ([b"*2147483647\r\n"], NO_SUCH_ARRAY),
    "an_array_above_32_bits": ([b"*4294967297\r\n"], PROTOCOL),
}

# What answers an MGET of two keys, and what the client's MGET then gets.
MGETS = {
    "an_error_amidst": ([b"*2\r\n$1\r\nx\r\n-ERR this one\r\n"], "BACKEND users: ERR this one"),
    "an_error_instead": ([b"-ERR all\r\n"], "BACKEND users: ERR all"),
    "an_integer_amidst": ([b"*2\r\n$1\r\nx\r\n:1\r\n"], WRONG_TYPE),
    "too_few": ([b"*1\r\n$1\r\nx\r\n"], WRONG_MGET),
    "too_many": ([b"*3\r\n$1\r\nx\r\n$1\r\ny\r\n$1\r\nz\r\n"], WRONG_MGET),
    "none": ([b"*0\r\n"], WRONG_MGET),
    "a_null_array": ([b"*-1\r\n"], WRONG_MGET),
    "a_value_alone": ([b"$1\r\nx\r\n"], WRONG_MGET),
    "two_billion": ([b"*2147483647\r\n$1\r\nx\r\n"], NO_SUCH_ARRAY),
    "an_array_in_an_array": ([b"*2\r\n*2\r\n$1\r\nx\r\n$1\r\ny\r\n$1\r\nz\r\n"], NO_SUCH_ARRAY),
    "arrays_a_hundred_thousand_deep": ([b"*1\r\n" * 100_000], NO_SUCH_ARRAY),
    "a_negative_count": ([b"*-2\r\n"], PROTOCOL),
    "half_of_it_and_the_end": ([b"*2\r\n$1\r\nx\r\n", CLOSE], LOST),
    "half_of_it": ([b"*2\r\n$1\r\nx\r\n", HANG], TIMED_OUT),
    "values_in_time_one_after_the_other": ([b"*2\r\n$1\r\nx\r\n", 0.05, b"$1\r\ny\r\n"],
                                           [b"x", b"y"]),
}

# What a connection is answered before it may ask, by command; "": as soon as it is there.
GREETINGS = {
    "a_wrong_password": ("AUTH", [b"-WRONGPASS invalid\r\n"],
                         "BACKEND users: authentication failed: WRONGPASS"),
    "no_answer_to_auth": ("AUTH", [HANG], "BACKEND users: no answer to the first commands"),
    "half_an_answer_to_auth": ("AUTH", [b"+O", CLOSE], LOST),
    "an_endless_answer_to_auth": ("AUTH", itertools.chain([b"+"], ENDLESS), LOST),
    "a_huge_array_for_auth": ("AUTH", [b"*2147483647\r\n"], NO_SUCH_ARRAY),
    "a_database_that_is_not_there": ("SELECT", [b"-ERR DB index is out of range\r\n"],
                                     "BACKEND users: cannot select the database: ERR DB"),
    "too_many_clients": ("", [b"-ERR max number of clients reached\r\n", CLOSE],
                         "BACKEND users: "),
    "a_greeting_of_another_protocol": ("", [b"220 mail.example ESMTP\r\n"], LOST),
    "an_endless_greeting": ("", ENDLESS, LOST),
    "the_end_at_once": ("", [CLOSE], LOST),
    "a_reset_at_once": ("", [RESET], LOST),
}


class HostileBackendTest(unittest.TestCase):
    """One node and one backend for all cases: what one leaves behind the next would find."""

    @classmethod
    def setUpClass(cls):
        cls.fake = HostileRedis()
        cls.addClassCleanup(cls.fake.stop)
        other = FakeRedis()
        cls.addClassCleanup(other.stop)
        users = redis_group(cls.fake, prefix="u:", negative_ttl="0s")
        users["backend"].update(timeout=f"{TIMEOUT_MS}ms", connect_timeout=f"{TIMEOUT_MS}ms",
                                connections=1, password="p", database=1,
                                max_reply=f"{MAX_REPLY >> 20}MiB")
        cls.cluster = Cluster(("a",), groups=[users, redis_group(other, name="others",
                                                                 prefix="o:")],
                              server={"workers": 1})
        cls.addClassCleanup(cls.cluster.release)
        cls.node = cls.cluster.start()[0]
        cls.keys = itertools.count()
        with cls.node.client() as client:
            for key in ("u:first", "o:first"):
                assert client.ask("GET", key) is not None
        cls.files = cls.node.process.open_files()
        cls.memory = cls.node.process.resident_bytes()

    def setUp(self):
        self.client = self.node.client()
        self.addCleanup(self.client.close)

    def fresh(self, prefix):
        return f"{prefix}:{next(self.keys)}"

    def ask_in_time(self, *words):
        begin = time.monotonic()
        reply = self.client.ask(*words)
        self.assertLess(time.monotonic() - begin, IN_TIME_S, f"{reply!r} came late")
        return reply

    def assert_reply(self, reply, wanted):
        if isinstance(wanted, str):
            self.assertIsInstance(reply, ReplyError)
            self.assertTrue(DOWN.sub("", str(reply)).startswith(wanted),
                            f"wanted {wanted!r}, got {reply!r}")
            self.assertLess(len(str(reply)), 400)
        else:
            self.assertEqual(reply, wanted)

    def suffer(self, wanted, *words):
        """The harm is done: who asks for these keys, and who asks for others."""
        self.client.send(*words)
        with self.node.client() as other:
            key = self.fresh("o")
            begin = time.monotonic()
            self.assertEqual(other.ask("GET", key), b"value of " + key[2:].encode())
            self.assertLess(time.monotonic() - begin, IN_TIME_S)
        begin = time.monotonic()
        self.assert_reply(self.client.read(), wanted)
        self.assertLess(time.monotonic() - begin, IN_TIME_S)
        self.recover()

    def recover(self):
        self.fake.heal()

        def is_well():
            key = self.fresh("u")
            return self.ask_in_time("GET", key) == b"value of " + key[2:].encode()

        eventually(is_well, "the backend's keys are there again", 10)
        eventually(lambda: self.node.process.open_files() <= self.files + 1, "files are closed", 10)
        info = self.client.ask("INFO").decode()
        self.assertIn("loads_in_flight:0\r\n", info)
        self.assertIn("used_memory_flights:0\r\n", info)
        if not SANITIZED:
            self.assertLess(self.node.process.resident_bytes(), self.memory + MORE_MEMORY)

    def test_a_backend_that_goes_down(self):
        self.fake.go_down()
        self.assert_reply(self.ask_in_time("GET", self.fresh("u")), "BACKEND users: ")
        self.fake.come_back()
        self.recover()

    def test_a_backend_that_swallows_the_requests_behind_a_bad_one(self):
        """Several loads are under way on the connection that is dropped: each gets an answer."""
        self.fake.harm = lambda words: [HANG]
        keys = [self.fresh("u") for _ in range(3)]
        for key in keys:
            self.client.send("GET", key)
            self.assertEqual(self.node.ask("PING"), b"PONG")  # a turn later: a command of its own
        for _ in keys:
            self.assert_reply(self.client.read(), "BACKEND users: ")
        self.recover()

    def test_a_backend_whose_values_are_never_whole_costs_bounded_memory(self):
        """Twenty times: the limit of a reply is not a limit of each try."""
        self.fake.harm = lambda words: (
            None if words[0] in (b"AUTH", b"SELECT")
            else itertools.chain([b"$%d\r\n" % (1 << 40)], ENDLESS))
        for _ in range(20):
            self.assert_reply(self.ask_in_time("GET", self.fresh("u")), "BACKEND users: ")
        self.recover()


def fact_of_get(steps, wanted):
    def fact(self):
        self.fake.harm = lambda words: steps if words[0] == b"GET" else None
        self.suffer(wanted, "GET", self.fresh("u"))
    return fact


def fact_of_mget(steps, wanted):
    def fact(self):
        self.fake.harm = lambda words: steps if words[0] == b"MGET" else None
        self.suffer(wanted, "MGET", self.fresh("u"), self.fresh("u"))
    return fact


def fact_of_greeting(command, steps, wanted):
    def fact(self):
        if command:
            self.fake.harm = lambda words: steps if words[0] == command.encode() else None
        else:
            self.fake.greeting = steps
        self.fake.close_connections()

        def has_noticed():
            reply = self.ask_in_time("GET", self.fresh("u"))
            self.assert_reply(reply, "BACKEND users: ")
            return str(reply) != "BACKEND users: closed by peer"

        if wanted != LOST:
            eventually(has_noticed, "the connection that was good is gone", 10)
        self.suffer(wanted, "GET", self.fresh("u"))
    return fact


for name, case in GETS.items():
    setattr(HostileBackendTest, f"test_get_answered_by_{name}", fact_of_get(*case))
for name, case in MGETS.items():
    setattr(HostileBackendTest, f"test_mget_answered_by_{name}", fact_of_mget(*case))
for name, case in GREETINGS.items():
    setattr(HostileBackendTest, f"test_connection_met_by_{name}", fact_of_greeting(*case))


if __name__ == "__main__":
    unittest.main(verbosity=2)
