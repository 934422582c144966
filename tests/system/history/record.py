"""Records a history: writers and readers on all nodes, each noting what it did and when."""

import multiprocessing
import random
import selectors
import threading
import time

from harness.resp import Client, ReplyError, encode
from history.verify import NOT_FOUND, Invalidation, Read, Write

LONGEST_PAUSE_S = 0.02  # of a writer between two versions
CONNECTIONS_A_NODE = 4  # of one reading process
DEEPEST_PIPELINE = 3


def value_of(key, version):
    return f"{key}={version}"


def read_of(connection, key, begin, end, reply, after_own=None):
    if isinstance(reply, ReplyError):
        return Read(connection, key, None, begin, end)
    if reply is None:
        return Read(connection, key, NOT_FOUND, begin, end)
    answered_key, version = reply.decode().split("=")
    return Read(connection, key, int(version), begin, end, answered_key, after_own)


class Writer(threading.Thread):
    """Writes one key's versions to redis, each followed by a DEL at a random node."""

    def __init__(self, key, redis_address, node_addresses, end):
        super().__init__()
        self._key = key
        self._redis = Client(redis_address)
        self._nodes = [Client(address) for address in node_addresses]
        self._end = end
        self.writes, self.invalidations, self.reads, self.errors = [], [], [], []

    def run(self):
        version = 0
        while time.monotonic_ns() < self._end:
            version += 1
            self._write(version)
            self._invalidate(version)
            time.sleep(random.uniform(0, LONGEST_PAUSE_S))

    def _write(self, version):
        begin = time.monotonic_ns()
        self._redis.ask("SET", self._key, value_of(self._key, version))
        self.writes.append(Write(self._key, version, begin, time.monotonic_ns()))

    def _invalidate(self, version):
        """Half of the DELs are followed by a GET in the same pipeline."""
        number = random.randrange(len(self._nodes))
        requests = [("DEL", self._key), ("GET", self._key)][: random.choice((1, 2))]
        begin = time.monotonic_ns()
        for words in requests:
            self._nodes[number].send(*words)
        deleted = self._nodes[number].read()
        ok = not isinstance(deleted, ReplyError)
        self.invalidations.append(
            Invalidation(self._key, version, begin, time.monotonic_ns(), ok))
        if not ok:
            self.errors.append(str(deleted))
        if len(requests) == 2:
            reply = self._nodes[number].read()
            self.reads.append(read_of(f"writer of {self._key}", self._key, begin,
                                      time.monotonic_ns(), reply, version if ok else None))


class _ReadingConnection:
    """Asks for a few random keys in one pipeline, and again when all are answered."""

    def __init__(self, name, address, keys):
        self._name = name
        self._client = Client(address)
        self._keys = keys
        self._asked = []
        self._begin = 0

    @property
    def socket(self):
        return self._client.socket

    def ask(self):
        self._asked = random.choices(self._keys, k=random.randint(1, DEEPEST_PIPELINE))
        self._begin = time.monotonic_ns()
        self._client.send_raw(b"".join(encode("GET", key) for key in self._asked))

    def read_all(self, reads, errors):
        for key in self._asked:
            reply = self._client.read()
            if isinstance(reply, ReplyError):
                errors.append(str(reply))
            reads.append(
                read_of(self._name, key, self._begin, time.monotonic_ns(), reply))


def _read_until(end, addresses, keys, result):
    reads, errors = [], []
    connections = [_ReadingConnection(f"{address}#{i}", address, keys)
                   for address in addresses for i in range(CONNECTIONS_A_NODE)]
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.ask()
        waiting = len(connections)
        while waiting:
            for ready, _ in selector.select():
                ready.data.read_all(reads, errors)
                if time.monotonic_ns() < end:
                    ready.data.ask()
                else:
                    waiting -= 1
    result.send((reads, errors))


def record(seconds, keys, redis_address, node_addresses, reading_processes=2):
    """Returns (writes, invalidations, reads, errors) of so many seconds."""
    with Client(redis_address) as redis:
        redis.pipeline([("SET", key, value_of(key, 0)) for key in keys])
    end = time.monotonic_ns() + int(seconds * 1e9)
    pipes, processes = [], []
    for _ in range(reading_processes):
        ours, theirs = multiprocessing.Pipe(duplex=False)
        processes.append(multiprocessing.Process(
            target=_read_until, args=(end, node_addresses, keys, theirs), daemon=True))
        processes[-1].start()
        theirs.close()
        pipes.append(ours)
    writers = [Writer(key, redis_address, node_addresses, end) for key in keys]
    for writer in writers:
        writer.start()
    reads, errors = [], []
    for pipe, process in zip(pipes, processes):
        some_reads, some_errors = pipe.recv()
        reads += some_reads
        errors += some_errors
        process.join()
    for writer in writers:
        writer.join()
        reads += writer.reads
        errors += writer.errors
    return ([w for writer in writers for w in writer.writes],
            [i for writer in writers for i in writer.invalidations], reads, errors)
