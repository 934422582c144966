"""Stands between the nodes and the backend. Requests pass at once, answers may be held: so what a
load brings is what the backend knew when it was asked, and a DEL can overtake it. Counts the keys
that were asked for.
"""

import asyncio
import collections
import random
import time

from rig.remote import Remote


class BackendProxy:
    """In front of the redis-server at `target`; to be dialled at `address`."""

    def __init__(self, target, seed):
        self._remote = Remote(_Server, target, seed)
        self.address = self._remote.started

    def slow(self, longest_s):
        """From now on each answer is held for up to `longest_s`, at random."""
        self._remote.call("slow", longest_s)

    def gate(self, is_shut):
        """Shut: no answer passes."""
        self._remote.call("gate", is_shut)

    def loads(self):
        """How often each key has been asked for."""
        return self._remote.call("loads")

    def stop(self):
        self._remote.stop()


class _Server:
    def __init__(self, target, seed):
        self._target = target
        self._random = random.Random(seed)
        self._longest_s = 0.0
        self._opened = asyncio.Event()
        self._opened.set()
        self._loads = collections.Counter()

    async def start(self):
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return "%s:%d" % self._server.sockets[0].getsockname()

    # Called by BackendProxy.

    def slow(self, longest_s):
        self._longest_s = longest_s

    def gate(self, is_shut):
        if is_shut:
            self._opened.clear()
        else:
            self._opened.set()

    def loads(self):
        return dict(self._loads)

    # One connection.

    async def _accept(self, reader, writer):
        host, port = self._target.rsplit(":", 1)
        backend_reader, backend_writer = await asyncio.open_connection(host, int(port))
        answers = asyncio.Queue()
        tasks = [asyncio.create_task(task) for task in (
            self._ask(reader, backend_writer), self._collect(backend_reader, answers),
            self._deliver(answers, writer))]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        writer.transport.abort()
        backend_writer.transport.abort()

    async def _ask(self, reader, backend_writer):
        try:
            while True:
                request = await reader.readuntil(b"\r\n")
                words = []
                for _ in range(int(request[1:])):
                    header = await reader.readuntil(b"\r\n")
                    body = await reader.readexactly(int(header[1:]) + 2)
                    words.append(body[:-2])
                    request += header + body
                if words[0].upper() in (b"GET", b"MGET"):
                    self._loads.update(word.decode() for word in words[1:])
                backend_writer.write(request)
        except (asyncio.IncompleteReadError, OSError):
            pass

    async def _collect(self, reader, answers):
        try:
            while data := await reader.read(1 << 16):
                held = self._random.uniform(0, self._longest_s) if self._longest_s else 0
                answers.put_nowait((time.monotonic() + held, data))
        except OSError:
            pass

    async def _deliver(self, answers, writer):
        while True:
            due, data = await answers.get()
            if (left := due - time.monotonic()) > 0:
                await asyncio.sleep(left)
            await self._opened.wait()
            writer.write(data)
