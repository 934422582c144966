"""The base of all system tests: what a test starts ends with it, and a failure shows the logs."""

import sys
import unittest

from harness.cluster import Cluster
from harness.fake_redis import FakeRedis
from harness.redis_server import RedisServer


class SystemTest(unittest.TestCase):
    maxDiff = 2000

    def cluster(self, *names, **options):
        """A running cluster. When the test ends every node must stop with exit code 0."""
        cluster = Cluster(names or ("a", "b", "c"), **options)
        self.addCleanup(self._end, cluster)
        return cluster.start()

    def unstarted_cluster(self, *names, **options):
        cluster = Cluster(names or ("a", "b", "c"), **options)
        self.addCleanup(cluster.release)
        return cluster

    def redis_server(self, *options):
        server = RedisServer(*options)
        self.addCleanup(server.stop)
        return server

    def fake_redis(self, *args, **options):
        fake = FakeRedis(*args, **options)
        self.addCleanup(fake.stop)
        return fake

    def clients(self, *nodes):
        """One connection to each node, closed when the test ends."""
        clients = [node.client() for node in nodes]
        for client in clients:
            self.addCleanup(client.close)
        return clients

    def assert_error(self, reply, start):
        self.assertTrue(str(reply).startswith(start), f"wanted an error {start!r}, got {reply!r}")

    def _end(self, cluster):
        exit_codes = cluster.stop()
        clean = all(code == 0 for code in exit_codes.values())
        has_passed = not self._has_failed()
        if not clean or not has_passed:
            print(cluster.logs()[-20000:], file=sys.stderr)
        cluster.release()
        if has_passed:
            self.assertTrue(clean, f"exit codes: {exit_codes}")

    def _has_failed(self):
        """Whether this test, or a subtest of it, has failed up to now."""
        result = self._outcome.result
        return any(getattr(test, "test_case", test) is self
                   for test, _ in result.errors + result.failures)


def main():
    unittest.main(verbosity=2)
