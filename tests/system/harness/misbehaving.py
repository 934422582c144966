"""Clients that misbehave, many at once, in a process of their own.

    with Misbehaving(node.address) as crowd:
        crowd.flood(10_000, request)    # each sends as long as it can and never reads
        crowd.trickle(2_000, start)     # each sends `start`, then a byte a second
        crowd.slow_readers(200, ...)    # each asks once and reads a little a second
        ... what the others see meanwhile
"""

import errno
import multiprocessing
import os
import resource
import selectors
import socket
import time


def allow_files(wanted):
    """Raises this process's limit of open files; returns how many it may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(soft, wanted)


class Misbehaving:
    def __init__(self, address):
        self._pipe, theirs = multiprocessing.Pipe()
        self._process = multiprocessing.Process(target=_run, args=(address, theirs), daemon=True)
        self._process.start()

    def flood(self, clients, request, first=b""):
        """Returns when all are connected; so do the others."""
        self._ask("flood", clients, request, first)

    def trickle(self, clients, start):
        self._ask("trickle", clients, start)

    def slow_readers(self, clients, request, bytes_a_second):
        self._ask("slow_readers", clients, request, bytes_a_second)

    def counts(self):
        """{"alive": n, "closed": n, "sent": bytes, "received": bytes}: closed by the server."""
        return self._ask("counts")

    def stop(self):
        self._process.kill()
        self._process.join()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def _ask(self, *words):
        self._pipe.send(words)
        answer = self._pipe.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer


def _run(address, parent):
    allow_files(1 << 20)
    os.nice(19)  # it stands for other machines, and is to take little of this one
    crowd = _Crowd(address)
    while True:
        crowd.turn(0.02)
        if not parent.poll():
            continue
        name, *args = parent.recv()
        try:
            parent.send(getattr(crowd, name)(*args))
        except Exception as error:  # told to whoever asked
            parent.send(error)


class _Crowd:
    """All of them on one selector; turn() lets each do its worst."""

    CHUNK = 16 << 10

    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self._to = (host, int(port))
        self._selector = selectors.DefaultSelector()
        self._flooders = {}
        self._tricklers = []
        self._readers = []
        self._next_second = time.monotonic()
        self._counts = {"alive": 0, "closed": 0, "sent": 0, "received": 0}

    def flood(self, clients, request, first):
        again = request * (self.CHUNK // len(request) + 1)
        for _ in range(clients):
            connection = self._connect()
            self._flooders[connection] = memoryview(first + again)
            self._selector.register(connection, selectors.EVENT_WRITE, again)

    def trickle(self, clients, start):
        for _ in range(clients):
            connection = self._connect()
            self._send(connection, start)
            self._tricklers.append(connection)

    def slow_readers(self, clients, request, bytes_a_second):
        for _ in range(clients):
            connection = self._connect()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
            self._send(connection, request)
            self._readers.append((connection, bytes_a_second))

    def counts(self):
        return dict(self._counts)

    def turn(self, longest_s):
        for key, _ in self._selector.select(longest_s):
            self._flood_on(key.fileobj, key.data)
        if time.monotonic() < self._next_second:
            return
        self._next_second += 1
        self._tricklers = [c for c in self._tricklers if self._send(c, b"x") is not None]
        self._readers = [(c, n) for c, n in self._readers if self._receive(c, n)]

    def _connect(self):
        connection = socket.create_connection(self._to, 30)
        connection.setblocking(False)
        self._counts["alive"] += 1
        return connection

    def _flood_on(self, connection, data):
        rest = self._flooders[connection]
        sent = self._send(connection, rest)
        if sent is None:
            self._selector.unregister(connection)
            del self._flooders[connection]
            return
        rest = rest[sent:]
        # What was cut in the middle goes on in the middle.
        self._flooders[connection] = rest if len(rest) else memoryview(data)

    def _send(self, connection, data):
        """How much was sent; None: the server has closed it."""
        try:
            sent = connection.send(data)
        except BlockingIOError:
            return 0
        except OSError as error:
            self._gone(connection, error)
            return None
        self._counts["sent"] += sent
        return sent

    def _receive(self, connection, most):
        try:
            got = len(connection.recv(most))
        except BlockingIOError:
            return True
        except OSError as error:
            self._gone(connection, error)
            return False
        self._counts["received"] += got
        if got == 0:
            self._gone(connection, None)
        return got > 0

    def _gone(self, connection, error):
        if error is not None and error.errno not in (errno.ECONNRESET, errno.EPIPE):
            raise error
        connection.close()
        self._counts["alive"] -= 1
        self._counts["closed"] += 1
