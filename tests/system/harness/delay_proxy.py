"""A proxy that lets requests pass at once and holds answers back for a random while.

So what a backend answers is what it knew when it was asked, and an invalidation can overtake it.
It runs in a process of its own.
"""

import asyncio
import multiprocessing
import random


class DelayProxy:
    """In front of `target` ("host:port"); every answer is held for up to `longest_s`."""

    def __init__(self, target, longest_s):
        ours, theirs = multiprocessing.Pipe()
        self._process = multiprocessing.Process(
            target=_run, args=(target, longest_s, theirs), daemon=True)
        self._process.start()
        self.address = ours.recv()

    def stop(self):
        self._process.kill()
        self._process.join()


def _run(target, longest_s, parent):
    asyncio.run(_serve(target, longest_s, parent))


async def _serve(target, longest_s, parent):
    host, port = target.rsplit(":", 1)

    async def on_client(client_reader, client_writer):
        server_reader, server_writer = await asyncio.open_connection(host, int(port))
        answers = asyncio.Queue()
        await asyncio.gather(
            _forward(client_reader, server_writer),
            _collect(server_reader, answers, longest_s),
            _deliver(answers, client_writer))

    server = await asyncio.start_server(on_client, "127.0.0.1", 0)
    parent.send("%s:%d" % server.sockets[0].getsockname())
    await server.serve_forever()


async def _forward(reader, writer):
    while data := await reader.read(1 << 16):
        writer.write(data)
    writer.close()


async def _collect(reader, answers, longest_s):
    loop = asyncio.get_running_loop()
    while data := await reader.read(1 << 16):
        answers.put_nowait((loop.time() + random.uniform(0, longest_s), data))
    answers.put_nowait((0, b""))


async def _deliver(answers, writer):
    loop = asyncio.get_running_loop()
    while True:
        due, data = await answers.get()
        if not data:
            writer.close()
            return
        # In order: an answer may wait for the one before it.
        await asyncio.sleep(due - loop.time())
        writer.write(data)
