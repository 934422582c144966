"""Stands between the nodes: one address for each ordered pair (who dials, who is dialled). Each
kind of connection between them, told by its hello, and each of its directions has a rule of its own.

It runs in a process of its own, so that nothing else delays it; what delays it all the same is told
(`stalls`), for then the nodes were held up as well.
"""

import asyncio
import collections
import socket
import struct
import time
from typing import NamedTuple

from rig.remote import Remote

KINDS = ("control", "data")
DIRECTIONS = ("forth", "back")  # what the dialler sends, what it is answered
_KIND_OF_HELLO = {1: "control", 2: "data"}

TICK_S = 0.02
STALL_S = 0.15  # a tick that comes so late says that the machine was held up


class Rule(NamedTuple):
    """What happens to the bytes of one direction."""

    delay: float = 0.0  # each byte arrives so much later
    held: bool = False  # nothing arrives until the rule changes
    refused: bool = False  # connections are closed, and closed again when made


PASS = Rule()


class LinkProxy:
    """`pairs`: {(dialler, dialled): real address}. What to dial instead: `addresses`."""

    def __init__(self, pairs):
        self._remote = Remote(_Server, pairs)
        self.addresses = self._remote.started

    def set_rule(self, dialler, dialled, kind, direction, rule):
        self._remote.call("set_rule", dialler, dialled, kind, direction, rule)

    def reset(self, dialler, dialled, kind):
        """Both ends of all such connections see a reset; new ones may be made at once."""
        self._remote.call("reset", dialler, dialled, kind)

    def stalls(self):
        """(begin, end) of each while in which the machine was held up."""
        return self._remote.call("stalls")

    def stop(self):
        self._remote.stop()


def kind_of_hello(data):
    """The kind that the first frame of a connection names; None while it is not all there; an
    unknown one is "data". (cluster/peer.proto: Frame.hello = 8, Hello.kind = 2)"""
    length, at = _varint(data, 0)
    if length is None or len(data) < at + length:
        return None
    hello = _field(data[at : at + length], 8)
    kind = _field(hello, 2) if isinstance(hello, bytes) else None
    return _KIND_OF_HELLO.get(kind, "data")


def _varint(data, at):
    value = shift = 0
    while at < len(data):
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at
    return None, at


def _field(message, number):
    """The last such field of a protobuf message: bytes, or an int."""
    at, found = 0, None
    while at < len(message):
        tag, at = _varint(message, at)
        if tag & 7 == 0:
            value, at = _varint(message, at)
        else:
            size = {1: 8, 5: 4}.get(tag & 7)
            if size is None:
                size, at = _varint(message, at)
            value, at = bytes(message[at : at + size]), at + size
        if tag >> 3 == number:
            found = value
    return found


class _Server:
    def __init__(self, pairs):
        self._pairs = pairs
        self._rules = collections.defaultdict(lambda: PASS)
        self._links = collections.defaultdict(set)  # by (dialler, dialled, kind)
        self._stalls = []
        self._servers = []
        self._changed = asyncio.Event()

    async def start(self):
        addresses = {}
        for pair in self._pairs:
            server = await asyncio.start_server(
                lambda reader, writer, pair=pair: self._accept(pair, reader, writer),
                "127.0.0.1", 0)
            addresses[pair] = "%s:%d" % server.sockets[0].getsockname()
            self._servers.append(server)
        self._watching = asyncio.create_task(self._watch())
        return addresses

    async def _watch(self):
        while True:
            before = time.monotonic()
            await asyncio.sleep(TICK_S)
            if time.monotonic() - before > TICK_S + STALL_S:
                self._stalls.append((before, time.monotonic()))

    # Called by LinkProxy.

    def set_rule(self, dialler, dialled, kind, direction, rule):
        self._rules[dialler, dialled, kind, direction] = rule
        if rule.refused:
            self.reset(dialler, dialled, kind)
        self._changed.set()
        self._changed = asyncio.Event()

    def reset(self, dialler, dialled, kind):
        for link in list(self._links[dialler, dialled, kind]):
            link.abort()

    def stalls(self):
        return self._stalls

    # One connection.

    async def _accept(self, pair, reader, writer):
        first = b""
        kind = None
        try:
            while kind is None:
                data = await reader.read(1 << 16)
                if not data:
                    return writer.close()
                first += data
                kind = kind_of_hello(first)
            if any(self._rules[(*pair, kind, direction)].refused for direction in DIRECTIONS):
                return _abort(writer)
            host, port = self._pairs[pair].rsplit(":", 1)
            server_reader, server_writer = await asyncio.open_connection(host, int(port))
        except OSError:
            return _abort(writer)
        link = _Link(self, (*pair, kind), (reader, writer), (server_reader, server_writer))
        self._links[(*pair, kind)].add(link)
        try:
            await link.run(first)
        finally:
            self._links[(*pair, kind)].discard(link)

    def rule(self, of, direction):
        return self._rules[(*of, direction)]

    async def change(self):
        await self._changed.wait()


class _Link:
    def __init__(self, server, of, dialler, dialled):
        self._server = server
        self._of = of
        self._ends = {"forth": (dialler, dialled), "back": (dialled, dialler)}
        self._aborted = asyncio.Event()

    def abort(self):
        self._aborted.set()
        for _, writer in self._ends["forth"]:
            _abort(writer)

    async def run(self, first):
        await _first([self._pump("forth", first), self._pump("back", b""), self._aborted.wait()])
        self.abort()

    async def _pump(self, direction, first):
        (reader, _), (_, writer) = self._ends[direction]
        queue = asyncio.Queue()
        delivering = asyncio.create_task(self._deliver(direction, queue, writer))
        try:
            data = first
            while True:
                if data:
                    queue.put_nowait((time.monotonic(), data))
                data = await reader.read(1 << 16)
                if not data:
                    break
            queue.put_nowait((time.monotonic(), b""))
            await delivering
        except OSError:
            pass
        finally:
            delivering.cancel()

    async def _deliver(self, direction, queue, writer):
        while True:
            came, data = await queue.get()
            while True:
                rule = self._server.rule(self._of, direction)
                left = came + rule.delay - time.monotonic()
                if not rule.held and left <= 0:
                    break
                waiting = [self._server.change()] + ([] if rule.held else [asyncio.sleep(left)])
                await _first(waiting)
            if not data:
                return
            writer.write(data)


async def _first(coroutines):
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


def _abort(writer):
    """A reset, not an orderly end."""
    connection = writer.get_extra_info("socket")
    if connection is not None and not writer.transport.is_closing():
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
