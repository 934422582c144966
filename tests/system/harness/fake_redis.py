"""A Redis whose every answer the test decides: slow, parked, failing, or gone.

It speaks what a backend is asked (GET, MGET, and what a connection starts with), counts every key
that was asked, and reads a value when the request arrives, however late the answer leaves: what a
slow backend answers is what it knew at first.
"""

import asyncio
import collections
import threading

from harness.resp import as_bytes
from harness.waiting import eventually


class FakeRedis:
    """`value_of(key)`: bytes, None (no such key) or an Exception (its text is the error reply).

    The attributes may be changed while it runs:
      delay_s     a value leaves so long after it was asked for
      parked      True: values wait until release()
    """

    def __init__(self, value_of=lambda key: b"value of " + key, delay_s=0.0):
        self.value_of = value_of
        self.delay_s = delay_s
        self.parked = False
        self._lock = threading.Lock()
        self._asked = collections.Counter()
        self._queries = 0
        self._writers = set()
        self._loop = asyncio.new_event_loop()
        self._released = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = None
        self.address = self._run(self._listen("127.0.0.1", 0))

    # What it has seen.

    def asked(self, key):
        """How often this key was asked for."""
        with self._lock:
            return self._asked[as_bytes(key)]

    def asked_in_all(self):
        with self._lock:
            return sum(self._asked.values())

    def asked_keys(self):
        with self._lock:
            return dict(self._asked)

    def queries(self):
        """GETs and MGETs, however many keys they had."""
        with self._lock:
            return self._queries

    def wait_until_asked(self, key, times=1):
        eventually(lambda: self.asked(key) >= times, f"{key} was asked for {times} times")

    def connections(self):
        return len(self._writers)

    # What it does.

    def park(self):
        self.parked = True

    def release(self):
        """Lets everything leave that is parked, and parks no more."""
        self.parked = False
        self._loop.call_soon_threadsafe(self._wake)

    def close_connections(self):
        self._run(self._close_connections())

    def go_down(self):
        """Refuses new connections and closes those that are there."""
        self._run(self._stop_listening())

    def come_back(self):
        """Listens on the same port again."""
        host, port = self.address.rsplit(":", 1)
        self._run(self._listen(host, int(port)))

    def stop(self):
        self._run(self._finish())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    # On the loop's thread.

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)

    async def _listen(self, host, port):
        self._is_down = False
        self._server = await asyncio.start_server(self._serve, host, port)
        return "%s:%d" % self._server.sockets[0].getsockname()

    async def _stop_listening(self):
        self._is_down = True
        self._server.close()
        await self._close_connections()

    async def _close_connections(self):
        for writer in list(self._writers):
            writer.transport.abort()

    def _wake(self):
        self._released.set()
        self._released = asyncio.Event()

    async def _finish(self):
        await self._stop_listening()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.wait_for(asyncio.gather(*others, return_exceptions=True), 10)

    async def _serve(self, reader, writer):
        if self._is_down:  # accepted before, begun after
            writer.transport.abort()
            return
        self._writers.add(writer)
        # Answers leave in their requests' order, each not before its time.
        answers = asyncio.Queue()
        sending = asyncio.create_task(self._send(writer, answers))
        try:
            while True:
                words = await read_request(reader)
                is_read = words[0].upper() in (b"GET", b"MGET")
                due = self._loop.time() + (self.delay_s if is_read else 0)
                answers.put_nowait((due, is_read, self._answer(words)))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            sending.cancel()
            self._writers.discard(writer)
            writer.close()

    async def _send(self, writer, answers):
        while True:
            due, is_read, answer = await answers.get()
            await asyncio.sleep(due - self._loop.time())
            while self.parked and is_read:
                await self._released.wait()
            writer.write(answer)

    def _answer(self, words):
        command = words[0].upper()
        if command == b"GET":
            self._count(words[1:])
            return _encode(self.value_of(words[1]))
        if command == b"MGET":
            self._count(words[1:])
            values = [self.value_of(key) for key in words[1:]]
            error = next((value for value in values if isinstance(value, Exception)), None)
            if error is not None:
                return _encode(error)
            return b"*%d\r\n" % len(values) + b"".join(map(_encode, values))
        if command == b"PING":
            return b"+PONG\r\n"
        if command in (b"AUTH", b"SELECT", b"CLIENT", b"READONLY"):
            return b"+OK\r\n"
        return b"-ERR unknown command '%b'\r\n" % words[0]

    def _count(self, keys):
        with self._lock:
            self._asked.update(keys)
            self._queries += 1


async def read_request(reader):
    count = int((await reader.readuntil(b"\r\n"))[1:-2])
    words = []
    for _ in range(count):
        length = int((await reader.readuntil(b"\r\n"))[1:-2])
        words.append((await reader.readexactly(length + 2))[:-2])
    return words


def _encode(value):
    if value is None:
        return b"$-1\r\n"
    if isinstance(value, Exception):
        return b"-%b\r\n" % str(value).encode()
    return b"$%d\r\n%b\r\n" % (len(value), value)
