"""A client's connection to a node, which records what it did. It is made again when it was lost."""

import asyncio
import time
from typing import NamedTuple, Optional, Tuple

from harness.resp import ReplyError, encode
from rig import values
from verify.events import (
    BAD, DEL, ERROR, EVERY, GET, LOST, NIL, OK, REFUSED, SET, SETNX, Op, Violation)

RECONNECT_S = 0.05
# A reply that is missing for so long will not come.
PATIENCE_S = 60


class Request(NamedTuple):
    kind: str
    keys: Tuple[str, ...]
    words: Tuple
    version: Optional[int] = None


def get(*keys):
    return Request(GET, keys, ("GET", keys[0]) if len(keys) == 1 else ("MGET", *keys))


def delete(*keys):
    return Request(DEL, keys, ("DEL", *keys))


def flush():
    return Request(DEL, (EVERY,), ("FLUSHALL",))


def purge(what, name, keys):
    """`what`: GROUP or PREFIX. `keys`: all that it is to drop."""
    return Request(DEL, tuple(keys), ("CISTERN", "PURGE", what, name))


def store(key, version, size=0):
    return Request(SET, (key,), ("SET", key, values.encode(key, version, size)), version)


def store_absent(key, version):
    return Request(SETNX, (key,), ("SET", key, values.encode(key, version), "NX"), version)


class Recorder:
    """Where connections write what they did."""

    def __init__(self):
        self.ops = []
        self.violations = []

    def take(self):
        taken = self.ops, self.violations
        self.ops, self.violations = [], []
        return taken


class Connection:
    """`node`: the name to record. Requests of several callers may be under way at once."""

    def __init__(self, name, node, address, recorder):
        self._name = name
        self._node = node
        self._address = address
        self._recorder = recorder
        self._protocol = None
        self._made = 0

    async def ask(self, *requests):
        """Sends them in one pipeline; returns and records one Op a key. Empty when the node cannot
        be reached."""
        if self._protocol is None or self._protocol.is_lost:
            if not await self._connect():
                return []
        protocol = self._protocol
        begin = time.monotonic()
        first = protocol.sent
        replies = protocol.send(requests)
        try:
            await asyncio.wait_for(asyncio.shield(replies), PATIENCE_S)
        except asyncio.TimeoutError:
            self._recorder.violations.append(
                Violation("P5", f"no reply to {requests} of {self._name} for {PATIENCE_S} s"))
            protocol.close()
        ops = []
        for index, (request, (reply, end)) in enumerate(zip(requests, replies.replies)):
            ops += _ops(f"{self._name}.{self._made}", first + index, self._node, request, begin,
                        reply, end)
        self._recorder.ops += ops
        return ops

    async def _connect(self):
        host, port = self._address.rsplit(":", 1)
        self._made += 1
        try:
            _, self._protocol = await asyncio.get_running_loop().create_connection(
                lambda: _Protocol(self._on_unasked), host, int(port))
            return True
        except OSError:
            await asyncio.sleep(RECONNECT_S)
            return False

    def _on_unasked(self, reply):
        self._recorder.violations.append(Violation(
            "P5", f"connection {self._name} got a reply that it had not asked for: {reply!r}"))

    def close(self):
        if self._protocol is not None:
            self._protocol.close()


class _Lost:
    """Instead of a reply."""


class _Batch(asyncio.Future):
    """Done when every request of a pipeline has its reply."""

    def __init__(self, count):
        super().__init__()
        self._left = count
        self.replies = [(_Lost, 0.0)] * count

    def put(self, index, reply, end):
        self.replies[index] = reply, end
        self._left -= 1
        if self._left == 0 and not self.done():
            self.set_result(None)

    def lose(self, end):
        self.replies = [(reply, at or end) for reply, at in self.replies]
        if not self.done():
            self.set_result(None)


class _Protocol(asyncio.Protocol):
    def __init__(self, on_unasked):
        self._on_unasked = on_unasked
        self._input = b""
        self._waiting = []  # (batch, index), in their order
        self.sent = 0
        self.is_lost = False

    def connection_made(self, transport):
        self._transport = transport

    def connection_lost(self, _):
        self.is_lost = True
        now = time.monotonic()
        for batch, _ in self._waiting:
            batch.lose(now)
        self._waiting = []

    def send(self, requests):
        batch = _Batch(len(requests))
        self._waiting += [(batch, index) for index in range(len(requests))]
        self.sent += len(requests)
        if self.is_lost:
            self.connection_lost(None)
        else:
            self._transport.write(b"".join(encode(*request.words) for request in requests))
        return batch

    def close(self):
        self._transport.abort()
        self.connection_lost(None)

    def data_received(self, data):
        self._input += data
        end = time.monotonic()
        at = 0
        replied = 0
        while True:
            parsed = _parse(self._input, at)
            if parsed is None:
                break
            reply, at = parsed
            if replied == len(self._waiting):
                self._on_unasked(reply)
                continue
            batch, index = self._waiting[replied]
            replied += 1
            batch.put(index, reply, end)
        self._input = self._input[at:]
        del self._waiting[:replied]


def _parse(data, at):
    """(reply, where the next begins), or None while it is not all there."""
    line_end = data.find(b"\r\n", at)
    if line_end < 0:
        return None
    kind, rest = data[at : at + 1], data[at + 1 : line_end]
    at = line_end + 2
    if kind == b"$":
        length = int(rest)
        if length < 0:
            return None, at
        if len(data) < at + length + 2:
            return None
        return data[at : at + length], at + length + 2
    if kind == b"+":
        return rest, at
    if kind == b":":
        return int(rest), at
    if kind == b"-":
        return ReplyError(rest.decode(errors="replace")), at
    if kind != b"*":
        raise ValueError(f"no reply begins with {kind!r}")
    items = []
    for _ in range(int(rest)):
        parsed = _parse(data, at)
        if parsed is None:
            return None
        item, at = parsed
        items.append(item)
    return items, at


def _ops(connection, seq, node, request, begin, reply, end):
    """One for each key of the request."""
    of_all = (connection, seq, node, request.kind)
    if reply is _Lost or isinstance(reply, ReplyError):
        outcome, detail = (LOST, "") if reply is _Lost else (_outcome_of(reply), str(reply))
        return [Op(*of_all, key, begin, end, outcome, request.version, detail)
                for key in request.keys]
    if request.kind == GET:
        found = [reply] if len(request.keys) == 1 else reply
        return [_got(of_all, key, begin, end, value)
                for key, value in zip(request.keys, found)]
    version = request.version if reply is not None else None  # nil: NX found a value
    return [Op(*of_all, key, begin, end, OK, version) for key in request.keys]


def _outcome_of(error):
    return REFUSED if str(error).endswith(" cannot be reached") else ERROR


def _got(of_all, key, begin, end, value):
    if value is None:
        return Op(*of_all, key, begin, end, OK, NIL)
    version, wrong = values.decode(key, value)
    return Op(*of_all, key, begin, end, BAD if wrong else OK, version, wrong or "")
