"""A Redis that does harm: it plays steps instead of answering."""

import asyncio

from harness.fake_redis import FakeRedis, read_request

CLOSE = object()  # ends the connection, after what was sent
RESET = object()  # ends it with a reset
HANG = object()   # reads on and says nothing more


class _Over(Exception):
    pass


class HostileRedis(FakeRedis):
    """`harm(words)`: None (then the answer is FakeRedis's own) or the steps to play: bytes to send,
    seconds to wait, CLOSE, RESET or HANG; they may be endless. `greeting`: steps for whoever
    connects."""

    def __init__(self, *args, **options):
        self.harm = lambda words: None
        self.greeting = ()
        super().__init__(*args, **options)

    def heal(self):
        self.harm = lambda words: None
        self.greeting = ()

    async def _serve(self, reader, writer):
        if self._is_down:
            writer.transport.abort()
            return
        self._writers.add(writer)
        try:
            await _play(self.greeting, reader, writer)
            while True:
                words = await read_request(reader)
                steps = self.harm(words)
                if steps is None:
                    steps = [self._answer(words)]
                await _play(steps, reader, writer)
        except (_Over, asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()


async def _play(steps, reader, writer):
    for step in steps:
        if step is CLOSE:
            raise _Over
        if step is RESET:
            writer.transport.abort()
            raise _Over
        if step is HANG:
            while await reader.read(1 << 16):
                pass
            raise _Over
        if isinstance(step, bytes):
            writer.write(step)
            await writer.drain()
        else:
            await asyncio.sleep(step)
